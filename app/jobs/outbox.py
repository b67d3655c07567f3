"""Wake-ups: written with the fact they announce, sent after the commit, and sent again if nobody heard.

A wake-up is only a hint. Losing or doubling one changes when a job runs, never whether or how often.
"""

import time
from typing import Any

from flask import current_app
from sqlalchemy import delete, event, select
from sqlalchemy.orm import Session

from app import db
from app.failpoints import reached
from app.jobs.models import Outbox
from app.logs import log

# While the broker is away, requests do not wait for it: the workers' own timer finds the jobs.
PAUSE_AFTER_FAILURE = 5.0
_silent_until = 0.0


def announce(job_id: int) -> None:
    """Write the wake-up of a job in the current transaction; it is sent once that is committed."""
    db.session.add(Outbox(job_id=job_id, created_at=db.now()))
    db.session.info.setdefault("wake_ups", []).append(job_id)


@event.listens_for(Session, "after_commit")
def _send_after_commit(session: Session) -> None:
    # SQLAlchemy also fires this when a savepoint is released; what is not committed yet must not be announced.
    if session.in_nested_transaction():
        return
    for job_id in session.info.pop("wake_ups", []):
        send(job_id)


@event.listens_for(Session, "after_rollback")
def _forget_after_rollback(session: Session) -> None:
    session.info.pop("wake_ups", None)


def send(job_id: int) -> bool:
    """Send one wake-up; say whether the broker took it. Never raises."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    try:
        reached("outbox/send/before")
        current_app.extensions["celery"].send_task("jobs.run", (job_id,), retry=False)
        reached("outbox/send/effect")
    except Exception as error:  # noqa: BLE001 - a broker may fail in any way; the timer finds the job all the same
        _silent_until = time.monotonic() + PAUSE_AFTER_FAILURE
        log.warning("broker_unavailable", error=type(error).__name__)
        return False
    reached("outbox/send/after")
    return True


def forget(job_id: int) -> None:
    """Delete the wake-ups of a job that somebody has claimed."""
    db.session.execute(delete(Outbox).where(Outbox.job_id == job_id))


def pending(limit: int = 100) -> list[Any]:
    """Return ids of jobs whose wake-up is older than two seconds."""
    query = select(Outbox.job_id).where(Outbox.created_at < db.now(-2)).order_by(Outbox.id).limit(limit)
    return list(db.session.scalars(query))
