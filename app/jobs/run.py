"""One claim of one job: the only way a worker writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from app import db
from app.jobs.models import EPOCH, Job, JobStep


class LeaseLost(Exception):
    """Another worker owns the job, or we could not prove that we still do: stop at once, write nothing."""


class Run:
    """A job held by this worker under one fence."""

    def __init__(
        self, job_id: int, fence: int, attempt: int, lease_seconds: float, trail: dict[str, str] | None = None
    ):
        self.job_id = job_id
        self.fence = fence
        self.attempt = attempt
        self.lease_seconds = lease_seconds
        # What every line in the log carries beside id and fence: the job's name and the request it came from.
        self.trail = trail or {}
        self.step: JobStep | None = None
        self.is_repeat = False

    @property
    def job(self) -> Job:
        """The job and its steps, read afresh."""
        query = select(Job).where(Job.id == self.job_id).options(selectinload(Job.steps))
        return db.session.scalars(query, execution_options={"populate_existing": True}).one()

    @contextmanager
    def writing(self) -> Iterator[Job]:
        """Open a transaction that only the holder of the newest fence can commit, and renew the lease in it.

        The guard comes first: it locks the job's row, so nobody can claim the job before this transaction ends.
        Raises LeaseLost when the fence is old.
        """
        db.session.rollback()
        db.session.expire_all()
        self._guard(lease_until=db.now(self.lease_seconds))
        try:
            yield self.job
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise

    def _guard(self, **values: Any) -> None:
        held = update(Job).where(Job.id == self.job_id, Job.fence == self.fence).values(**values)
        if db.count_changed(db.session.execute(held, execution_options={"synchronize_session": False})) == 0:
            db.session.rollback()
            raise LeaseLost(f"job {self.job_id}, fence {self.fence}")

    def let_go(self, seconds: float, *, attempts: int = 0) -> None:
        """Give the job back; it becomes runnable again after so many seconds of the database's clock."""
        db.session.rollback()
        self._guard(lease_owner=None, lease_until=EPOCH, next_run_at=db.now(seconds), attempts=attempts)
        db.session.commit()
