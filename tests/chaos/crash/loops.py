"""Worker processes with their whole loop: the search for due jobs, the heartbeat, the watch over oneself."""

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field

from flask import Flask

from app.jobs.engine import Worker
from app.jobs.worker import Loop
from tests.chaos.crash.stage import Stage

SELF_FENCED = 75


@dataclass
class Looping:
    """A worker process of a stage, without a broker: it finds its jobs by itself."""

    here: Stage
    name: str
    lease_seconds: float
    rule: str = ""
    pid: int = 0
    # Its exit status once it has ended; below zero it is the signal that ended it.
    status: int | None = None
    stopped_at: float = 0.0
    _reader: int = field(default=-1, repr=False)

    def __enter__(self) -> "Looping":
        self.pid, self._reader = self.here.begin(self._loop, self.rule)
        return self

    def __exit__(self, *error: object) -> None:
        self.end()
        os.close(self._reader)

    def end(self) -> None:
        """Be gone."""
        if self.is_alive:
            os.kill(self.pid, signal.SIGKILL)
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _loop(self, app: Flask) -> None:
        Loop(app, Worker(self.name, self.lease_seconds)).start()
        while True:
            signal.pause()

    @property
    def is_alive(self) -> bool:
        self._look()
        return self.status is None

    @property
    def is_stopped(self) -> bool:
        self._look()
        return bool(self.stopped_at)

    def _look(self) -> None:
        """Learn what has become of it: a process that stops is told of once, as is one that ends."""
        if self.status is not None:
            return
        found, status = os.waitpid(self.pid, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            self.stopped_at = time.monotonic()
        elif found:
            self.status = os.waitstatus_to_exitcode(status)

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; say whether it has."""
        until = time.monotonic() + seconds
        while self.is_alive and time.monotonic() < until:
            time.sleep(0.005)
        return not self.is_alive

    def go_on(self) -> None:
        """Wake it up."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGCONT)
