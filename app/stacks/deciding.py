"""What people say to a job under way: confirm its plan, cancel it, let it try again, end it. None of these commits."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select, update

from app import clock, db
from app.errors import Conflict, Invalid
from app.identity import policy
from app.identity.models import Person
from app.jobs import lifecycle as jobs
from app.jobs import outbox, queue
from app.jobs.flows import FLOWS
from app.jobs.models import EPOCH, Job
from app.stacks import plans
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Plan, Stack
from app.stacks.requests import Request, deadline, record, word_of
from app.stacks.wordings import failure
from app.words import time_of_day

LONGEST_REASON = 300
_AFTER_GIVING_UP = {
    "create": "What the cloud has of it stays there: try again, or delete it.",
    "update": "Look at the stack in the AWS console, then plan again.",
    "delete": "Remove what blocks it, then delete again.",
}


def confirm_plan(plan: Plan, digest: str, request: Request, *, typed: str | None = None) -> Job:
    """Say yes to exactly the plan with this digest, and let its job go on.

    `typed` is the stack's name, needed where the plan would lose data. Raises Conflict when the plan is not the one
    that was shown, or was decided already.
    """
    job = _hold_job(plan.job_id)
    db.session.refresh(plan)
    stack = db.session.get_one(Stack, job.stack_id)
    policy.require(policy.may_change(request.by, stack))
    if plan.confirmed_at is not None:
        raise Conflict(_confirmed_already(plan.confirmed_by, plan.confirmed_at), job=job.ref)
    if job.is_finished or job.cancel_requested_at:
        raise Conflict("This plan was withdrawn; ask for a new one.", job=job.ref)
    if digest != plan.digest:
        raise Conflict("The plan changed since you read it. Read it again.", job=job.ref)
    if plans.loses_data(plan.changes) and typed != stack.name:
        raise Invalid(f"Type {stack.name} to allow what would be lost.", field="confirmation")
    plan.confirmed_at, plan.confirmed_by_id = clock.now(), request.by.id
    _resume(job)
    record("plan:confirmed", stack, f"Confirmed {plan.ref} for {stack.name}.", request, {"digest": plan.digest})
    return job


def _confirmed_already(by: Person | None, at: datetime) -> str:
    return f"{by.name if by else 'Somebody'} confirmed it already, at {time_of_day(at)} UTC."


def _hold_job(job_id: int) -> Job:
    """Return the job as it is now and keep it so until the transaction ends, against workers and other requests."""
    query = select(Job).where(Job.id == job_id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def _resume(job: Job) -> None:
    """Let a waiting job go on. The time it waited for a person is not counted against its limit."""
    jobs.apply(job, jobs.CONFIRM, next_run_at=db.now(), deadline_at=deadline())
    outbox.announce(job.id)


def _try_again(job: Job) -> None:
    jobs.apply(job, jobs.RESUME, next_run_at=db.now(), attempts=0, deadline_at=deadline())
    outbox.announce(job.id)


def request_cancel(job: Job, request: Request) -> None:
    """Ask the job to stop; a waiting one is resumed so that it can undo what it prepared."""
    stack = db.session.get_one(Stack, job.stack_id)
    policy.require(policy.may_change(request.by, stack))
    job = _hold_job(job.id)
    if job.is_finished:
        raise Conflict(f"{job.ref} has ended already: {word_of(job)}.", job=job.ref)
    if job.kind == "delete" and stack.status == StackStatus.DELETING:
        raise Conflict("A deletion that has begun cannot be stopped.", job=job.ref)
    if job.cancel_requested_at is None:
        job.cancel_requested_at = db.now()
    db.session.flush()
    if jobs.can(job, jobs.CONFIRM):
        _resume(job)
    elif jobs.can(job, jobs.RESUME):
        _try_again(job)
    else:
        outbox.announce(job.id)
    record("job:cancel_requested", stack, f"Asked to cancel {job.ref} on {stack.name}.", request)


def resume(job: Job, request: Request) -> None:
    """Let a job that needs attention try again from the step it stopped at; for those who run the platform."""
    policy.require(policy.may_operate(request.by))
    _try_again(job)
    record("job:resumed", db.session.get_one(Stack, job.stack_id), f"Let {job.ref} try again.", request)


def release(job: Job, request: Request) -> None:
    """End the lease of a worker that is not seen any more, so that another takes the job at once.

    The fence moves on with it: should the worker come back, nothing it writes counts. Raises Conflict when nobody
    holds the job, or when its worker lives.
    """
    policy.require(policy.may_operate(request.by))
    job = _hold_job(job.id)
    holder = queue.find_holder(job.id)
    if holder is None:
        raise Conflict(f"No worker holds {job.ref}; if it is due, the next free one takes it.", job=job.ref)
    if not holder.is_silent:
        raise Conflict(f"{holder.name} holds {job.ref} and lives: stop that worker first.", job=job.ref)
    freed = {"lease_owner": None, "lease_until": EPOCH, "fence": Job.fence + 1, "next_run_at": db.now()}
    db.session.execute(update(Job).where(Job.id == job.id).values(**freed))
    outbox.announce(job.id)
    stack = db.session.get_one(Stack, job.stack_id)
    record("job:released", stack, f"Released {job.ref} from {holder.name}.", request, {"worker": holder.name})


class GivenUp(NamedTuple):
    """A job that a person ends."""

    job: Job
    now: datetime


def give_up(job: Job, reason: str, request: Request) -> None:
    """End a job that needs attention as failed, and bring its stack to where that leaves it.

    The cloud is not asked: what is there stays there. Raises Invalid without a reason.
    """
    policy.require(policy.may_operate(request.by))
    reason = _reason_given(reason)
    job = _hold_job(job.id)
    told = failure(f"{request.by.name} gave it up: {reason}", _AFTER_GIVING_UP.get(job.kind, ""), _told_before(job))
    jobs.apply(job, jobs.GIVE_UP, failure=told, sealed=None)
    FLOWS[job.kind].ended(GivenUp(job, queue.now()), job.status)
    stack = db.session.get_one(Stack, job.stack_id)
    record("job:given_up", stack, f"Gave {job.ref} up: {reason}", request, {"reason": reason})


def status_after_giving_up(job: Job, stack: Stack) -> StackStatus:
    """Return what the stack of a job becomes when the job is given up, as its page says before the question."""
    moves = {StackStatus.CREATING: StackStatus.FAILED, StackStatus.DELETING: StackStatus.DELETE_FAILED}
    if job.kind == "update" and stack.status == StackStatus.UPDATING:
        meaning = MEANINGS.get(stack.cloud_status or "")
        undone = meaning is not None and meaning.status is StackStatus.TAINTED
        return StackStatus.TAINTED if undone else StackStatus.DEGRADED
    return moves.get(stack.status, stack.status)


def _reason_given(reason: str) -> str:
    reason = " ".join(reason.split())
    if not reason:
        raise Invalid("Say why, in a few words: whoever owns the stack reads it.", field="reason")
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"At most {LONGEST_REASON} characters; this has {len(reason)}.", field="reason")
    if not reason.isprintable():
        raise Invalid("This holds a character that cannot be kept.", field="reason")
    return reason


def _told_before(job: Job) -> str:
    return (job.failure or {}).get("sentence", "")
