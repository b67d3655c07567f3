"""One claim of one job: the only way a worker writes."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import selectinload

from app import db
from app.failpoints import reached
from app.jobs import lifecycle
from app.jobs.decisions import End, JobFacts, StepChange, StepFacts, Write, written
from app.jobs.flows import FLOWS
from app.jobs.lifecycle import StepStatus
from app.jobs.models import EPOCH, Job, JobStep
from app.logs import log

# Column values that take a job out of a worker's hands.
FREE: dict[str, Any] = {"lease_owner": None, "lease_until": EPOCH, "attempts": 0}


class LeaseLost(Exception):
    """Another worker owns the job, or we could not prove that we still do: stop at once, write nothing."""


class Run:
    """A job held by this worker under one fence.

    `facts` is what was known at the last write, `now` the database's clock at that moment.
    """

    def __init__(self, claimed: Any, facts: JobFacts, lease_seconds: float):
        self.job_id: int = claimed.id
        self.ref: str = claimed.ref
        self.request_id: str | None = claimed.request_id
        self.fence: int = claimed.fence
        self.now: datetime = claimed.now
        self.facts = facts
        self.lease_seconds = lease_seconds
        self.is_repeat = False
        # Where in the job this worker is: kind, step and what is being done there.
        self.place = ""
        # What has been done outside and is not recorded yet.
        self._unrecorded: list[str] = []
        # What the steps of this claim made once and use again, such as a client of the cloud.
        self.kept: dict[Any, Any] = {}

    def done(self, deed: Callable[[], Any]) -> Any:
        """Do something outside that the next commit records."""
        reached(f"{self.place}/before")
        answer = deed()
        reached(f"{self.place}/effect")
        self._unrecorded.append(self.place)
        return answer

    def recorded(self, write: Callable[[], Any]) -> Any:
        """Commit something about the job, and with it what was done outside before."""
        reached(f"{self.place}/before")
        answer = write()
        for place in (*self._unrecorded, self.place):
            reached(f"{place}/after")
        self._unrecorded.clear()
        return answer

    @property
    def attempt(self) -> int:
        return self.facts.attempts

    @property
    def job(self) -> Job:
        """The job and its steps, read afresh."""
        query = select(Job).where(Job.id == self.job_id).options(selectinload(Job.steps))
        return db.session.scalars(query, execution_options={"populate_existing": True}).one()

    @contextmanager
    def writing(self) -> Iterator[Job]:
        """Open a transaction that only the holder of the newest fence can commit, and renew the lease in it.

        Raises LeaseLost when the fence is old.
        """
        with self.transaction():
            yield self.job

    @contextmanager
    def transaction(self, **values: Any) -> Iterator[None]:
        """The same without reading the job's row, setting these columns of it.

        The guard comes first: it locks the job's row, so nobody can claim the job before this transaction ends.
        """
        db.session.rollback()
        db.session.expire_all()
        try:
            self._guard({"lease_until": db.now(self.lease_seconds)} | values)
            yield
            reached(f"{self.place}/effect")
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise

    def _guard(self, values: Mapping[str, Any]) -> None:
        held = (
            update(Job)
            .where(Job.id == self.job_id, Job.fence == self.fence)
            .values(**values)
            # The column and not whether it is NULL: SQLite up to 3.40 returns that wrongly from an UPDATE.
            .returning(Job.cancel_requested_at, Job.deadline_at < db.now(), db.now())
            .execution_options(synchronize_session=False)
        )
        row = db.session.execute(held).one_or_none()
        if row is None:
            raise LeaseLost(f"job {self.job_id}, fence {self.fence}")
        cancel_requested_at, is_late, self.now = row
        self.facts = replace(self.facts, wants_cancel=cancel_requested_at is not None, is_late=bool(is_late))

    def write(self, write: Write) -> JobFacts:
        """Commit what the engine decided, and return the facts as they are then."""
        with self.transaction(**_resting(write)):
            self._write(write)
        db.release()
        return self.facts

    def _write(self, write: Write) -> None:
        for change in write.steps:
            self._change_step(change)
        self.facts = written(self.facts, write)
        if write.end:
            self._end(write.end)
        elif write.holds and not self.facts.wants_cancel:
            # Whoever asked to cancel meanwhile found no waiting job to resume: then it goes on at once.
            lifecycle.apply(self.job, lifecycle.WAIT, fence=self.fence, **FREE)

    def _change_step(self, change: StepChange) -> None:
        values: dict[str, Any] = {"status": change.status}
        if change.begins:
            values |= {"intent_at": func.coalesce(JobStep.intent_at, db.now()), "attempt": JobStep.attempt + 1}
        else:
            values |= {"note": change.note[:500], "output": change.output}
        if change.ends:
            values["done_at"] = db.now()
        self._update_step(change.key, values)

    def _update_step(self, key: str, values: Mapping[str, Any]) -> None:
        query = update(JobStep).where(JobStep.job_id == self.job_id, JobStep.key == key).values(**values)
        db.session.execute(query, execution_options={"synchronize_session": False})

    def _end(self, end: End) -> None:
        """Move the job to where it ends and let its flow settle the rest."""
        if end.step and end.transition is lifecycle.FAIL:
            self._update_step(end.step.key, {"status": StepStatus.FAILED, "done_at": db.now()})
        job, target = self.job, end.transition.target
        is_final = target not in lifecycle.UNFINISHED
        # What needs attention may be resumed, and then needs its secrets; what is final needs them no more.
        sealed = {"sealed": None} if is_final else {}
        failure = dict(end.failure) if end.failure else None
        lifecycle.apply(job, end.transition, fence=self.fence, failure=failure, **sealed, **FREE)
        if is_final:
            FLOWS[job.kind].ended(self, target)
        log.info("job_ended", job=job.ref, kind=job.kind, status=str(target))

    def let_go(self, seconds: float, *, attempts: int = 0) -> None:
        """Give the job back after something broke; it becomes runnable again after so many seconds."""
        with self.transaction(**FREE | {"next_run_at": db.now(seconds), "attempts": attempts}):
            pass


def _resting(write: Write) -> dict[str, Any]:
    """Return the columns of a job that is given back; none where it goes on."""
    if write.rest is None:
        return {}
    watch = {"watch_topic": write.watch.topic, "watch_key": write.watch.key} if write.watch else {}
    return FREE | watch | {"next_run_at": db.now(write.rest)}


def facts_of(row: Any, steps: Any) -> JobFacts:
    """Return the facts of a job's row, as the claim returned it, and of its steps' rows in their order."""
    return JobFacts(
        row.kind,
        row.attempts,
        row.cancel_requested_at is not None,
        bool(row.is_late),
        tuple(
            StepFacts(
                step.key,
                step.status,
                step.intent_at is not None,
                step.attempt,
                int((step.output or {}).get("asked_in_vain", 0)),
            )
            for step in steps
        ),
    )
