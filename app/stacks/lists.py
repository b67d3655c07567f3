"""Lists of stacks: what they are narrowed to, in which order, and the row that each stack makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, aliased

from app import db
from app.catalog.models import Template, Version
from app.environments.models import Environment
from app.identity.models import Team
from app.jobs.lifecycle import UNFINISHED, JobStatus
from app.jobs.models import Job
from app.stacks.facets import Filters, count_stacks, statuses_of
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Stack

# A query of whatever columns.
Selection = Select[*tuple[Any, ...]]

PAGE = 50
# Up to so many stacks of a name are collected, and then put in order.
MOST_NAMED = 200


class Listed(NamedTuple):
    """A row of a list of stacks: only what it prints, since a page of whole stacks is mostly work for nobody."""

    id: int
    ref: str
    name: str
    status: StackStatus
    rank: int
    status_reason: str
    observed_at: datetime | None
    environment: str
    team: str
    template: str
    wanted: str
    running: str | None


_PLACES: Selection = select(Stack.id).order_by(Stack.rank.desc(), Stack.id.desc())
_RUNNING = aliased(Version)
_LISTED: Selection = (
    select(
        Stack.id, Stack.ref, Stack.name, Stack.status, Stack.rank, Stack.status_reason, Stack.observed_at,
        Environment.slug, Team.slug, Template.slug, Version.number, _RUNNING.number,
    )
    .join(Environment, Environment.id == Stack.environment_id)
    .join(Team, Team.id == Stack.team_id)
    .join(Template, Template.id == Stack.template_id)
    .join(Version, Version.id == Stack.version_id)
    .outerjoin(_RUNNING, _RUNNING.id == Stack.running_version_id)
    .order_by(Stack.rank.desc(), Stack.id.desc())
)  # fmt: skip


class ActiveJob(NamedTuple):
    """The job that has not finished, as the row of its stack tells of it."""

    status: JobStatus
    kind: str


@dataclass(frozen=True)
class StackPage:
    """One page of a list: its rows worst first, the cursor of the next, and how many there are in all."""

    rows: Sequence[Listed]
    next: str | None
    total: int | None
    jobs: Mapping[int, ActiveJob]


def list_stacks(filters: Filters, after: str | None = None, limit: int = PAGE) -> StackPage:
    """Return one page, worst first. The cursor is `rank.id` of the last row, so a page costs the same however deep."""
    places = narrowed(_PLACES if filters.words else _LISTED, filters)
    if after and (place := _place(after)):
        places = places.where(tuple_(Stack.rank, Stack.id) < place)
    query = places.limit(limit + 1)
    if filters.words:
        # What a search finds is sorted, and only then given its names: they are looked up for a page, not for all.
        query = _LISTED.where(Stack.id.in_(list(db.session.scalars(query))))
    rows = [Listed(*row) for row in db.session.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    return StackPage(
        rows,
        f"{rows[-1].rank}.{rows[-1].id}" if more else None,
        None if filters.words else count_stacks(filters),
        _active_jobs(rows),
    )


def _place(cursor: str) -> tuple[int, int] | None:
    rank, _, last = cursor.partition(".")
    if not (rank.isdecimal() and last.isdecimal()):
        return None
    # Larger numbers than the database knows are nobody's place.
    return (int(rank), int(last)) if len(rank) < 4 and len(last) < 19 else None


def narrowed(query: Selection, filters: Filters, *, along_ids: bool = False) -> Selection:
    """Narrow a query of stacks to what the filters let through.

    `along_ids` keeps the database from collecting all matches by another index, only to sort them by id afterwards:
    where many match, the next page of them is never far along the ids. Adding 0 to a column hides its indexes.
    """
    rank = Stack.rank + 0 if along_ids else Stack.rank
    query = query.where(_has_status(statuses_of(filters), rank))
    for name, column in (
        ("team", Stack.team_id),
        ("environment", Stack.environment_id),
        ("template", Stack.template_id),
    ):
        if filters.asks_for(name):
            ids = filters.ids[name]
            # One id and a rank are a place in the index, already in order; several have to be sorted.
            searched = column + 0 if along_ids else column
            query = query.where(searched == ids[0] if len(ids) == 1 else searched.in_(ids))
    return query.where(matches(filters.words)) if filters.words else query


def _has_status(statuses: Sequence[str], rank: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Say a set of statuses as a stretch of ranks, which the index is ordered by, wherever it is one."""
    ranks = sorted(RANK[StackStatus(status)] for status in statuses if status in list(StackStatus))
    if not ranks:
        return false()
    stretch = rank.between(ranks[0], ranks[-1])
    return stretch if len(ranks) == ranks[-1] - ranks[0] + 1 else and_(stretch, Stack.status.in_(statuses))


def matches(words: str) -> ColumnElement[bool]:
    """Match stacks that hold the words in their name, or have them for an id; % and _ are letters.

    Few are found beforehand: within a larger query, the database may look through every stack. Where many match, the
    first of any list are never far.
    """
    pattern = "%" + words.strip().lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    is_named = Stack.name.like(pattern, escape="\\")
    named = list(db.session.scalars(select(Stack.id).where(is_named).limit(MOST_NAMED + 1)))
    if len(named) > MOST_NAMED:
        # No id is part of so many names.
        return is_named
    is_given = or_(Stack.ref == _as_ref(words), Stack.cloud_name == words, Stack.cloud_id == words)
    return Stack.id.in_([*named, *db.session.scalars(select(Stack.id).where(is_given))])


def _as_ref(words: str) -> str:
    """Return a public id as it is written: people type it in any case."""
    prefix, _, rest = words.strip().partition("_")
    return f"{prefix.lower()}_{rest.upper()}"


_UNFINISHED = select(Job.stack_id, Job.status, Job.kind).where(
    Job.stack_id.in_(bindparam("stack_ids", expanding=True)), Job.status.in_(UNFINISHED)
)


def _active_jobs(rows: Sequence[Listed]) -> dict[int, ActiveJob]:
    found = db.session.execute(_UNFINISHED, {"stack_ids": [row.id for row in rows]}) if rows else ()
    return {stack_id: ActiveJob(status, kind) for stack_id, status, kind in found}
