"""What workers do besides jobs: each chore on a thread of its own, most of them by one worker at a time."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from app.jobs import duties
from app.jobs.engine import Worker
from app.logs import log


@dataclass(frozen=True)
class Shift:
    """Who does the chore now; `poke` makes this worker look for due jobs at once."""

    worker: Worker
    poke: Callable[[], None]


@dataclass(frozen=True)
class Chore:
    """Something to do every so many seconds. `is_shared`: each worker does it and divides the work itself."""

    name: str
    run: Callable[[Shift], object]
    every: float
    is_shared: bool = False


def add(app: Flask, chore: Chore) -> None:
    """Have the workers of this application do the chore."""
    app.extensions.setdefault("chores", []).append(chore)


class Rota:
    """Runs the chores of one worker process until it stops."""

    def __init__(self, app: Flask, shift: Shift, stopping: threading.Event):
        self.app = app
        self.shift = shift
        self.stopping = stopping

    def start(self) -> None:
        for chore in self.app.extensions.get("chores", []):
            threading.Thread(target=self._forever, args=(chore,), daemon=True, name=chore.name).start()

    def _forever(self, chore: Chore) -> None:
        while not self.stopping.wait(chore.every):
            try:
                with self.app.app_context():
                    self.do(chore)
            except Exception as error:  # noqa: BLE001 - a chore that broke once is done again at its next time
                log.warning("chore_failed", chore=chore.name, error=type(error).__name__)

    def do(self, chore: Chore) -> None:
        """Do the chore now, unless it is another worker's."""
        if chore.is_shared:
            chore.run(self.shift)
            return
        worker = self.shift.worker
        # A chore that takes longer than a lease is taken over, as a job would be; each may be done twice at once.
        held = duties.take(chore.name, worker.name, worker.lease_seconds)
        if held is not None:
            chore.run(self.shift)
            duties.give_back(held, chore.every * 0.9)
