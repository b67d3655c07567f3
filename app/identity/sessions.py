"""Browser sessions kept on the server: the cookie holds a random token, the row only its hash."""

import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from flask import Flask, Request, Response, current_app, has_request_context, request
from flask import session as flask_session
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import CursorResult, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import contains_eager, joinedload
from werkzeug.utils import cached_property

from app import clock, db, seal
from app.config import Config
from app.identity.models import Membership, Person, PersonStatus, Session

SEEN_EVERY = timedelta(minutes=1)
# A row nobody can use any more is kept a week, so that "my sessions" can be asked about, then forgotten.
KEPT = timedelta(days=7)


def init_app(app: Flask) -> None:
    """Let Flask's `session` live in the database."""
    app.session_interface = DatabaseSessions()


class BrowserSession(SessionMixin):
    """What the server remembers for one browser.

    Nothing is read before somebody asks and nothing is written before somebody stores, so that health checks and
    passing robots cost no query and leave no row.
    """

    def __init__(self, token: str | None):
        self.token = token
        self.modified = False
        self.is_new = False
        self.is_over = False
        self.is_lost = False
        self.seen_at: datetime | None = None

    # Werkzeug's own: until Python 3.12 that of functools holds one lock for all sessions while any of them is read.
    @cached_property
    def row(self) -> Session | None:
        if self.is_lost or not self.token:
            return None
        # Until it is read. The page that says the database is away asks again, for its forms: it must not fail too.
        self.is_lost = True
        row = find_live(self.token)
        self.is_lost = False
        # Kept apart: ending the transaction empties the row, and the end of a request must not read it again.
        self.seen_at = row.seen_at if row else None
        return row

    @cached_property
    def _values(self) -> dict[str, Any]:
        return dict(self.row.data) if self.row else {}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def replace(self, token: str) -> None:
        """Go on under a new token: nothing an earlier holder of this browser knew is worth anything now."""
        for read in ("row", "_values"):
            self.__dict__.pop(read, None)
        self.token, self.is_new, self.is_over, self.modified = token, True, False, False

    def forget(self) -> None:
        """Have the browser drop its cookie; what is stored from here on belongs to nobody."""
        self.__dict__["row"], self.__dict__["_values"] = None, {}
        self.token, self.is_over, self.modified = None, True, False


class DatabaseSessions(SessionInterface):
    """Flask's way in and out: reads the cookie, and at the end of a request writes what changed."""

    def open_session(self, app: Flask, request: Request) -> BrowserSession:
        return BrowserSession(request.cookies.get(cookie_name(app.extensions["config"])))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, BrowserSession)
        config = app.extensions["config"]
        if session.is_lost:
            return
        if session.modified:
            _store(session)
        elif session.token and session.seen_at:
            _note_seen(session.token, session.seen_at)
        if session.is_over:
            response.delete_cookie(cookie_name(config), **_cookie_options(config))
        elif session.is_new:
            response.set_cookie(cookie_name(config), session.token or "", **_cookie_options(config))


def current() -> BrowserSession:
    """Return Flask's `session` as what it is here."""
    return cast(BrowserSession, flask_session)


def cookie_name(config: Config) -> str:
    """Return the cookie's name; a browser accepts `__Host-` only from https, for this host and without a domain."""
    return "__Host-slipway" if config.is_https else "slipway"


def _cookie_options(config: Config) -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "Lax", "secure": config.is_https}


def begin(
    person: Person, *, provider_sid: str | None = None, id_token: str | None = None, instead_of: str | None = None
) -> str:
    """Add a session of this person to the current transaction and return its token.

    The session of the token `instead_of` ends with it; rows long useless are forgotten.
    """
    token = secrets.token_urlsafe(32)
    now = clock.now()
    db.session.execute(delete(Session).where(Session.seen_at < now - _absolute() - KEPT))
    end(instead_of)
    db.session.add(
        Session(
            id_hash=hash_token(token),
            person_id=person.id,
            issuer=person.issuer,
            provider_sid=provider_sid,
            # Every page prints a form token; its secret is here from the start, so that no page has to write it.
            data={"csrf_token": secrets.token_hex(20)},
            agent=_agent(),
            id_token=seal.seal(id_token) if id_token else None,
            created_at=now,
            seen_at=now,
        )
    )
    db.session.flush()
    return token


