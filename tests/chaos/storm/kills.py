"""Kills by seed, and the supervisor that starts again at once whoever has ended."""

import contextlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import psutil
import psycopg

from tests.chaos.cage import Member
from tests.chaos.processes import Postgres, Web
from tests.chaos.storm.installation import Installation


@dataclass(frozen=True)
class Blow:
    """A way to kill something, how often it is chosen, and what does it. It says whether anything was killed."""

    name: str
    weight: int
    member: Member
    strike: Callable[[Random], Any]


def blows(it: Installation, *, only_ours: bool = False) -> list[Blow]:
    """Return every way to kill a part of an installation; `only_ours` spares broker and database."""
    found = [
        Blow("web", 2, it.web, lambda chance: _whole(it.web)),
        Blow("web_master", 2, it.web, lambda chance: _main(it.web)),
        Blow("web_process", 4, it.web, it.web.kill_child),
    ]
    found += [Blow("worker", 5, worker, _killer(worker)) for worker in it.workers]
    if it.broker and not only_ours:
        found.append(Blow("broker", 3, it.broker, _killer(it.broker)))
    if it.postgres and not only_ours:
        found.append(Blow("postgresql", 3, it.postgres, _killer(it.postgres)))
        found.append(Blow("postgresql_backend", 3, it.postgres, _backend_killer(it.postgres)))
    return found


def _killer(member: Member) -> Callable[[Random], bool]:
    return lambda chance: _whole(member)


def _whole(member: Member) -> bool:
    member.kill9()
    return True


def _main(web: Web) -> bool:
    web.kill_main()
    return True


def _backend_killer(postgres: Postgres) -> Callable[[Random], int | None]:
    def strike(chance: Random) -> int | None:
        # The server may be on its way back from the blow before.
        with contextlib.suppress(psycopg.Error, psutil.Error):
            return postgres.kill_backend(chance)
        return None

    return strike


class Storm:
    """Strikes so many times, `pause` seconds apart on average, and plays the supervisor meanwhile.

    Only what is ready is struck: killing what is dead already proves nothing.
    """

    def __init__(self, members: Sequence[Member], blows: Sequence[Blow], seed: int, kills: int, pause: float):
        self.members, self.blows, self.kills, self.pause = members, blows, kills, pause
        self.chance = Random(seed)
        self.struck: Counter[str] = Counter()
        self.restarts: Counter[str] = Counter()
        self.last_blow_at = time.monotonic()

    @property
    def progress(self) -> float:
        """The share of the kills that have been dealt."""
        return self.struck.total() / self.kills if self.kills else 1.0

    def run(self, until: Callable[[], bool] = lambda: True) -> None:
        """Go on until every kill has been dealt and `until` is true."""
        next_at = time.monotonic() + self.pause
        while self.struck.total() < self.kills or not until():
            self.tend()
            if self.struck.total() < self.kills and time.monotonic() >= next_at:
                self._strike()
                next_at = time.monotonic() + self.chance.expovariate(1 / self.pause)
            time.sleep(0.05)

    def tend(self) -> None:
        """Start again whoever has ended."""
        for member in self.members:
            if not member.is_alive:
                self.restarts[member.name] += 1
                member.launch()

    def _strike(self) -> None:
        blow = self.chance.choices(self.blows, [each.weight for each in self.blows])[0]
        if blow.member.is_alive and blow.member.is_ready() and blow.strike(self.chance):
            self.struck[blow.name] += 1
            self.last_blow_at = time.monotonic()
