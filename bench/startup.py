"""How fast an installation starts and how much memory it holds while nobody asks anything.

`python -m bench.startup`: `./slipway up` on an empty and on a used data directory (virtual environments are there
already), then the memory of the web server and the worker after half a minute of quiet.
"""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.config import ROOT
from bench import _servers
from bench._figures import emit, machine, resident

QUIET_SECONDS = 30
READY = re.compile(r"Slipway is ready: http://localhost:(\d+)")


def start(data: Path, port: int) -> tuple[float, subprocess.Popen[str]]:
    """Start `./slipway up` and return the seconds until it was ready, with its process."""
    began = time.monotonic()
    command = [sys.executable, str(ROOT / "slipway"), "up", "--data", str(data), "--port", str(port), "--pace", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    for line in process.stdout or ():
        if READY.search(line):
            return time.monotonic() - began, process
    raise SystemExit("It did not become ready.")


def stop(process: subprocess.Popen[str]) -> float:
    """Ask it to stop and return the seconds that took."""
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    return time.monotonic() - began


def held(name: str, by: int) -> tuple[float, float]:
    """Return resident and proportional memory, in MB, of the child of a process whose command line holds the words."""
    for pid in (int(each) for each in os.listdir("/proc") if each.isdigit()):
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            parent = int(Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if name in command and parent == by:
            return resident(pid)
    raise SystemExit(f"No process {name} was found.")


def main() -> None:
    emit(bench="startup", machine=machine())
    with _servers.scratch() as directory:
        port = _servers.free_port()
        for label in ("first", "second", "third"):
            seconds, process = start(directory / "data", port)
            emit(bench="startup", start=label, ready_s=round(seconds, 1))
            if label == "third":
                time.sleep(QUIET_SECONDS)
                _memory(process.pid)
            emit(bench="startup", start=label, stopped_s=round(stop(process), 1))


def _memory(up: int) -> None:
    web, worker = held("gunicorn", up), held("celery", up)
    for name, (rss, pss) in {"web": web, "worker": worker}.items():
        emit(bench="memory", what=name, rss_mb=rss, pss_mb=pss)
    emit(
        bench="memory", what="web and worker", rss_mb=round(web[0] + worker[0], 1), pss_mb=round(web[1] + worker[1], 1)
    )


if __name__ == "__main__":
    main()