def _agent() -> str:
    return request.headers.get("User-Agent", "")[:300] if has_request_context() else ""


def end(token: str | None) -> None:
    """End the session of a token, if there is one, in the current transaction. May be repeated."""
    if token:
        _end(Session.id_hash == hash_token(token))


def end_own(person: Person, handle: str) -> bool:
    """End the person's session of this handle in the current transaction; say whether there was one."""
    return _end(Session.person_id == person.id, Session.id_hash.startswith(handle, autoescape=True)) > 0


def _end(*conditions: Any) -> int:
    query = update(Session).where(Session.ended_at.is_(None), *conditions)
    result = db.session.execute(query.values(ended_at=clock.now(), id_token=None))
    return cast(CursorResult[Any], result).rowcount


def hash_token(token: str) -> str:
    """Return what is stored of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def live(idle_since: Any, begun_since: Any) -> Any:
    """Return the condition of a session that still counts: not ended, within the idle and the absolute limit."""
    return and_(Session.ended_at.is_(None), Session.seen_at > idle_since, Session.created_at > begun_since)


# Every page begins with it, so it is written once and not once a page.
_FIND_LIVE = (
    select(Session)
    .outerjoin(Session.person)
    .outerjoin(Person.open_memberships)
    .outerjoin(Person.grants)
    .where(Session.id_hash == bindparam("id_hash"), live(bindparam("idle_since"), bindparam("begun_since")))
    .where(or_(Session.person_id.is_(None), Person.status == PersonStatus.ACTIVE))
    .options(
        contains_eager(Session.person).options(
            contains_eager(Person.open_memberships).options(joinedload(Membership.team)),
            contains_eager(Person.grants),
        )
    )
    .execution_options(populate_existing=True)
)


def find_live(token: str) -> Session | None:
    """Return the live session of a token with its person, teams and roles, in one query; None when it counts no more.

    A session of somebody deactivated counts no more either.
    """
    now = clock.now()
    limits = {"idle_since": now - _idle(), "begun_since": now - _absolute()}
    return db.session.scalars(_FIND_LIVE, {"id_hash": hash_token(token), **limits}).unique().one_or_none()


def live_sessions_of(person: Person) -> list[Session]:
    """Return the person's live sessions, the one used last first."""
    now = clock.now()
    query = select(Session).where(Session.person_id == person.id, live(now - _idle(), now - _absolute()))
    return list(db.session.scalars(query.order_by(Session.seen_at.desc())))


def _store(session: BrowserSession) -> None:
    now = clock.now()
    values: dict[str, Any] = {"data": dict(session._values), "seen_at": now}
    if session.token and (session.is_new or session.row is not None):
        query: Any = update(Session).where(Session.id_hash == hash_token(session.token), Session.ended_at.is_(None))
    else:
        # Never under the token that came: whoever planted it would share the session.
        session.token, session.is_new, session.is_over = secrets.token_urlsafe(32), True, False
        values |= {"id_hash": hash_token(session.token), "created_at": now, "issuer": "", "agent": ""}
        query = insert(Session)
    with db.aside() as connection:
        connection.execute(query.values(**values))


def _note_seen(token: str, seen_at: datetime) -> None:
    now = clock.now()
    if now - seen_at < SEEN_EVERY:
        return
    try:
        with db.aside() as connection:
            connection.execute(update(Session).where(Session.id_hash == hash_token(token)).values(seen_at=now))
    except OperationalError as error:
        # The answer is ready; a busy database must not turn it into an error. The next request notes it.
        structlog.get_logger("slipway").warning("session_not_noted", error=type(error.orig).__name__)


def _idle() -> timedelta:
    return timedelta(minutes=current_app.extensions["config"].number("SESSION_IDLE_MINUTES"))


def _absolute() -> timedelta:
    return timedelta(hours=current_app.extensions["config"].number("SESSION_HOURS"))
