"""The command, and an installation it started."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.installation import ROOT, Command, Up, link_venvs

# The command is found as the executable finds it.
sys.path.insert(0, str(ROOT / "local"))


@pytest.fixture(scope="session")
def venvs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_venvs(tmp_path_factory.mktemp("venvs"))


@pytest.fixture
def slipway(venvs: Path) -> Iterator[Command]:
    """`slipway("cloud", …)` runs a command; `slipway.up(data)` starts an installation."""
    command = Command(venvs)
    yield command
    command.end_all()


@pytest.fixture(scope="module")
def running(venvs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """An installation several tests look at."""
    command = Command(venvs)
    yield command.up(tmp_path_factory.mktemp("data"))
    command.end_all()


@pytest.fixture
def is_gone() -> Callable[[int], bool]:
    """Say whether a process and everything in its session has ended."""

    def gone(pid: int) -> bool:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    return gone
