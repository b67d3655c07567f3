"""The programs of a running installation: each in a session of its own, so that all it began can be stopped."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command.places import ROOT
from command.problems import Refused
from command.processes import forget, leftovers, remember
from command.programs import last_lines
from command.stopping import pause

PATIENCE = 60.0
GRACE = 8.0
LARGEST_LOG = 5_000_000

# Whatever the machine says about proxies has nothing to do with loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Service:
    """One program to keep running: its name, how to start it, and how to tell that it answers."""

    name: str
    title: str
    command: tuple[str, ...]
    env: Mapping[str, str]
    is_ready: Callable[[], bool]


@dataclass(frozen=True)
class Child:
    """A service that has been started."""

    service: Service
    popen: subprocess.Popen[bytes]
    log: Path


def start(service: Service, data: Path) -> Child:
    """Start the service, with its output in a log of its own and a note of its process in the data directory."""
    log = data / "logs" / f"{service.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    _turn_over(log)
    with log.open("ab") as output:
        popen = subprocess.Popen(
            service.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(service.env),
            cwd=ROOT,
            start_new_session=True,
        )
    child = Child(service, popen, log)
    try:
        remember(data, service.name, popen.pid)
    except OSError:
        # Without a note nobody would find it again.
        stop([child], data)
        raise
    return child


def wait_until_ready(children: Iterable[Child]) -> None:
    """Return once each answers. Raises Refused when one ends or stays silent for a minute."""
    deadline = time.monotonic() + PATIENCE
    for child in children:
        while not child.service.is_ready():
            check_alive([child])
            if time.monotonic() > deadline:
                raise Refused(_with_log(f"The {child.service.title} does not answer.", child))
            pause(0.05)


def watch(children: list[Child]) -> None:
    """Return never: raise Refused when a service ends by itself, Stopped when somebody asks to stop."""
    while True:
        check_alive(children)
        pause(0.2)


def check_alive(children: Iterable[Child]) -> None:
    """Raise Refused, with the end of its log, when one of them has ended by itself."""
    for child in children:
        if (code := child.popen.poll()) is not None:
            raise Refused(_with_log(f"The {child.service.title} stopped by itself ({_ending(code)}).", child))


def stop(children: list[Child], data: Path) -> None:
    """Ask the services to end, wait a few seconds for them, end what is left, and everything they had started."""
    for child in children:
        _signal(child.popen.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for child in children:
        try:
            child.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _signal_all(child.popen.pid)
            child.popen.wait()
        _signal_all(child.popen.pid)
        forget(data, child.service.name)


def stop_leftovers(data: Path) -> None:
    """Stop the services of an earlier `up` that was killed and could not do it itself."""
    pids = leftovers(data)
    for pid in pids.values():
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while leftovers(data) and time.monotonic() < deadline:
        pause(0.05)
    for pid in leftovers(data).values():
        _signal_all(pid)
    for name in pids:
        forget(data, name)


def answer_of(url: str) -> Any:
    """Return the JSON the address answers with 200, or None."""
    try:
        with _direct.open(url, timeout=2) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def _with_log(sentence: str, child: Child) -> str:
    return f"{sentence} The log is {child.log}; it ends:\n{last_lines(child.log)}"


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_all(leader: int) -> None:
    """End every process of the session the leader began; it has the leader's number as long as one of them lives."""
    # macOS answers "not permitted" for a group of which only a zombie is left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
