"""Whether the portal can do its work: one word or one sentence for each thing it depends on."""

from collections.abc import Callable

from flask import current_app
from kombu.exceptions import KombuError
from sqlalchemy.exc import SQLAlchemyError

from app import db, migrations
from app.jobs.workers import SEEN_SECONDS, workers_seen
from app.logs import log

OK = "ok"


def look() -> dict[str, str]:
    """Return what is found, by name: `ok` or a sentence. `status` is `ready` if pages can be answered.

    Without a broker or a worker they can: jobs are kept and run later, so only the database decides.
    """
    database = _database()
    worker = _worker() if database == OK else "Unknown: the database does not answer."
    status = "ready" if database == OK else "not ready"
    return {"status": status, "database": database, "broker": _broker(), "worker": worker}


def _database() -> str:
    return _answer(_schema, "The database does not answer.")


def _schema() -> str:
    current = migrations.is_current(current_app.extensions["engine"])
    return OK if current else "The database has another schema than this code. Run: python -m app.cli db upgrade"


def _worker() -> str:
    seen = workers_seen()
    db.release()
    return OK if seen else f"No worker was seen in the last {SEEN_SECONDS} s; jobs wait until one is back."


def _broker() -> str:
    return _answer(_connect, "The broker does not answer; jobs start with a short delay.")


def _connect() -> str:
    with current_app.extensions["celery"].connection_for_write(connect_timeout=1) as connection:
        connection.ensure_connection(max_retries=1, timeout=1)
    return OK


def _answer(question: Callable[[], str], sentence: str) -> str:
    try:
        return question()
    except (SQLAlchemyError, KombuError, OSError) as error:
        log.warning("not_ready", question=question.__name__.strip("_"), error=type(error).__name__)
        return sentence
