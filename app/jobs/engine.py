"""Claims jobs and advances them step by step. The database is the truth; a broker's message only says when to look."""

import random
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update

from app import clock, db
from app.errors import Problem
from app.jobs import lifecycle, outbox
from app.jobs.flows import FLOWS, Again, Cancelled, Done, Flow, Hold, Outcome, Skip, Step, Stop
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import EPOCH, Job, JobStep
from app.jobs.run import LeaseLost, Run
from app.logs import log

MOST_ATTEMPTS = 5


class Interrupted(Exception):
    """The outside did not answer or asked for patience; the step will look again. Counts no attempt."""

    def __init__(self, reason: str, seconds: float = 2.0):
        super().__init__(reason)
        self.seconds = seconds


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
            with structlog.contextvars.bound_contextvars(job_id=run.job_id, fence=run.fence):
                self._advance(run)
        except LeaseLost:
            log.warning("lease_lost", job_id=run.job_id, fence=run.fence)
        finally:
            self.held.pop(run.job_id, None)
            db.session.rollback()
        return True

    def claim(self, job_id: int) -> Run | None:
        """Take the job if it is runnable and nobody holds it. Time is the database's, so clocks need not agree."""
        db.session.rollback()
        query = (
            update(Job)
            .where(
                Job.id == job_id,
                Job.status.in_(lifecycle.RUNNABLE),
                Job.lease_until < db.now(),
                Job.next_run_at <= db.now(),
            )
            .values(
                lease_owner=self.name,
                lease_until=db.now(self.lease_seconds),
                fence=Job.fence + 1,
                attempts=Job.attempts + 1,
                status=JobStatus.RUNNING,
                started_at=func.coalesce(Job.started_at, db.now()),
            )
            .returning(Job.fence, Job.attempts)
            .execution_options(synchronize_session=False)
        )
        claimed = db.session.execute(query).one_or_none()
        outbox.forget(job_id)
        db.session.commit()
        return Run(job_id, claimed.fence, claimed.attempts, self.lease_seconds) if claimed else None

    def heartbeat(self) -> None:
        """Renew the lease of every job this process holds; forget the ones it no longer holds."""
        for job_id, fence in list(self.held.items()):
            renewed = (
                update(Job)
                .where(Job.id == job_id, Job.fence == fence)
                .values(lease_until=db.now(self.lease_seconds))
                .execution_options(synchronize_session=False)
            )
            if db.session.execute(renewed).rowcount == 0:
                self.held.pop(job_id, None)
        db.session.commit()

    def _advance(self, run: Run) -> None:
        if run.attempt > MOST_ATTEMPTS:
            _end(run, lifecycle.STOP, _gave_up(run.attempt - 1))
            return
        while True:
            flow = FLOWS[run.job.kind]
            step = _next_step(run, flow)
            if step is None:
                _end(run, lifecycle.SUCCEED)
                return
            try:
                outcome = self._perform(run, flow, step)
            except Interrupted as pause:
                run.let_go(pause.seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
                return
            except LeaseLost:
                raise
            except Problem as problem:
                outcome = Stop({"sentence": problem.sentence, "advice": "", "reason": problem.sentence})
            except Exception:  # noqa: BLE001 - whatever broke, the job is kept and tried again, at most five times
                log.exception("step_broke", step=step.key, attempt=run.attempt)
                run.let_go(2.0**run.attempt, attempts=run.attempt)
                return
            if not _record(run, step, outcome):
                return

    def _perform(self, run: Run, flow: Flow, step: Step) -> Outcome:
        job = run.job
        if job.cancel_requested_at and not step.handles_cancel:
            return flow.cancel(run)
        if db.session.scalar(select(Job.deadline_at < db.now()).where(Job.id == run.job_id)):
            return Stop(_too_late(step))
        _intend(run, step)
        return step.run(run)


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


def _next_step(run: Run, flow: Flow) -> Step | None:
    for row in run.job.steps:
        if row.status not in (StepStatus.DONE, StepStatus.SKIPPED):
            run.step = row
            return flow.step(row.key)
    return None


def _intend(run: Run, step: Step) -> None:
    """Commit that the step is about to act, so that whoever comes after a crash looks first."""
    with run.writing() as job:
        row = _row(job, step)
        run.is_repeat = row.intent_at is not None
        row.intent_at = row.intent_at or clock.now()
        row.attempt += 1
        row.status = StepStatus.ACTIVE
    run.step = row
    db.release()


def _record(run: Run, step: Step, outcome: Outcome) -> bool:
    """Write what the step answered; say whether the job goes on at once."""
    match outcome:
        case Done() | Skip():
            with run.writing() as job:
                row = _row(job, step)
                row.status = StepStatus.SKIPPED if isinstance(outcome, Skip) else StepStatus.DONE
                row.note = outcome.note[:500]
                row.output = outcome.output if isinstance(outcome, Done) else None
                row.done_at = clock.now()
            return True
        case Again():
            with run.writing() as job:
                row = _row(job, step)
                row.status, row.note = StepStatus.WAITING, outcome.note[:500]
            run.let_go(outcome.seconds)
        case Hold():
            with run.writing() as job:
                row = _row(job, step)
                row.status, row.note = StepStatus.WAITING, outcome.note[:500]
                lifecycle.apply(job, lifecycle.WAIT, fence=run.fence, **_free())
        case Stop():
            _end(run, lifecycle.FAIL, outcome.failure, step)
        case Cancelled():
            _end(run, lifecycle.CANCEL, None, step)
    return False


def _end(run: Run, transition: lifecycle.Transition, failure: dict | None = None, step: Step | None = None) -> None:
    """Move the job to its final state and let its flow settle the rest, in one transaction."""
    with run.writing() as job:
        if step and transition is lifecycle.FAIL:
            row = _row(job, step)
            row.status, row.done_at = StepStatus.FAILED, clock.now()
        lifecycle.apply(job, transition, fence=run.fence, failure=failure, sealed=None, **_free())
        if transition.target not in lifecycle.UNFINISHED:
            FLOWS[job.kind].ended(run, transition.target)
        log.info("job_ended", job=job.ref, kind=job.kind, status=str(transition.target))


def _free() -> dict[str, object]:
    """Column values that take the job out of this worker's hands."""
    return {"lease_owner": None, "lease_until": EPOCH, "attempts": 0}


def _row(job: Job, step: Step) -> JobStep:
    return next(row for row in job.steps if row.key == step.key)


def _gave_up(attempts: int) -> dict[str, str]:
    return {
        "sentence": f"Slipway tried {attempts} times and did not get through this step.",
        "advice": "The platform team can see why under Operations, and resume or give up.",
        "reason": "attempts exhausted",
    }


def _too_late(step: Step) -> dict[str, str]:
    return {
        "sentence": "This job did not end within its time limit.",
        "advice": "Look at the stack in the AWS console; then try again or delete it.",
        "reason": f"deadline passed in step {step.key}",
    }
