"""Bearer tokens: shown once, kept as a hash, told apart by their first letters."""

import hashlib
import secrets
from datetime import timedelta

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload, selectinload

from app import audit, clock, db
from app.errors import Invalid
from app.identity.models import ApiToken, Membership, Person, PersonStatus

PREFIX = "slw_"
SHOWN = len(PREFIX) + 6
USED_EVERY = timedelta(minutes=1)


def create(person: Person, name: str, days: int | None = None) -> str:
    """Add a token of this person to the current transaction and return it: it cannot be read again.

    Raises Invalid when the name is empty or too long, or the days are not between 1 and 3,650.
    """
    name = name.strip()
    if not 0 < len(name) <= 100:
        raise Invalid("A token needs a name of 1 to 100 characters, so that you know it again.", field="name")
    if days is not None and not 1 <= days <= 3650:
        raise Invalid("A token lasts between 1 and 3,650 days.", field="days")
    token = PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    db.session.add(
        ApiToken(
            person_id=person.id,
            name=name,
            prefix=token[:SHOWN],
            hash=_hash(token),
            created_at=now,
            expires_at=now + timedelta(days=days) if days else None,
        )
    )
    audit.record("token:created", "person", person.username, f"{person.name} created the token {name}.", by=person)
    db.session.flush()
    return token


def revoke(token: ApiToken, *, by: Person) -> None:
    """Void a token in the current transaction. May be repeated."""
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        summary = f"{by.name} revoked the token {token.name}."
        audit.record("token:revoked", "person", token.person.username, summary, by=by)


def tokens_of(person: Person) -> list[ApiToken]:
    """Return the person's tokens that can still be used, newest first."""
    query = select(ApiToken).where(ApiToken.person_id == person.id, _usable()).order_by(ApiToken.id.desc())
    return list(db.session.scalars(query))


def find_person(header: str | None) -> Person | None:
    """Return whom an `Authorization: Bearer …` header speaks for, with teams and roles, or None."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not value.strip().startswith(PREFIX):
        return None
    token = _find(value.strip())
    if token is not None and _note_used(token):
        # Noting it ended the transaction, and with it what was read. Once a minute, so reading again is cheap.
        token = _find(value.strip())
    return token.person if token else None


def _find(value: str) -> ApiToken | None:
    return db.session.scalars(_query(value)).unique().one_or_none()


def _query(value: str):
    person = joinedload(ApiToken.person, innerjoin=True).options(
        joinedload(Person.open_memberships).joinedload(Membership.team), selectinload(Person.grants)
    )
    return (
        select(ApiToken)
        .join(ApiToken.person.of_type(Person))
        .where(ApiToken.hash == _hash(value), _usable(), Person.status != PersonStatus.DEACTIVATED)
        .options(person)
    )


def _usable():
    return ApiToken.revoked_at.is_(None) & or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > clock.now())


def _note_used(token: ApiToken) -> bool:
    now, token_id = clock.now(), token.id
    if token.last_used_at is not None and now - token.last_used_at < USED_EVERY:
        return False
    try:
        with db.aside() as connection:
            connection.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now))
    except OperationalError as error:
        structlog.get_logger("slipway").warning("token_use_not_noted", error=type(error.orig).__name__)
    return True


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
