"""Forgetting in batches, and what the engine itself forgets: wake-ups nobody needs, workers nobody has seen.

Each batch is a transaction of its own, so that nobody waits for long. Nothing of an unfinished job is touched.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import delete, exists, select

from app import db
from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job, Outbox, WorkerSeen

BATCH = 500
# A round ends after this long, whatever is left: the next one goes on.
LONGEST_ROUND = 20.0


class Round:
    """One round of forgetting: what was removed, by table, and whether there is time for more."""

    def __init__(self, seconds: float = LONGEST_ROUND) -> None:
        self.until = time.monotonic() + seconds
        self.removed: dict[str, int] = {}

    @property
    def has_time(self) -> bool:
        return time.monotonic() < self.until

    def count(self, table: str, rows: int) -> None:
        if rows:
            self.removed[table] = self.removed.get(table, 0) + rows

    def remove(self, model: Any, column: Any, values: Any) -> int:
        """Delete the rows of a model in which the column has one of these values; return how many."""
        query = delete(model).where(column.in_(values)).execution_options(synchronize_session=False)
        removed = db.count_changed(db.session.execute(query))
        self.count(model.__tablename__, removed)
        return removed

    def in_batches(self, one: Callable[[int], int | None]) -> None:
        """Call `one` with the id to go on after, each time in a transaction, until it returns None or time is up."""
        after: int | None = 0
        while after is not None and self.has_time:
            after = one(after)
            db.session.commit()


def forget_wake_ups(round_: Round) -> None:
    """Delete wake-ups of jobs that have ended or are gone: nobody will claim them."""

    def one(after: int) -> int | None:
        is_unfinished = exists().where(Job.id == Outbox.job_id, Job.status.in_(UNFINISHED))
        query = select(Outbox.id).where(Outbox.id > after, ~is_unfinished).order_by(Outbox.id).limit(BATCH)
        ids = list(db.session.scalars(query))
        round_.remove(Outbox, Outbox.id, ids)
        return ids[-1] if len(ids) == BATCH else None

    round_.in_batches(one)


def forget_workers(round_: Round) -> None:
    """Delete workers nobody has seen for an hour."""
    query = delete(WorkerSeen).where(WorkerSeen.seen_at < db.now(-3600)).execution_options(synchronize_session=False)
    round_.count("worker_seen", db.count_changed(db.session.execute(query)))
    db.session.commit()
