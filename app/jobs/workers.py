"""Which workers are alive: each notes in the database, every few seconds, that it is."""

from flask import current_app
from sqlalchemy import delete, func, select, update

from app import db
from app.jobs.models import WorkerSeen


def silent_seconds() -> float:
    """Return after how long without a sign of life a worker counts as gone: two thirds of a lease.

    A worker notes that it lives every sixth of one, and ends itself after 60 % of one without getting through. So a
    worker that is silent holds nothing any more, even where its lease has not run out yet.
    """
    return current_app.extensions["config"].number("LEASE_SECONDS") * 2 / 3


def note_alive(name: str) -> None:
    """Note, and commit, that the worker lives; forget workers nobody has seen for an hour."""
    known = update(WorkerSeen).where(WorkerSeen.name == name).values(seen_at=db.now()).returning(WorkerSeen.name)
    if db.session.execute(known, execution_options={"synchronize_session": False}).first() is None:
        db.session.add(WorkerSeen(name=name, started_at=db.now(), seen_at=db.now()))
        db.session.execute(delete(WorkerSeen).where(WorkerSeen.seen_at < db.now(-3600)))
    db.session.commit()


def note_gone(name: str) -> None:
    """Note, and commit, that the worker has ended."""
    db.session.execute(delete(WorkerSeen).where(WorkerSeen.name == name))
    db.session.commit()


def workers_seen() -> int:
    """Return how many workers are not silent."""
    query = select(func.count()).select_from(WorkerSeen).where(WorkerSeen.seen_at > db.now(-silent_seconds()))
    return db.session.scalar(query) or 0
