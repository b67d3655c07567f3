"""The database: engine, sessions bound to the application context, house column types, the database's own clock."""

import json
import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, cast

from flask import Flask, current_app, g, has_request_context, request
from sqlalchemy import (
    BigInteger,
    DateTime,
    Enum,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    create_engine,
    event,
    literal,
    text,
)
from sqlalchemy.engine import Connection, CursorResult, Engine, Result
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session, mapped_column
from sqlalchemy.sql.functions import FunctionElement
from werkzeug.local import LocalProxy

from app.config import Config
from app.failpoints import reached

# Crockford's alphabet without the letters people mistake for digits.
REF_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

BigId = BigInteger().with_variant(Integer, "sqlite")


class Moment(TypeDecorator):
    """A moment in UTC. SQLite keeps it naive, so it is made aware on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment needs a time zone.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class now(FunctionElement):  # noqa: N801 - reads as the SQL function it renders
    """The database's clock, also within a long transaction; `now(seconds)` lies that far in the future."""

    type = Moment()
    inherit_cache = True
    name = "slipway_now"

    def __init__(self, seconds: float = 0):
        super().__init__(literal(float(seconds)))


@compiles(now, "postgresql")
def _now_on_postgresql(element: now, compiler: Any, **kw: Any) -> str:
    return f"(clock_timestamp() + make_interval(secs => {compiler.process(element.clauses, **kw)}))"


@compiles(now, "sqlite")
def _now_on_sqlite(element: now, compiler: Any, **kw: Any) -> str:
    # The same text SQLAlchemy stores for a DateTime, so that comparing strings compares moments.
    seconds = compiler.process(element.clauses, **kw)
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', {seconds} || ' seconds') || '000')"


def text_enum(values: type[StrEnum], name: str) -> Enum:
    """A string enum stored by value with a CHECK named after its promise."""
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda enum: [member.value for member in enum],
    )


identifier = Annotated[int, mapped_column(BigId, primary_key=True, autoincrement=True)]
reference = Annotated[str, mapped_column(String(20), unique=True)]
line = Annotated[str, mapped_column(String(500))]
prose = Annotated[str, mapped_column(Text)]


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Moment, int: BigId}


def new_ref(prefix: str) -> str:
    """Return a short random public id such as `stk_7Q2F8K3M`: 40 random bits, unique by constraint."""
    return prefix + "_" + "".join(secrets.choice(REF_ALPHABET) for _ in range(8))


# A connection that was used this long ago may have been closed by the other end.
IDLE_SECONDS = 5.0
IDLE_TRANSACTION_SECONDS = 20
# Statements each PostgreSQL connection keeps planned: there are a few hundred in all.
MOST_PREPARED = 500

# SQLite upgrades a reading transaction to a writing one only if nobody wrote meanwhile; otherwise it fails at once,
# whatever the busy timeout. So whoever will write takes the write lock at BEGIN.
_writes: ContextVar[bool] = ContextVar("writes", default=True)


def connect(url: str, pool: int = 10) -> Engine:
    """Return an engine for SQLite or PostgreSQL with the settings Slipway relies on."""
    url = url.replace("postgresql://", "postgresql+psycopg://", 1) if url.startswith("postgresql://") else url
    options: dict[str, Any] = {
        "json_serializer": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    }
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 15, "isolation_level": None}, pool_size=pool, **options)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, pool_size=pool, max_overflow=pool, **options)
        event.listen(engine, "connect", _prepare_postgresql)
        event.listen(engine, "checkin", _note_use)
        event.listen(engine, "checkout", partial(_ping_if_idle, engine))
    return engine


def _prepare_postgresql(connection: Any, record: Any) -> None:
    # A statement is planned at its second use and then kept: psycopg itself waits for the fifth, and keeps a hundred.
    connection.prepare_threshold, connection.prepared_max = 1, MOST_PREPARED
    # A row with the names of all it points to joins eight tables by their keys, best in the order written. To look
    # through all orders takes the planner longer than the answer takes; beyond four tables it keeps to what it reads.
    connection.autocommit = True
    connection.execute("SET join_collapse_limit = 4")
    # No transaction is open while anything else is waited for, so one that lies idle belongs to a process that hangs:
    # what it has locked becomes free before its leases run out.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_TRANSACTION_SECONDS}s'")
    connection.autocommit = False


