"""Who may do what: each decision says yes or no, the rule behind it, and who can change it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import g, has_request_context
from sqlalchemy import select

from app import db
from app.errors import Forbidden
from app.identity.models import Person, Role, RoleGrant, ScopeType, Team, Unit

PLATFORM = "the platform team"


@dataclass(frozen=True)
class Decision:
    """A yes or a no with its reason; reads as a truth value."""

    allowed: bool
    rule: str
    who: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def require(decision: Decision) -> None:
    """Raise Forbidden with the decision's own words when it is a no."""
    if not decision:
        raise Forbidden(decision.rule, decision.who)


def may_operate(person: Person) -> Decision:
    """May the person run the platform: curators and admins of the whole organisation."""
    operates = _holds(person, (Role.CURATOR, Role.ADMIN))
    return Decision(operates, "Curators and admins run the platform.", "" if operates else _granters())


def may_launch(person: Person, environment: Any) -> Decision:
    """May the person launch something in this environment, for at least one team."""
    if may_operate(person):
        return Decision(True, "The platform team may launch everywhere.")
    acting = acting_teams(person)
    if environment.team_id is None and acting:
        return Decision(True, f"{environment.slug} is open to every team.")
    if environment.team_id in {team.id for team in acting}:
        return Decision(True, f"{environment.slug} belongs to {environment.team.slug}, and so do you.")
    return _no_launch(person, environment, acting)


def may_change(person: Person, stack: Any) -> Decision:
    """May the person update, upgrade or extend this stack: developers of its team, and the platform team."""
    return _act_on(person, stack, "change")


def may_delete(person: Person, stack: Any) -> Decision:
    """May the person delete this stack: whoever may change it."""
    return _act_on(person, stack, "delete")


def may_read_details(person: Person, stack: Any) -> Decision:
    """May the person read answers, outputs, events, plans and logs, and not only that the stack exists.

    The owning team, the platform team, auditors, and managers of the team's unit or of a unit above it.
    """
    if _may_read_of(person, stack.team):
        return Decision(True, f"You may read what {stack.team.slug} owns.")
    return Decision(False, f"Details of {stack.name} are for {stack.team.slug}, which owns it.", _ask(stack.team))


def acting_teams(person: Person) -> list[Team]:
    """Return the teams the person may launch and change things for: members who are developers there."""
    return [team for team in person.teams if _holds(person, (Role.DEVELOPER,), team)]


def teams_to_launch_for(person: Person, environment: Any = None) -> list[Team]:
    """Return the teams the person may launch for, here if an environment is given; the platform team may for any."""
    if may_operate(person):
        return list(db.session.scalars(select(Team).order_by(Team.slug)))
    teams = sorted(acting_teams(person), key=lambda team: team.slug)
    owner = environment.team_id if environment is not None else None
    return teams if owner is None else [team for team in teams if team.id == owner]


def visible_teams(person: Person) -> list[Team]:
    """Return the teams whose details the person may read."""
    teams = db.session.scalars(select(Team).order_by(Team.slug))
    return [team for team in teams if _may_read_of(person, team)]


def role_line(person: Person) -> str:
    """Say in a few words who somebody is: "developer, payments"."""
    teams = ", ".join(team.slug for team in person.teams)
    roles = list(dict.fromkeys(grant.role.value for grant in sorted(person.grants, key=rank)))
    if not roles:
        return teams or "no team yet"
    return f"{roles[0]}, {teams}" if teams else roles[0]


def rank(grant: RoleGrant) -> int:
    """Order grants, the one that says most about a person first."""
    return [Role.ADMIN, Role.CURATOR, Role.AUDITOR, Role.MANAGER, Role.DEVELOPER].index(grant.role)


def _act_on(person: Person, stack: Any, verb: str) -> Decision:
    if may_operate(person):
        return Decision(True, f"The platform team may {verb} every stack.")
    if stack.team_id in {team.id for team in acting_teams(person)}:
        return Decision(True, f"{stack.name} belongs to {stack.team.slug}, and so do you.")
    rule = f"{_actor(person)} may not {verb} {stack.name}; it belongs to {stack.team.slug}."
    return Decision(False, rule, _ask(stack.team))


def _no_launch(person: Person, environment: Any, acting: list[Team]) -> Decision:
    if not acting:
        rule = f"{_actor(person)} may not launch in {environment.slug}: only developers of a team launch."
        return Decision(False, rule, _granters())
    rule = f"{_actor(person)} may not launch in {environment.slug}; it belongs to {environment.team.slug}."
    return Decision(False, rule, _ask(environment.team))


def _actor(person: Person) -> str:
    """Name the teams somebody acts for, or the person, when there is none."""
    slugs = sorted(team.slug for team in acting_teams(person))
    return " and ".join(slugs) if slugs else person.name


def _ask(team: Team) -> str:
    return f"Ask {team.chat or team.name}, or {PLATFORM}."


def _granters() -> str:
    return f"Ask {PLATFORM}: admins give roles."


def _may_read_of(person: Person, team: Team) -> bool:
    if team.id in {own.id for own in person.teams}:
        return True
    return bool(may_operate(person)) or _holds(person, (Role.MANAGER, Role.AUDITOR, Role.CURATOR, Role.ADMIN), team)


def _holds(person: Person, roles: Iterable[Role], team: Team | None = None) -> bool:
    """Say whether the person holds one of the roles in a scope that covers the team, or everything if none is given."""
    return any(grant.role in roles and _covers(grant, team) for grant in person.grants)


def _covers(grant: RoleGrant, team: Team | None) -> bool:
    if grant.scope_type == ScopeType.ORGANISATION:
        return True
    if team is None:
        return False
    if grant.scope_type == ScopeType.TEAM:
        return grant.scope_id == team.id
    return grant.scope_id in _units_above(team.unit_id)


def _units_above(unit_id: int | None) -> set[int]:
    """Return the unit and those above it. A ring, which the tree should never hold, ends the walk."""
    parents = _parents()
    above: set[int] = set()
    while unit_id is not None and unit_id not in above:
        above.add(unit_id)
        unit_id = parents.get(unit_id)
    return above


def _parents() -> dict[int, int | None]:
    # Units are few and asked for once per team; within a request the tree is read once.
    if not has_request_context():
        return _read_parents()
    if "unit_parents" not in g:
        g.unit_parents = _read_parents()
    return g.unit_parents


def _read_parents() -> dict[int, int | None]:
    return {unit.id: unit.parent_id for unit in db.session.execute(select(Unit.id, Unit.parent_id))}
