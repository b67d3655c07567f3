"""How many stacks there are of each kind, read from the running tally: never from the stacks themselves."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import case, func, literal, select

from app import db
from app.stacks.lifecycle import IN_TROUBLE, MOVING, RANK, StackStatus
from app.stacks.models import StackTally


@dataclass(frozen=True)
class Use:
    """How many stacks run a template: everybody's, and those of the teams asked about."""

    stacks: int = 0
    mine: int = 0


@dataclass(frozen=True)
class Counts:
    """Stacks by status, worst first; what is deleted does not count."""

    by_status: dict[StackStatus, int]

    @property
    def total(self) -> int:
        return sum(self.by_status.values())

    @property
    def ready(self) -> int:
        return self.by_status.get(StackStatus.READY, 0)

    @property
    def worst(self) -> StackStatus | None:
        """The status that needs somebody most, or None when there is no stack."""
        return next(iter(self.by_status), None)

    @property
    def in_trouble(self) -> dict[StackStatus, int]:
        return {status: n for status, n in self.by_status.items() if status in IN_TROUBLE}

    @property
    def moving(self) -> dict[StackStatus, int]:
        return {status: n for status, n in self.by_status.items() if status in MOVING}


NOTHING = Counts({})


def use_by_template(team_ids: Collection[int] = ()) -> dict[int, Use]:
    """Return how many live stacks run each template, by template id."""
    mine = func.sum(case((StackTally.team_id.in_(team_ids), StackTally.n), else_=0)) if team_ids else literal(0)
    query = select(StackTally.template_id, func.sum(StackTally.n).label("stacks"), mine.label("mine"))
    rows = db.session.execute(query.where(_is_live()).group_by(StackTally.template_id))
    return {row.template_id: Use(int(row.stacks), int(row.mine)) for row in rows}


def teams_using(template_id: int) -> dict[int, int]:
    """Return how many live stacks of a template each team has, by team id."""
    query = select(StackTally.team_id, func.sum(StackTally.n)).where(StackTally.template_id == template_id, _is_live())
    found = db.session.execute(query.group_by(StackTally.team_id))
    return {team_id: int(n) for team_id, n in found if n > 0}


def counts_by_environment() -> dict[int, Counts]:
    """Return the live stacks of every environment by status, by environment id."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    query = select(StackTally.environment_id, StackTally.status, func.sum(StackTally.n)).where(_is_live())
    for environment_id, status, n in db.session.execute(query.group_by(StackTally.environment_id, StackTally.status)):
        found[environment_id][status] = int(n)
    return {environment_id: _counts(by_status) for environment_id, by_status in found.items()}


def counts_of_environment(environment_id: int) -> Counts:
    """Return the live stacks of one environment by status."""
    query = select(StackTally.status, func.sum(StackTally.n)).where(
        StackTally.environment_id == environment_id, _is_live()
    )
    found = db.session.execute(query.group_by(StackTally.status))
    return _counts({status: int(n) for status, n in found})


def _is_live():
    return StackTally.status != StackStatus.DELETED


def _counts(by_status: dict[str, int]) -> Counts:
    known = {StackStatus(status): n for status, n in by_status.items() if n > 0}
    return Counts({status: known[status] for status in sorted(known, key=RANK.__getitem__)})
