"""Claims jobs and advances them step by step. The database is the truth; a broker's message only says when to look."""

import random
from dataclasses import dataclass

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import OperationalError

from app import clock, db
from app.errors import Problem
from app.jobs import lifecycle, outbox
from app.jobs.flows import FLOWS, Again, Cancelled, Done, Flow, Hold, Outcome, Skip, Step, Stop
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import EPOCH, Job, JobStep
from app.jobs.run import LeaseLost, Run
from app.logs import log

MOST_ATTEMPTS = 5
LONGEST_PAUSE = 30.0


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
            with structlog.contextvars.bound_contextvars(job_id=run.job_id, fence=run.fence, **run.trail):
                self._advance(run)
        except LeaseLost:
            log.warning("lease_lost", job_id=run.job_id, fence=run.fence, **run.trail)
        finally:
            # Another thread of this process may have taken the job over meanwhile: its claim is not ours to forget.
            if self.held.get(run.job_id) == run.fence:
                self.held.pop(run.job_id)
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
            .returning(Job.fence, Job.attempts, Job.ref, Job.request_id)
            .execution_options(synchronize_session=False)
        )
        claimed = db.session.execute(query).one_or_none()
        outbox.forget(job_id)
        db.session.commit()
        if claimed is None:
            return None
        trail = {"job": claimed.ref} | ({"request_id": claimed.request_id} if claimed.request_id else {})
        return Run(job_id, claimed.fence, claimed.attempts, self.lease_seconds, trail)

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

    def _advance(self, run: Run) -> None:
        if run.attempt > MOST_ATTEMPTS:
            _end(run, lifecycle.STOP, _gave_up(run.attempt - 1))
            return
        try:
            while _take_step(run):
                pass
        except LeaseLost:
            raise
        except OperationalError as error:
            # The database was busy or away for a moment: that says nothing about the job, so it counts no attempt.
            log.warning("database_interrupted", attempt=run.attempt, error=type(error.orig).__name__)
            run.let_go(_pause(1), attempts=run.attempt - 1)
        except Exception:  # noqa: BLE001 - whatever broke, the job is kept and tried again, at most five times
            log.exception("step_broke", attempt=run.attempt)
            run.let_go(2.0**run.attempt, attempts=run.attempt)


def _take_step(run: Run) -> bool:
    """Perform the job's next step and write down its outcome; say whether the job goes on at once."""
    flow = FLOWS[run.job.kind]
    step = _next_step(run, flow)
    if step is None:
        _end(run, lifecycle.SUCCEED)
        return False
    try:
        outcome = _perform(run, flow, step)
    except Problem as problem:
        if _asked_in_vain(run) < problem.patience:
            _ask_again(run, step, problem)
            return False
        outcome = Stop(flow.explain(problem))
    return _record(run, step, outcome)


def _perform(run: Run, flow: Flow, step: Step) -> Outcome:
    job = run.job
    if job.cancel_requested_at and not step.handles_cancel:
        return flow.cancel(run)
    is_late = db.session.scalar(select(Job.deadline_at < db.now()).where(Job.id == run.job_id))
    if is_late and not step.handles_cancel:
        return Stop(_too_late(step))
    _intend(run, step)
    outcome = step.run(run)
    # One last look: what has settled in time, though nobody saw it, is not late.
    return Stop(_too_late(step)) if is_late and isinstance(outcome, Again) else outcome


def _asked_in_vain(run: Run) -> int:
    """Return how many times in a row the outside did not answer this step."""
    return int(((run.step and run.step.output) or {}).get("asked_in_vain", 0))


def _ask_again(run: Run, step: Step, problem: Problem) -> None:
    """Let the job rest, longer each time, and have the step look again."""
    times = _asked_in_vain(run) + 1
    log.info("asking_again", step=step.key, times=times, reason=problem.sentence)
    with run.writing() as job:
        row = _row(job, step)
        row.status, row.note, row.output = StepStatus.WAITING, problem.sentence[:500], {"asked_in_vain": times}
    run.let_go(_pause(times))


def _pause(times: int) -> float:
    """Return seconds to wait: 1, 2, 4… up to 30, each a little shorter or longer so that jobs do not come in step."""
    return min(2.0 ** (times - 1), LONGEST_PAUSE) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret


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
                _wait(job, step, outcome.note)
            run.let_go(outcome.seconds)
        case Hold():
            with run.writing() as job:
                _wait(job, step, outcome.note)
                # Whoever asked to cancel meanwhile found no waiting job to resume: it goes on at once.
                if job.cancel_requested_at is not None:
                    return True
                lifecycle.apply(job, lifecycle.WAIT, fence=run.fence, **_free())
        case Stop():
            _end(run, lifecycle.FAIL, outcome.failure, step)
        case Cancelled():
            _end(run, lifecycle.CANCEL, None, step)
    return False


def _wait(job: Job, step: Step, note: str) -> None:
    row = _row(job, step)
    row.status, row.note, row.output = StepStatus.WAITING, note[:500], None


def _end(run: Run, transition: lifecycle.Transition, failure: dict | None = None, step: Step | None = None) -> None:
    """Move the job to its final state and let its flow settle the rest, in one transaction."""
    with run.writing() as job:
        if step and transition is lifecycle.FAIL:
            row = _row(job, step)
            row.status, row.done_at = StepStatus.FAILED, clock.now()
        is_final = transition.target not in lifecycle.UNFINISHED
        # What needs attention may be resumed, and then needs its secrets; what is final needs them no more.
        sealed = {"sealed": None} if is_final else {}
        lifecycle.apply(job, transition, fence=run.fence, failure=failure, **sealed, **_free())
        if is_final:
            FLOWS[job.kind].ended(run, transition.target)
        log.info("job_ended", kind=job.kind, status=str(transition.target))


def _free() -> dict[str, object]:
    """Column values that take the job out of this worker's hands."""
    return {"lease_owner": None, "lease_until": EPOCH, "attempts": 0}


def _row(job: Job, step: Step) -> JobStep:
    return next(row for row in job.steps if row.key == step.key)


def _gave_up(attempts: int) -> dict[str, str]:
    return {
        "sentence": f"Slipway tried {attempts} times and did not get through this step.",
        "advice": "The platform team sees why in the worker's log and can resume it here; you can cancel it.",
        "reason": "attempts exhausted",
    }


def _too_late(step: Step) -> dict[str, str]:
    return {
        "sentence": "This job did not end within its time limit.",
        "advice": "Look at the stack in the AWS console; then try again or delete it.",
        "reason": f"deadline passed in step {step.key}",
    }
