"""What a sign-in changes: who somebody is, and which teams they belong to."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from app import audit, clock, db
from app.errors import Forbidden
from app.identity.models import Membership, Person, PersonStatus, Role, RoleGrant, ScopeType, Team

# No provider's issuer: those are addresses.
OURSELVES = "slipway"
DEACTIVATED = "Your account in Slipway is deactivated. Ask the platform team if that is a mistake."


def welcome(issuer: str, claims: Mapping[str, Any], groups: Iterable[str]) -> Person:
    """Bring a person's row and teams up to what the provider says, in the current transaction.

    Raises Forbidden for somebody deactivated, having changed nothing.
    """
    person = find_person(issuer, claims["sub"]) or _add_person(issuer, claims)
    if person.status == PersonStatus.DEACTIVATED:
        raise Forbidden(DEACTIVATED)
    for column, value in _described(claims).items():
        setattr(person, column, value)
    person.status = PersonStatus.ACTIVE
    person.last_seen_at = clock.now()
    db.session.flush()
    follow_groups(person, groups)
    audit.record("person:signed_in", "person", person.username, f"{person.name} signed in.", by=person)
    return person


def find_person(issuer: str, subject: str) -> Person | None:
    """Return the person the provider calls by this subject; names and mail addresses never identify anybody."""
    return db.session.scalars(select(Person).filter_by(issuer=issuer, subject=subject)).one_or_none()


def find_by_username(username: str) -> list[Person]:
    """Return everybody of this username: two providers may use it for two people."""
    return list(db.session.scalars(select(Person).filter_by(username=username).order_by(Person.id)))


def slipway() -> Person:
    """Return the person that stands for Slipway itself where a row has to name one. It can never sign in."""
    found = find_person(OURSELVES, OURSELVES)
    if found is None:
        found = Person(username="slipway", name="Slipway", issuer=OURSELVES, subject=OURSELVES, created_at=db.now())
        found.status = PersonStatus.DEACTIVATED
        db.session.add(found)
        db.session.flush()
    return found


def follow_groups(person: Person, groups: Iterable[str]) -> None:
    """Open and close memberships so that they match the provider's groups; those made by hand are left alone.

    Who joins a team this way is a developer in it, until the group says otherwise.
    """
    wanted = {team.id: team for team in db.session.scalars(select(Team).where(Team.idp_group.in_(set(groups))))}
    query = select(Membership).where(Membership.person_id == person.id, Membership.ended_at.is_(None))
    there = {membership.team_id: membership for membership in db.session.scalars(query)}
    for team_id, membership in there.items():
        if team_id not in wanted and membership.source == "idp":
            _close(person, membership)
    for team_id, team in wanted.items():
        if team_id not in there:
            _open(person, team)
    db.session.flush()
    db.session.expire(person, ["memberships", "open_memberships", "grants"])


def _add_person(issuer: str, claims: Mapping[str, Any]) -> Person:
    person = Person(
        issuer=issuer,
        subject=claims["sub"],
        status=PersonStatus.INVITED,
        created_at=clock.now(),
        **_described(claims),
    )
    try:
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError:
        # Signed in twice at once: the other request has just added the row.
        return db.session.scalars(select(Person).filter_by(issuer=issuer, subject=claims["sub"])).one()
    return person


def _described(claims: Mapping[str, Any]) -> dict[str, str]:
    username = _text(claims, "preferred_username") or _text(claims, "email") or _text(claims, "sub")
    return {
        "username": username[:200],
        "name": (_text(claims, "name") or username)[:200],
        "email": _text(claims, "email")[:320],
    }


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def _open(person: Person, team: Team) -> None:
    now = clock.now()
    db.session.add(Membership(team_id=team.id, person_id=person.id, source="idp", started_at=now))
    if not any(_is_developer_of(grant, team.id) for grant in person.grants):
        grant = {"role": Role.DEVELOPER, "scope_type": ScopeType.TEAM, "scope_id": team.id}
        db.session.add(RoleGrant(person_id=person.id, created_at=now, **grant))
    summary = f"{person.name} joined {team.slug} as a developer, as the group {team.idp_group} says."
    audit.record("membership:opened", "team", team.slug, summary, by=person)


def _close(person: Person, membership: Membership) -> None:
    membership.ended_at = clock.now()
    db.session.execute(
        delete(RoleGrant).where(
            RoleGrant.person_id == person.id,
            RoleGrant.role == Role.DEVELOPER,
            RoleGrant.scope_type == ScopeType.TEAM,
            RoleGrant.scope_id == membership.team_id,
        )
    )
    slug = membership.team.slug
    summary = f"{person.name} left {slug}: the provider no longer names the group."
    audit.record("membership:closed", "team", slug, summary, by=person)


def _is_developer_of(grant: RoleGrant, team_id: int) -> bool:
    return (grant.role, grant.scope_type, grant.scope_id) == (Role.DEVELOPER, ScopeType.TEAM, team_id)
