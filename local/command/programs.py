"""Programs that run to their end, with their output in a file."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from command.places import ROOT
from command.problems import Stopped
from command.stopping import handed_on, pause

# What an installer needs to reach the network as this machine does; nothing of an activated environment.
HIDDEN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV")


def run(command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> int:
    """Run the program, append what it says to the log and return its exit code. Ends it when asked to stop."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else inherited(),
            cwd=cwd,
            start_new_session=True,
        )
    try:
        while popen.poll() is None:
            pause(0.05)
    except Stopped:
        os.killpg(popen.pid, signal.SIGKILL)
        popen.wait()
        raise
    return popen.returncode


def follow(command: Sequence[str | Path], env: Mapping[str, str]) -> int:
    """Run the program in front of the person, hand on what they ask of us, and return its exit code."""
    with subprocess.Popen([str(part) for part in command], env=dict(env), cwd=ROOT) as popen, handed_on(popen):
        code = popen.wait()
    # As shells tell that a signal ended a program.
    return 128 - code if code < 0 else code


def inherited() -> dict[str, str]:
    """This process's environment without what would redirect a Python."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN}


def last_lines(log: Path, count: int = 12) -> str:
    """Return the end of a log, indented to be read below a sentence."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    return "\n".join("    " + line[:400] for line in lines[-count:])
