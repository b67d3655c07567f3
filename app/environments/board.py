"""An environment as a row of the board: how many stacks are in which state, and where to see them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlencode

from app import words
from app.environments.models import Environment
from app.stacks.lifecycle import StackStatus
from app.stacks.tallies import NOTHING, Counts
from app.status import look


@dataclass(frozen=True)
class Cell:
    """A number of stacks, what it is made of, and the address of exactly those stacks."""

    count: int
    note: str
    href: str
    tone: str | None = None


@dataclass(frozen=True)
class Row:
    """One environment. `worst` is the status that needs somebody most; None where there is no stack."""

    environment: Environment
    counts: Counts
    worst: StackStatus | None
    trouble: Cell
    moving: Cell
    ready: Cell
    every: Cell
    observed_at: datetime | None

    @property
    def statuses(self) -> list[tuple[StackStatus, Cell]]:
        """Each status there is, worst first, with its stacks."""
        return [(status, _cell(self.environment, {status: n})) for status, n in self.counts.by_status.items()]


def rows_of(
    environments: Iterable[Environment], counts: Mapping[int, Counts], observed: Mapping[int, datetime]
) -> list[Row]:
    """Return a row for each environment, in their order."""
    return [row_of(each, counts.get(each.id, NOTHING), observed.get(each.id)) for each in environments]


def row_of(environment: Environment, counts: Counts, observed_at: datetime | None) -> Row:
    """Return the row of one environment."""
    return Row(
        environment=environment,
        counts=counts,
        worst=counts.worst,
        trouble=_cell(environment, counts.in_trouble),
        moving=_cell(environment, counts.moving),
        ready=_cell(environment, {StackStatus.READY: counts.ready} if counts.ready else {}),
        every=Cell(counts.total, "", _address(environment.slug, ())),
        observed_at=observed_at,
    )


def _cell(environment: Environment, by_status: Mapping[StackStatus, int]) -> Cell:
    parts = [f"{words.number(n)} {look(status).word.lower()}" for status, n in by_status.items()]
    worst = next(iter(by_status), None)
    tone = look(worst).tone if worst else None
    return Cell(sum(by_status.values()), ", ".join(parts), _address(environment.slug, tuple(by_status)), tone)


@lru_cache(maxsize=4096)
def _address(environment: str, statuses: tuple[StackStatus, ...]) -> str:
    return "/stacks?" + urlencode([("environment", environment), *(("status", status.value) for status in statuses)])
