"""Which workers are alive: each notes in the database, every few seconds, that it is."""

from sqlalchemy import delete, func, select, update

from app import db
from app.jobs.models import WorkerSeen

SEEN_SECONDS = 30


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
    """Return how many workers were seen in the last half minute."""
    query = select(func.count()).select_from(WorkerSeen).where(WorkerSeen.seen_at > db.now(-SEEN_SECONDS))
    return db.session.scalar(query) or 0
