"""One's own page: who Slipway thinks you are, where you are signed in, and the tokens that speak for you."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from app import audit, db
from app.errors import Invalid, NotFound
from app.identity import agents, policy, sessions, tokens
from app.identity.current import find_me
from app.identity.models import ApiToken, Person, RoleGrant, ScopeType, Session, Team, Unit

bp = Blueprint("account", __name__)

LIFETIMES = (("30", "30 days"), ("90", "90 days"), ("365", "A year"), ("", "Until revoked"))
# Enough to tell sessions apart in an address; the whole hash stays inside.
HANDLE = 16


@bp.get("/account")
def show() -> str:
    """Show the account page."""
    return _page(_me())


@bp.post("/account/tokens")
def create_token() -> Response:
    """Create a token and show it this once; it is in no redirect and in no session."""
    person, name, days = _me(), request.form.get("name", ""), request.form.get("days", "")
    try:
        token = tokens.create(person, name, _days(days))
    except Invalid as problem:
        return Response(_page(person, errors=problem.errors, typed={"name": name, "days": days}), status=422)
    db.session.commit()
    return Response(_page(person, created=(name.strip(), token)), status=201)


@bp.post("/account/tokens/<int:token_id>/revocation")
def revoke_token(token_id: int) -> BaseResponse:
    """Void one of one's own tokens."""
    person = _me()
    token = db.session.scalars(select(ApiToken).filter_by(id=token_id, person_id=person.id)).one_or_none()
    if token is None:
        raise NotFound
    tokens.revoke(token, by=person)
    db.session.commit()
    return redirect("/account", 303)


@bp.post("/account/sessions/<handle>/end")
def end_session(handle: str) -> BaseResponse:
    """End one of one's own sessions; ending the one in use is signing out of it."""
    person = _me()
    if len(handle) != HANDLE or not sessions.end_own(person, handle):
        raise NotFound
    audit.record("session:ended", "person", person.username, f"{person.name} ended a session.", by=person)
    db.session.commit()
    return redirect("/account", 303)


def _me() -> Person:
    person = find_me()
    assert person is not None, "the page is behind sign-in"
    return person


def _page(
    person: Person,
    *,
    created: tuple[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
    typed: dict[str, str] | None = None,
) -> str:
    return render_template(
        "identity/account.html",
        person=person,
        teams=person.teams,
        roles=roles_in_words(person),
        sessions=[_session(row) for row in sessions.live_sessions_of(person)],
        tokens=tokens.tokens_of(person),
        created=created,
        errors=errors or {},
        typed=typed or {"name": "", "days": "90"},
        lifetimes=LIFETIMES,
    )


def roles_in_words(person: Person) -> list[str]:
    """Say each role with its scope: "manager of everything in Commerce"."""
    names = {ScopeType.UNIT: _names(Unit, person), ScopeType.TEAM: _names(Team, person)}
    ordered = sorted(person.grants, key=policy.rank)
    return [_role_in_words(grant, names.get(grant.scope_type, {})) for grant in ordered]


def _role_in_words(grant: RoleGrant, names: dict[int, str]) -> str:
    if grant.scope_type == ScopeType.ORGANISATION:
        return f"{grant.role.value.capitalize()} for the whole organisation"
    name = names.get(grant.scope_id or 0, "a part that is gone")
    within = "everything in" if grant.scope_type == ScopeType.UNIT else "the team"
    return f"{grant.role.value.capitalize()} for {within} {name}"


def _names(model: type[Unit] | type[Team], person: Person) -> dict[int, str]:
    scope = ScopeType.UNIT if model is Unit else ScopeType.TEAM
    wanted = [grant.scope_id for grant in person.grants if grant.scope_type == scope]
    if not wanted:
        return {}
    rows = db.session.execute(select(model.id, model.name).where(model.id.in_(wanted)))
    return {row.id: row.name for row in rows}


def _session(row: Session) -> dict[str, Any]:
    own = sessions.current().row
    return {
        "handle": row.id_hash[:HANDLE],
        "agent": agents.in_words(row.agent),
        "is_this": own is not None and row.id_hash == own.id_hash,
        "created_at": row.created_at,
        "seen_at": row.seen_at,
    }


def _days(value: str) -> int | None:
    if value not in dict(LIFETIMES):
        raise Invalid("Choose one of the lifetimes offered.", field="days")
    return int(value) if value else None
