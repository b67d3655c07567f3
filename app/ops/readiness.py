"""Whether the portal can do its work: one word or one sentence for each thing it depends on."""

from collections.abc import Callable
from datetime import datetime

from flask import current_app
from kombu.exceptions import KombuError
from sqlalchemy.exc import SQLAlchemyError

from app import db, migrations
from app.jobs import queue
from app.jobs.workers import silent_seconds, workers_seen
from app.logs import log
from app.words import duration

OK = "ok"


UNASKED = "Unknown: the database does not answer."


def look() -> dict[str, str]:
    """Return what is found, by name: `ok` or a sentence. `status` is `ready` if pages can be answered.

    Without a broker or a worker, and with jobs that nobody takes, they can: jobs are kept and run later. So only the
    database decides, and whether it has the schema this code was written for.
    """
    database = _answer(_ping, "The database does not answer.")
    schema = _answer(_schema, UNASKED) if database == OK else UNASKED
    is_ready = database == schema == OK
    return {
        "status": "ready" if is_ready else "not ready",
        "database": database,
        "schema": schema,
        "broker": _broker(),
        "worker": _answer(_worker, UNASKED) if is_ready else _unasked(database),
        "jobs": _answer(_jobs, UNASKED) if is_ready else _unasked(database),
    }


def _unasked(database: str) -> str:
    return "Unknown: the database has another schema." if database == OK else UNASKED


def _ping() -> str:
    db.ping()
    return OK


def _schema() -> str:
    current = migrations.is_current(current_app.extensions["engine"])
    return OK if current else "The database has another schema than this code. Run: python -m app.cli db upgrade"


def _worker() -> str:
    seen = workers_seen()
    db.release()
    return OK if seen else f"No worker was seen in the last {silent_seconds():.0f} s; jobs wait until one is back."


def _jobs() -> str:
    sentence = stuck_jobs(queue.standing().stuck, queue.now())
    db.release()
    return sentence or OK


def stuck_jobs(count: int, at: datetime) -> str:
    """Say how many jobs are due and not taken, naming the one that waits for longest; empty if there is none."""
    longest = queue.longest_stuck() if count else None
    if longest is None:
        return ""
    ref, since = longest
    have, them = ("job has", "it") if count == 1 else ("jobs have", "them")
    waited = duration((at - since).total_seconds())
    return f"{count} {have} been due for over {queue.STUCK_SECONDS} s and nobody took {them}: {ref} for {waited}."


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
