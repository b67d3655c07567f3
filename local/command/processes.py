"""Notes about started processes, so that a later command can find what a killed one left behind.

A number alone is not enough: it may belong to somebody else by now. A process is the noted one if it also began at the
noted moment.
"""

import subprocess
from pathlib import Path


def remember(data: Path, name: str, pid: int) -> None:
    """Note a process we have started."""
    note = _note(data, name)
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{pid} {began(pid)}\n")


def forget(data: Path, name: str) -> None:
    """Drop the note of a process that has ended."""
    _note(data, name).unlink(missing_ok=True)


def leftovers(data: Path) -> dict[str, int]:
    """Return the noted processes that still run, by name."""
    found = {}
    for note in sorted((data / "run").glob("*.pid")):
        pid, _, moment = note.read_text().strip().partition(" ")
        if pid.isdigit() and moment and began(int(pid)) == moment:
            found[note.stem] = int(pid)
    return found


def began(pid: int) -> str:
    """Return when the process began, in whatever form this machine tells it; empty when it is gone or a zombie."""
    if Path("/proc/self/stat").exists():
        return _began_by_proc(pid)
    return _began_by_ps(pid)


def _began_by_proc(pid: int) -> str:
    try:
        # The name in brackets may hold anything; the fields after it are state, …, and the 20th is the moment.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _began_by_ps(pid: int) -> str:
    # The path of ps is the same on every macOS.
    answer = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def _note(data: Path, name: str) -> Path:
    return data / "run" / f"{name}.pid"
