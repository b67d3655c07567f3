"""The virtual environments: one for the portal, one for its tests, one for each stand-in.

An environment is good when its stamp names the requirements and the Python it was made from. The stamp is written
last, so an interrupted installation is begun again.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from command import programs
from command.places import ROOT, existing, venvs_directory
from command.problems import Refused
from command.progress import say

REQUIREMENTS = {
    "portal": ROOT / "requirements.txt",
    "test": ROOT / "requirements-test.txt",
    "cloud": ROOT / "local" / "cloud-requirements.txt",
    "idp": ROOT / "local" / "idp-requirements.txt",
}
TITLE = {
    "portal": "the portal's packages",
    "test": "the tests' packages",
    "cloud": "the local cloud's packages",
    "idp": "the local identity provider's packages",
}
# How pip says that it cannot reach what it installs from.
NO_NETWORK = ("connection broken by", "Could not fetch URL", "Max retries exceeded")
QUIETLY = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
ROOM = 1_500_000_000


def python_of(name: str) -> Path:
    """Return the interpreter of an environment."""
    return venvs_directory() / name / "bin" / "python"


def prepare(names: Iterable[str]) -> None:
    """Make the environments that are missing or out of date, two at a time.

    With SLIPWAY_VENVS they are somebody else's: used as they are, and only required to exist.
    """
    if os.environ.get("SLIPWAY_VENVS"):
        _require(names)
    elif missing := [name for name in names if not _is_good(name)]:
        _check_machine()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(_make, missing))


def _require(names: Iterable[str]) -> None:
    for name in names:
        if not python_of(name).exists():
            raise Refused(f"SLIPWAY_VENVS names {venvs_directory()}, but there is no {python_of(name)}.")


def _check_machine() -> None:
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise Refused(
            "This Python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv "
            f"(or python{version}-venv)."
        )
    free = shutil.disk_usage(existing(venvs_directory())).free
    if free < ROOM:
        raise Refused(
            f"The first start needs about {ROOM / 1e9:.1f} GB on the disk of {venvs_directory()}, "
            f"and {free / 1e9:.1f} GB are free. Make room and run the same command again."
        )


def _stamp(name: str) -> str:
    digest = hashlib.sha256(REQUIREMENTS[name].read_bytes()).hexdigest()
    return f"{digest} {sys.version_info[0]}.{sys.version_info[1]} {sys.base_prefix}\n"


def _is_good(name: str) -> bool:
    stamp = venvs_directory() / name / "slipway-stamp"
    return python_of(name).exists() and stamp.exists() and stamp.read_text() == _stamp(name)


def _make(name: str) -> None:
    folder = venvs_directory()
    folder.mkdir(parents=True, exist_ok=True)
    # Two commands of one checkout may come here at the same time; the second finds the work done.
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_good(name):
            _install(name, folder / name, folder / f"{name}.log")


def _install(name: str, folder: Path, log: Path) -> None:
    say(f"Installing {TITLE[name]}")
    log.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    if programs.run((sys.executable, "-m", "venv", folder), log) != 0:
        raise Refused(_failed(name, log))
    # Ready-made builds alone: whether a compiler is there, and which, makes no difference.
    pip = (python_of(name), "-m", "pip", "install", *QUIETLY, "--require-hashes", "--only-binary", ":all:")
    if programs.run((*pip, "-r", REQUIREMENTS[name]), log) != 0:
        raise Refused(_failed(name, log))
    (folder / "slipway-stamp").write_text(_stamp(name))
    say(f"Installed {TITLE[name]}")


def _failed(name: str, log: Path) -> str:
    cause = _cause(name, log.read_text(errors="replace"))
    return f"{cause} The whole story is in {log}; it ends:\n{programs.last_lines(log)}"


def _cause(name: str, story: str) -> str:
    what = f"T{TITLE[name][1:]} could not be installed"
    if "No space left on device" in story:
        return f"{what}: the disk of {venvs_directory()} is full. Make room and run the same command again."
    if any(sign in story for sign in NO_NETWORK):
        return f"{what}: the package index does not answer. Check the network and run the same command again."
    if found := re.search(r"No matching distribution found for (\S+)", story):
        return f"{what}: there is no ready-made build of {found[1]} for this machine and this Python."
    return f"{what}."
