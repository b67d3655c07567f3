"""Environments, as JSON."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import api
from app.api import Document, Page, Paging
from app.environments import queries
from app.environments.models import Environment, Stage
from app.identity import policy
from app.identity.current import me

bp = api.blueprint("environments", "Places to launch into.")


class EnvironmentDocument(Document):
    """A place: stage, account, region, owning team. Without an owner it is open to every team."""

    slug: str
    name: str
    stage: Stage
    account: str
    account_name: str
    region: str
    owner: str | None
    may_launch: bool


class EnvironmentPage(Page[EnvironmentDocument]):
    """One part of the environments, by slug."""


@bp.get("/environments")
@bp.input(Paging, location="query")
@bp.output(EnvironmentPage)
def list_environments(query_data: Paging) -> EnvironmentPage:
    """List every environment."""
    query = select(Environment).options(joinedload(Environment.account), joinedload(Environment.team))
    rows, following = api.page_of(query, Environment.slug, query_data)
    return EnvironmentPage(items=[_document(row) for row in rows], next=following)


@bp.get("/environments/<slug>")
@bp.output(EnvironmentDocument)
def get_environment(slug: str) -> EnvironmentDocument:
    """Return one environment."""
    return _document(queries.get_environment(slug))


def _document(environment: Environment) -> EnvironmentDocument:
    return EnvironmentDocument(
        slug=environment.slug,
        name=environment.name,
        stage=environment.stage,
        account=environment.account.number,
        account_name=environment.account.name,
        region=environment.region,
        owner=environment.team.slug if environment.team else None,
        may_launch=bool(policy.may_launch(me, environment)),
    )
