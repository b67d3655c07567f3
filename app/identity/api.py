"""Who the token speaks for, as JSON."""

from pydantic import Field
from sqlalchemy import select

from app import api, db
from app.api import Document
from app.identity.current import me
from app.identity.models import Person, RoleGrant, ScopeType, Team, Unit

bp = api.blueprint("people", "Who the token speaks for.")


class RoleDocument(Document):
    """A role, and where it is held."""

    role: str
    scope: str = Field(examples=["team:payments"], description="`organisation`, `unit:<slug>` or `team:<slug>`.")


class MeDocument(Document):
    """The person the token speaks for."""

    username: str
    name: str
    email: str
    teams: list[str]
    roles: list[RoleDocument]


@bp.get("/me")
@bp.output(MeDocument)
def get_me() -> MeDocument:
    """Tell who the token speaks for, with teams and roles."""
    return MeDocument(
        username=me.username,
        name=me.name,
        email=me.email,
        teams=sorted(team.slug for team in me.teams),
        roles=_roles(me),
    )


def _roles(person: Person) -> list[RoleDocument]:
    slugs = _slugs(person)
    return [
        RoleDocument(role=grant.role, scope=":".join([grant.scope_type, *slugs.get(_scope(grant), [])]))
        for grant in sorted(person.grants, key=lambda grant: grant.id)
    ]


def _scope(grant: RoleGrant) -> tuple[str, int | None]:
    return grant.scope_type, grant.scope_id


def _slugs(person: Person) -> dict[tuple[str, int | None], list[str]]:
    """Return the slugs of the units and teams the person's roles are held in."""
    found: dict[tuple[str, int | None], list[str]] = {}
    for kind, model in ((ScopeType.UNIT, Unit), (ScopeType.TEAM, Team)):
        wanted = [grant.scope_id for grant in person.grants if grant.scope_type == kind]
        for row in db.session.execute(select(model.id, model.slug).where(model.id.in_(wanted))):
            found[kind, row.id] = [row.slug]
    return found
