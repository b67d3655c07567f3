"""What the JSON API walks through: stacks and jobs, newest first, however many there are."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import defer, joinedload

from app import db
from app.jobs.models import Job
from app.stacks.facets import Filters, count_stacks
from app.stacks.lists import narrowed
from app.stacks.models import Stack
from app.stacks.queries import with_names

# From so many matches on, walking along the ids is quicker than sorting the matches.
MANY = 2000


def stacks(filters: Filters) -> Select[Any]:
    """Return the query of the stacks the filters let through, for a walk along their ids.

    Answers and outputs stay where they are: in a list they would be most of the work.
    """
    return with_names(narrowed(select(Stack), filters, along_ids=_has_to_be_told(filters))).options(
        defer(Stack.answers), defer(Stack.running_answers), defer(Stack.outputs), defer(Stack.cloud_reason)
    )


def _has_to_be_told(filters: Filters) -> bool:
    """Say whether the database would choose badly by itself: only PostgreSQL knows how many rows match."""
    if filters.words or db.session.get_bind().dialect.name != "sqlite":
        return False
    return count_stacks(filters) > MANY


def jobs(*conditions: Any) -> Select[Any]:
    """Return the query of the jobs that meet the conditions, with who asked for each."""
    return select(Job).where(*conditions).options(joinedload(Job.requested_by))


def refs_of(stack_ids: Collection[int]) -> dict[int, str]:
    """Return the public ids of stacks."""
    rows = db.session.execute(select(Stack.id, Stack.ref).where(Stack.id.in_(stack_ids)))
    return {row.id: row.ref for row in rows}
