"""What the pages of environments read."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, bindparam, case, func, not_, or_, select, true
from sqlalchemy.orm import joinedload

from app import db
from app.environments.models import Environment, Stage
from app.errors import NotFound
from app.identity import policy
from app.identity.models import Person

_BY_STAGE = case({stage: position for position, stage in enumerate(Stage)}, value=Environment.stage)


# Nobody reads a longer list; a search finds the rest.
MOST_PLACES = 200


_NAMED = (
    select(Environment)
    .options(joinedload(Environment.account), joinedload(Environment.team))
    .order_by(_BY_STAGE, Environment.slug)
)
_BY_ID = _NAMED.where(Environment.id.in_(bindparam("ids", expanding=True)))
_BY_SLUG = _NAMED.where(Environment.slug == bindparam("slug"))
_COUNT = select(func.count()).select_from(Environment)


def environments_with(ids: Sequence[int]) -> list[Environment]:
    """Return environments with their account and team, in the order of the ids."""
    found = {each.id: each for each in db.session.scalars(_BY_ID, {"ids": list(ids)})}
    return [found[each] for each in ids]


def count_environments() -> int:
    return db.session.scalar(_COUNT) or 0


def launchable(person: Person, most: int = MOST_PLACES) -> list[Environment]:
    """Return the environments the person may launch in, from sandbox to production."""
    condition = _may_launch(person)
    return [] if condition is None else list(db.session.scalars(_NAMED.where(condition).limit(most)))


def closed_to(person: Person, most: int) -> list[Environment]:
    """Return some environments the person may not launch in, to say why."""
    condition = _may_launch(person)
    query = _NAMED if condition is None else _NAMED.where(not_(condition))
    return list(db.session.scalars(query.limit(most)))


def _may_launch(person: Person) -> ColumnElement[bool] | None:
    """Say `policy.may_launch` in SQL, since there may be hundreds of places; None where it is never true."""
    if policy.may_operate(person):
        return true()
    teams = [team.id for team in policy.acting_teams(person)]
    return or_(Environment.team_id.is_(None), Environment.team_id.in_(teams)) if teams else None


def get_environment(slug: str) -> Environment:
    """Return one environment with its account and team. Raises NotFound."""
    environment = db.session.scalar(_BY_SLUG, {"slug": slug})
    if environment is None:
        raise NotFound(f"There is no environment {slug}.")
    return environment
