"""What the pages of environments read."""

from sqlalchemy import case, select
from sqlalchemy.orm import joinedload

from app import db
from app.environments.models import Environment, Stage
from app.errors import NotFound

_BY_STAGE = case({stage: position for position, stage in enumerate(Stage)}, value=Environment.stage)


def every_environment() -> list[Environment]:
    """Return all environments with their account and team, from sandbox to production."""
    query = select(Environment).options(joinedload(Environment.account), joinedload(Environment.team))
    return list(db.session.scalars(query.order_by(_BY_STAGE, Environment.slug)))


def get_environment(slug: str) -> Environment:
    """Return one environment with its account and team. Raises NotFound."""
    query = select(Environment).options(joinedload(Environment.account), joinedload(Environment.team))
    environment = db.session.scalars(query.where(Environment.slug == slug)).one_or_none()
    if environment is None:
        raise NotFound(f"There is no environment {slug}.")
    return environment
