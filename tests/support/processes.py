"""Programs a test needs beside it: started on a free port, waited for, stopped by their own process id."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

# Whatever a developer's shell says about proxies has nothing to do with loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class DidNotStart(RuntimeError):
    """A program ended or stayed silent before it was ready; the message holds the end of its log."""


@dataclass
class Process:
    """A running program: where it listens, and the file its output goes to."""

    popen: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def pid(self) -> int:
        """The process id."""
        return self.popen.pid

    @property
    def port(self) -> int:
        """The port of the address."""
        return int(self.url.rsplit(":", 1)[1])

    def output(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(errors="replace")


def free_port() -> int:
    """A port on loopback that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    command: Sequence[str | Path],
    *,
    url: str,
    ready_path: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Process:
    """Start the program and return once `url + ready_path` answers 200.

    Raises DidNotStart, after ending the program, when it ends by itself or takes longer than `seconds`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(env or {})}
        )
    process = Process(popen, url, log)
    deadline = time.monotonic() + seconds
    while not _answers(url + ready_path):
        if popen.poll() is not None or time.monotonic() > deadline:
            kill(process)
            raise DidNotStart(f"{command[0]} was not ready after {seconds} s.\n{process.output()[-3000:]}")
        time.sleep(0.05)
    return process


def stop(process: Process, seconds: float = 10) -> int:
    """Ask the program to end and return its exit status; end it the hard way when it takes longer."""
    if process.popen.poll() is None:
        process.popen.send_signal(signal.SIGTERM)
    try:
        return process.popen.wait(seconds)
    except subprocess.TimeoutExpired:
        return kill(process)


def kill(process: Process) -> int:
    """End the program at once, as a crash would."""
    process.popen.kill()
    return process.popen.wait()


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
