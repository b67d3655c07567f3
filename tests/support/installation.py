"""A whole installation, as `./slipway up` starts it, with environments that are there already."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import free_port
from tests.support.stand_ins import cloud_python, idp_python

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90


def link_venvs(folder: Path) -> Path:
    """Fill a directory as SLIPWAY_VENVS wants it: the tests' own environment stands in for the portal's."""
    own = Path(sys.prefix)
    found = {"portal": own, "test": own, "cloud": cloud_python().parents[1], "idp": idp_python().parents[1]}
    for name, place in found.items():
        (folder / name).symlink_to(place)
    return folder


@dataclass
class Up:
    """A running `./slipway up`."""

    popen: subprocess.Popen[str]
    data: Path
    port: int
    seconds: float = 0.0
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_url(self) -> str:
        """The address people type, to which the identity provider sends them back."""
        return f"http://localhost:{self.port}"

    def children(self) -> dict[str, int]:
        """The process ids of what it started, as it noted them."""
        return {note.stem: int(note.read_text().split()[0]) for note in (self.data / "run").glob("*.pid")}

    def end(self, number: int) -> tuple[int, str]:
        """Send the signal; return the exit code and what was said on standard error."""
        self.popen.send_signal(number)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        said = self.popen.communicate(timeout=30)[1]
        return self.popen.returncode, said


class Command:
    """The executable, with an environment of its own."""

    def __init__(self, venvs: Path):
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("SLIPWAY_")}
        self.env["SLIPWAY_VENVS"] = str(venvs)
        self.running: list[subprocess.Popen[str]] = []

    def __call__(self, *words: Any, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command that ends by itself."""
        return subprocess.run(
            [sys.executable, ROOT / "slipway", *map(str, words)],
            env=self.env | (env or {}),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

    def begin(self, data: Path, port: int | None = None, pace: float = 0) -> Up:
        """Start an installation and return at once."""
        port = port or free_port()
        words = [sys.executable, ROOT / "slipway", "up", "--data", data, "--port", port, "--pace", pace]
        popen = subprocess.Popen(
            [str(word) for word in words], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.running.append(popen)
        return Up(popen, data, port)

    def up(self, data: Path, port: int | None = None, pace: float = 0) -> Up:
        """Start an installation and return once it says that it is ready."""
        began = time.monotonic()
        up = self.begin(data, port, pace)
        up.lines = [up.popen.stdout.readline().rstrip("\n") for _ in range(2)]
        up.seconds = time.monotonic() - began
        if not up.lines[0]:
            pytest.fail(f"up ended: {up.popen.communicate()[1]}")
        return up

    def end_all(self) -> None:
        for popen in self.running:
            if popen.poll() is None:
                popen.terminate()
                popen.communicate(timeout=30)
