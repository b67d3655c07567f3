"""Chores of which one worker at a time has each, by the same lease and fence as a job's."""

from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app import db
from app.failpoints import reached
from app.jobs.models import EPOCH, Duty


@dataclass(frozen=True)
class Held:
    """A duty this worker has now; whoever took it over since has a higher fence."""

    name: str
    fence: int


def take(name: str, worker: str, lease_seconds: float) -> Held | None:
    """Take a duty that is due and that nobody else has, or keep one's own a while longer. Commits."""
    reached("duty/take/before")
    query = (
        update(Duty)
        .where(
            Duty.name == name,
            Duty.next_run_at <= db.now(),
            or_(Duty.lease_until < db.now(), Duty.lease_owner == worker),
        )
        .values(lease_owner=worker, lease_until=db.now(lease_seconds), fence=Duty.fence + 1)
        .returning(Duty.fence)
        .execution_options(synchronize_session=False)
    )
    fence = db.session.scalar(query)
    if fence is None and db.session.scalar(select(Duty.name).where(Duty.name == name)) is None:
        fence = _establish(name, worker, lease_seconds)
    db.session.commit()
    reached("duty/take/after")
    return Held(name, fence) if fence is not None else None


def _establish(name: str, worker: str, lease_seconds: float) -> int | None:
    db.session.add(Duty(name=name, lease_owner=worker, lease_until=db.now(lease_seconds), fence=1, next_run_at=EPOCH))
    try:
        db.session.flush()
    except IntegrityError:
        # Another worker was quicker.
        db.session.rollback()
        return None
    return 1


def give_back(held: Held, seconds: float) -> None:
    """Say that the duty is done for now; it is due again after so many seconds. Commits."""
    done = (
        update(Duty)
        .where(Duty.name == held.name, Duty.fence == held.fence)
        .values(lease_owner=None, lease_until=EPOCH, next_run_at=db.now(seconds))
        .execution_options(synchronize_session=False)
    )
    db.session.execute(done)
    db.session.commit()


def leave(worker: str) -> None:
    """Let go of every duty of a worker that ends. Commits."""
    left = update(Duty).where(Duty.lease_owner == worker).values(lease_owner=None, lease_until=EPOCH)
    db.session.execute(left, execution_options={"synchronize_session": False})
    db.session.commit()
