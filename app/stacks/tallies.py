"""How many stacks there are of each kind, read from the running tally: never from the stacks themselves."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, select

from app import db
from app.environments.models import Environment
from app.stacks.lifecycle import IN_TROUBLE, MOVING, RANK, StackStatus
from app.stacks.models import Grain, StackTally
from app.stacks.remembering import remembered


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
    return remembered(("use", frozenset(team_ids)), lambda: _use_by_template(team_ids))


def _use_by_template(team_ids: Collection[int]) -> dict[int, Use]:
    whole = _sums_by_template(_at(Grain.TEMPLATE))
    mine = _sums_by_template(_at(Grain.EVERY), StackTally.team_id.in_(team_ids)) if team_ids else {}
    return {template_id: Use(n, mine.get(template_id, 0)) for template_id, n in whole.items()}


def _sums_by_template(*conditions: ColumnElement[bool]) -> dict[int, int]:
    query = select(StackTally.template_id, func.sum(StackTally.n)).where(*conditions, _is_live())
    rows = db.session.execute(query.group_by(StackTally.template_id))
    return {template_id: int(n) for template_id, n in rows if template_id is not None}


def teams_using(template_id: int) -> dict[int, int]:
    """Return how many live stacks of a template each team has, by team id."""
    return remembered(("teams", template_id), lambda: _teams_using(template_id))


def _teams_using(template_id: int) -> dict[int, int]:
    query = select(StackTally.team_id, func.sum(StackTally.n)).where(
        _at(Grain.EVERY), StackTally.template_id == template_id, _is_live()
    )
    found = db.session.execute(query.group_by(StackTally.team_id))
    return {team_id: int(n) for team_id, n in found if team_id is not None and n > 0}


def counts_by_environment(environment_ids: Collection[int]) -> dict[int, Counts]:
    """Return the live stacks of these environments by status, by environment id."""
    return remembered(("environments", tuple(environment_ids)), lambda: _counts_by_environment(environment_ids))


def _counts_by_environment(environment_ids: Collection[int]) -> dict[int, Counts]:
    found: dict[int, dict[str, int]] = defaultdict(dict)
    query = select(StackTally.environment_id, StackTally.status, func.sum(StackTally.n)).where(
        _at(Grain.ENVIRONMENT), StackTally.environment_id.in_(environment_ids), _is_live()
    )
    for environment_id, status, n in db.session.execute(query.group_by(StackTally.environment_id, StackTally.status)):
        if environment_id is not None:
            found[environment_id][status] = int(n)
    return {environment_id: _counts(by_status) for environment_id, by_status in found.items()}


def counts_of_environment(environment_id: int) -> Counts:
    """Return the live stacks of one environment by status."""
    return counts_by_environment([environment_id]).get(environment_id, NOTHING)


def worst_environments(limit: int, offset: int, total: int) -> list[int]:
    """Return the ids of one page of environments: the one with the worst stack first, empty ones last.

    `total` is how many there are: a new one changes the order, though no stack changed.
    """
    return remembered(("worst", limit, offset, total), lambda: _worst_environments(limit, offset))


def _worst_environments(limit: int, offset: int) -> list[int]:
    standing = (
        select(StackTally.environment_id, StackTally.status, func.sum(StackTally.n).label("n"))
        .where(_at(Grain.ENVIRONMENT), _is_live())
        .group_by(StackTally.environment_id, StackTally.status)
        .having(func.sum(StackTally.n) > 0)
        .subquery()
    )
    rank = case(dict(RANK.items()), value=standing.c.status)
    trouble = func.sum(case((standing.c.status.in_(IN_TROUBLE), standing.c.n), else_=0))
    query = (
        select(Environment.id)
        .outerjoin(standing, standing.c.environment_id == Environment.id)
        .group_by(Environment.id, Environment.slug)
        .order_by(func.coalesce(func.max(rank), -1).desc(), trouble.desc(), Environment.slug)
        .limit(limit)
        .offset(offset)
    )
    return list(db.session.scalars(query))


def live_stacks() -> int:
    """Return how many live stacks there are."""
    query = select(func.coalesce(func.sum(StackTally.n), 0)).where(_at(Grain.TEMPLATE), _is_live())
    return remembered("live", lambda: int(db.session.scalar(query) or 0))


def _at(grain: Grain) -> ColumnElement[bool]:
    return StackTally.grain == grain


def _is_live() -> ColumnElement[bool]:
    return StackTally.status != StackStatus.DELETED


def _counts(by_status: dict[str, int]) -> Counts:
    known = {StackStatus(status): n for status, n in by_status.items() if n > 0}
    return Counts({status: known[status] for status in sorted(known, key=RANK.__getitem__, reverse=True)})
