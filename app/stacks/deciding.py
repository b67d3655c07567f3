"""What people say to a job under way: confirm its plan, cancel it, let it try again. None of these commits."""

from datetime import datetime

from sqlalchemy import select

from app import clock, db
from app.errors import Conflict, Invalid
from app.identity import policy
from app.identity.models import Person
from app.jobs import lifecycle as jobs
from app.jobs import outbox
from app.jobs.models import Job
from app.stacks import plans
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Plan, Stack
from app.stacks.requests import Request, deadline, record, word_of
from app.words import time_of_day


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
