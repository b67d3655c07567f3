"""What the database itself saw: triggers write every change of jobs and stacks down, whoever makes it.

`install` puts them in place before a run and `remove` takes them away. The portal knows nothing of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, String, Table, func, insert, select, text

from app.audit import AuditEntry
from app.db import BigId, Moment
from tests.chaos.evidence import JobChange, StackChange

TABLES = MetaData()
JOB_LOG = Table(
    "chaos_job_log",
    TABLES,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("job_id", BigId, nullable=False),
    Column("old_status", String(32)),
    Column("new_status", String(32), nullable=False),
    Column("old_fence", Integer),
    Column("new_fence", Integer, nullable=False),
    Column("old_owner", String(200)),
    Column("lease_owner", String(200)),
    Column("old_lease_until", Moment),
    Column("writer", String(100), nullable=False),
)
STACK_LOG = Table(
    "chaos_stack_log",
    TABLES,
    Column("id", BigId, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("stack_id", BigId, nullable=False),
    Column("old_status", String(32)),
    Column("new_status", String(32), nullable=False),
)
# Where the audit stood when the watch began: what came before is not held against anybody.
BEGINNING = Table("chaos_beginning", TABLES, Column("audit_id", BigId, primary_key=True, autoincrement=False))

_JOB_COLUMNS = (
    "at, job_id, old_status, new_status, old_fence, new_fence, old_owner, lease_owner, old_lease_until, writer"
)
_JOB_FIRST = "{now}, NEW.id, NULL, NEW.status, NULL, NEW.fence, NULL, NEW.lease_owner, NULL, {writer}"
_JOB_NEXT = (
    "{now}, NEW.id, OLD.status, NEW.status, OLD.fence, NEW.fence,"
    " OLD.lease_owner, NEW.lease_owner, OLD.lease_until, {writer}"
)
_STACK_COLUMNS = "at, stack_id, old_status, new_status"
_STACK_FIRST = "{now}, NEW.id, NULL, NEW.status"
_STACK_NEXT = "{now}, NEW.id, OLD.status, NEW.status"

_WATCHED = {
    "job": (JOB_LOG.name, _JOB_COLUMNS, {"INSERT": _JOB_FIRST, "UPDATE": _JOB_NEXT}),
    "stack": (STACK_LOG.name, _STACK_COLUMNS, {"INSERT": _STACK_FIRST, "UPDATE": _STACK_NEXT}),
}
# A process id alone may be given to another connection later; with its start it is one connection's for ever.
_WORDS = {
    "sqlite": {"now": "strftime('%Y-%m-%d %H:%M:%f', 'now') || '000'", "writer": "''"},
    "postgresql": {
        "now": "clock_timestamp()",
        "writer": "(SELECT pid || '@' || extract(epoch FROM backend_start)"
        " FROM pg_stat_get_activity(pg_backend_pid()))",
    },
}


def install(engine: Engine) -> None:
    """Begin to watch a migrated database."""
    with engine.begin() as connection:
        TABLES.create_all(connection)
        newest = select(func.coalesce(func.max(AuditEntry.id), 0))
        connection.execute(insert(BEGINNING).from_select(["audit_id"], newest))
        for name, table, when, values in _triggers():
            _create(connection, name, table, when, values)


def remove(engine: Engine) -> None:
    """Take everything of the watch away."""
    with engine.begin() as connection:
        for name, *_ in _triggers():
            if engine.dialect.name == "postgresql":
                connection.execute(text(f"DROP FUNCTION IF EXISTS {name}() CASCADE"))
            else:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        TABLES.drop_all(connection)


@contextmanager
def watching(engine: Engine) -> Iterator[None]:
    """Watch for as long as this is entered."""
    install(engine)
    try:
        yield
    finally:
        remove(engine)


def job_log(connection: Connection) -> list[JobChange]:
    """Return every write to a job, in order."""
    return [JobChange(**row) for row in connection.execute(select(JOB_LOG).order_by(JOB_LOG.c.id)).mappings()]


def stack_log(connection: Connection) -> list[StackChange]:
    """Return every write to a stack, in order; most of them leave the status as it was."""
    return [StackChange(**row) for row in connection.execute(select(STACK_LOG).order_by(STACK_LOG.c.id)).mappings()]


def _triggers() -> Iterator[tuple[str, str, str, str]]:
    """Yield name, table, event and the statement of each trigger."""
    for table, (log, columns, by_event) in _WATCHED.items():
        for when, values in by_event.items():
            statement = f"INSERT INTO {log} ({columns}) VALUES ({values});"
            yield f"chaos_{table}_{when.lower()}", table, when, statement


def _create(connection: Connection, name: str, table: str, when: str, statement: str) -> None:
    dialect = connection.dialect.name
    statement = statement.format(**_WORDS[dialect])
    if dialect == "sqlite":
        # exec_driver_sql: a colon in a time's format is not a parameter.
        connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {when} ON {table} BEGIN {statement} END")
        return
    connection.exec_driver_sql(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement} RETURN NEW; END $$"
    )
    connection.exec_driver_sql(f"CREATE TRIGGER {name} AFTER {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
