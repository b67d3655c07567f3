"""Claims jobs and does what was decided about them. The database is the truth; a message only says when to look."""

import random
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from app import db
from app.errors import Problem
from app.failpoints import reached
from app.jobs import decisions, lifecycle, outbox
from app.jobs.decisions import MOST_ATTEMPTS, Advance, Begin, Request, Take, Write
from app.jobs.flows import FLOWS, Deed, Flow, Look, Note
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep
from app.jobs.run import LeaseLost, Run, facts_of
from app.logs import log

__all__ = ["MOST_ATTEMPTS", "Worker", "add_steps", "due"]

_STEPS = (
    select(JobStep.key, JobStep.status, JobStep.intent_at, JobStep.attempt, JobStep.output)
    .where(JobStep.job_id == bindparam("job_id"))
    .order_by(JobStep.position)
)


@dataclass
class Worker:
    """One process's identity towards the database, and the claims it holds right now."""

    name: str
    lease_seconds: float

    def __post_init__(self) -> None:
        self.held: dict[int, int] = {}

    def run(self, job_id: int) -> bool:
        """Advance one job as far as it goes without waiting; say whether there was anything to claim."""
        run = self.claim(job_id)
        if run is None:
            return False
        self.held[run.job_id] = run.fence
        try:
            with structlog.contextvars.bound_contextvars(**run.trail):
                _carry_on(run)
        except LeaseLost:
            log.warning("lease_lost", **run.trail)
        finally:
            # Another thread of this process may have taken the job over meanwhile: its claim is not ours to forget.
            if self.held.get(run.job_id) == run.fence:
                self.held.pop(run.job_id)
            db.session.rollback()
        return True

    def claim(self, job_id: int) -> Run | None:
        """Take the job if it is runnable and nobody holds it. Time is the database's, so clocks need not agree."""
        reached("claim/before")
        db.session.rollback()
        # Whoever hangs in the middle of a transaction on the job must not make everybody else wait for it.
        free = (
            select(Job.id)
            .where(
                Job.id == job_id,
                Job.status.in_(lifecycle.RUNNABLE),
                Job.lease_until < db.now(),
                Job.next_run_at <= db.now(),
            )
            .with_for_update(skip_locked=True)
            .scalar_subquery()
        )
        query = (
            update(Job)
            .where(Job.id == free)
            .values(
                lease_owner=self.name,
                lease_until=db.now(self.lease_seconds),
                fence=Job.fence + 1,
                attempts=Job.attempts + 1,
                watch_topic=None,
                watch_key=None,
                status=JobStatus.RUNNING,
                started_at=func.coalesce(Job.started_at, db.now()),
            )
            .returning(
                Job.id,
                Job.ref,
                Job.kind,
                Job.request_id,
                Job.fence,
                Job.attempts,
                Job.cancel_requested_at,
                (Job.deadline_at < db.now()).label("is_late"),
                db.now().label("now"),
            )
            .execution_options(synchronize_session=False)
        )
        row = db.session.execute(query).one_or_none()
        outbox.forget(job_id)
        if row is None:
            db.session.commit()
            return None
        run = Run(row, facts_of(row, db.session.execute(_STEPS, {"job_id": job_id}).all()), self.lease_seconds)
        run.open()
        reached("claim/effect")
        db.session.commit()
        reached("claim/after")
        return run

    def heartbeat(self) -> None:
        """Renew the lease of every job this process holds; forget the ones it no longer holds."""
        for job_id, fence in list(self.held.items()):
            renewed = (
                update(Job)
                # A job just let go has no owner: renewing its lease would only keep others from it.
                .where(Job.id == job_id, Job.fence == fence, Job.lease_owner == self.name)
                .values(lease_until=db.now(self.lease_seconds))
                .execution_options(synchronize_session=False)
            )
            if db.count_changed(db.session.execute(renewed)) == 0 and self.held.get(job_id) == fence:
                self.held.pop(job_id, None)
        db.session.commit()


def _carry_on(run: Run) -> None:
    """Do what is decided about a claimed job, and give it back when something breaks."""
    try:
        _drive(run, FLOWS[run.facts.kind])
    except LeaseLost:
        raise
    except OperationalError as error:
        log.warning("database_interrupted", attempt=run.attempt, error=type(error.orig).__name__)
        run.let_go(decisions.broken(run.attempt, random, by_database=True))
    except Exception:  # noqa: BLE001 - whatever broke, the job is kept and tried again, at most five times
        log.exception("step_broke", attempt=run.attempt)
        run.let_go(decisions.broken(run.attempt, random, by_database=False))


def _drive(run: Run, flow: Flow) -> None:
    """Perform one request of the decisions after the other, and send back what came of it."""
    decided: Advance = decisions.advance(flow, run.facts, random, run.opened)
    answer: Any = None
    problem: Problem | None = None
    while True:
        try:
            request = decided.throw(problem) if problem else decided.send(answer)
        except StopIteration:
            return
        answer = problem = None
        try:
            answer = _perform(run, flow, request)
        except Problem as error:
            problem = error


def _perform(run: Run, flow: Flow, request: Request) -> Any:
    run.place = f"{run.facts.kind}/{run.facts.current.key if run.facts.current else 'all'}/{request.name}"
    match request:
        case Write():
            return run.recorded(lambda: run.write(request))
        case Begin(act):
            run.is_repeat = isinstance(act, Take) and act.is_repeat
            return flow.begin(run)
        case Note():
            return run.recorded(lambda: flow.perform(run, request))
        case Deed():
            return run.done(lambda: flow.perform(run, request))
        case Look():
            return flow.perform(run, request)


def due(limit: int = 50) -> list[int]:
    """Return the jobs that could run now and that nobody holds, longest waiting first."""
    query = (
        select(Job.id)
        .where(Job.status.in_(lifecycle.RUNNABLE), Job.next_run_at <= db.now(), Job.lease_until < db.now())
        .order_by(Job.next_run_at)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def add_steps(job: Job) -> None:
    """Give a new job the rows of its steps, all still to come."""
    for position, step in enumerate(FLOWS[job.kind].steps):
        db.session.add(JobStep(job_id=job.id, position=position, key=step.key, status=StepStatus.TO_COME))