def _note_use(connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_if_idle(engine: Engine, connection: Any, record: Any, proxy: Any) -> None:
    """Ask a connection that lay idle whether it is still there; asking before every use would cost each page a trip.

    Raises DisconnectionError, upon which the pool opens another.
    """
    if time.monotonic() - record.info.get("used_at", math.inf) < IDLE_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=15000",
        "cache_size=-32000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if will_write() else "BEGIN")


def will_write() -> bool:
    if has_request_context():
        return bool(g.get("writes", _writes_by_method()))
    return _writes.get()


def _writes_by_method() -> bool:
    return not has_request_context() or request.method not in ("GET", "HEAD", "OPTIONS")


class HouseSession(Session):
    """A session that opens a transaction only for those who write.

    On PostgreSQL a page that only reads sees each statement as of its own moment in either case (READ COMMITTED), so
    it does without the trips of BEGIN and ROLLBACK. SQLite has no trips, and a page sees it all as of one moment.
    """

    def get_bind(self, *args: Any, **kw: Any) -> Engine:
        return current_app.extensions["engine" if will_write() else "reading_engine"]


@event.listens_for(HouseSession, "before_flush")
def _refuse_to_flush(session: Session, context: Any, instances: Any) -> None:
    if not will_write():
        raise RuntimeError("A request that only reads was about to write: it has to say so, see db.writing().")


@event.listens_for(HouseSession, "do_orm_execute")
def _refuse_to_execute(state: ORMExecuteState) -> None:
    if (state.is_insert or state.is_update or state.is_delete) and not will_write():
        raise RuntimeError("A request that only reads was about to write: it has to say so, see db.writing().")


@event.listens_for(HouseSession, "before_commit")
def _say_before_commit(session: Session) -> None:
    if has_request_context() and not session.in_nested_transaction():
        reached("request/commit/before")


# First among those told of a commit: whatever follows it, such as a wake-up, has not happened yet.
@event.listens_for(HouseSession, "after_commit", insert=True)
def _say_after_commit(session: Session) -> None:
    if has_request_context() and not session.in_nested_transaction():
        reached("request/commit/after")


def init_app(app: Flask, config: Config) -> None:
    """Give the application its engine and end each context's session with the context."""
    app.extensions["engine"] = engine = connect(config.database_url, int(config.number("DATABASE_POOL")))
    is_sqlite = engine.dialect.name == "sqlite"
    app.extensions["reading_engine"] = engine if is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
    app.teardown_appcontext(_close_session)


def _current_session() -> Session:
    if "db_session" not in g:
        g.db_session = HouseSession(expire_on_commit=False)
    return g.db_session


def _close_session(error: BaseException | None = None) -> None:
    session = g.pop("db_session", None)
    if session is not None:
        session.close()


session: Session = LocalProxy(_current_session)  # type: ignore[assignment]  # a proxy stands for the session


def release() -> None:
    """End the transaction without writing, so that no lock is held during a call to the outside.

    What was read stays readable as it was: a rollback alone would forget it, and the next look at a row, in the middle
    of the call, would begin a transaction again. What was changed is forgotten.
    """
    changed = list(session.dirty)
    kept = [row for row in session.identity_map.values() if row not in changed]
    for row in kept:
        session.expunge(row)
    session.rollback()
    session.add_all(kept)


def writing() -> None:
    """Say that this request writes, though its method only reads; whatever was read so far is released."""
    session.rollback()
    g.writes = True


@contextmanager
def aside() -> Iterator[Connection]:
    """Open a short writing transaction beside the request's own, for what must last whether or not the view commits.

    The request's transaction ends first: two of one request must never wait for each other.
    """
    session.rollback()
    before, g.writes = g.get("writes"), True
    try:
        with current_app.extensions["engine"].begin() as connection:
            yield connection
    finally:
        g.writes = before if before is not None else _writes_by_method()


def reading() -> None:
    """Say that this request only reads, though its method could write."""
    g.writes = False


def count_changed(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE touched."""
    return cast(CursorResult[Any], result).rowcount


def ping() -> None:
    """Raise if the database does not answer."""
    session.execute(text("SELECT 1"))
