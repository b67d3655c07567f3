"""Which stacks of a place need somebody, and when anybody last looked at the cloud there."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import joinedload

from app import db
from app.environments.models import Environment
from app.stacks.lifecycle import IN_TROUBLE, RANK, StackStatus
from app.stacks.models import Stack

_LEAST_TROUBLE = min(RANK[status] for status in IN_TROUBLE)


def needing_someone(environment_id: int, most: int = 10) -> list[Stack]:
    """Return the stacks in trouble in an environment, worst first, at most so many."""
    query = (
        select(Stack)
        .where(Stack.environment_id == environment_id, Stack.rank >= _LEAST_TROUBLE)
        .order_by(Stack.rank.desc(), Stack.id.desc())
        .limit(most)
        .options(joinedload(Stack.team), joinedload(Stack.template), joinedload(Stack.version))
    )
    return list(db.session.scalars(query))


_NEWEST = (
    select(func.max(Stack.observed_at))
    .where(Stack.environment_id == Environment.id, Stack.status != StackStatus.DELETED)
    .correlate(Environment)
    .scalar_subquery()
)
_OBSERVED = select(Environment.id, _NEWEST).where(Environment.id.in_(bindparam("ids", expanding=True)))


def observed_by_environment(environment_ids: Collection[int]) -> dict[int, datetime]:
    """Return when a live stack of each environment was last seen in the cloud, by id; never is left out.

    One seek in an index for each environment: grouping would read every stack.
    """
    found = db.session.execute(_OBSERVED, {"ids": list(environment_ids)})
    return {environment_id: at for environment_id, at in found if at is not None}
