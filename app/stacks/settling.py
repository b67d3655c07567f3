"""Where a job leaves its stack: written in the transaction that ends the job."""

from datetime import datetime

from sqlalchemy import delete, update

from app import audit, db
from app.jobs.flows import Ending
from app.jobs.models import Job
from app.stacks import lifecycle
from app.stacks.following import learn_durations
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Resource, Stack
from app.stacks.noting import stack_of


def ended(ending: Ending, status: str) -> None:
    """Bring the stack to where the job that created or changed it left it."""
    job = ending.job
    stack = stack_of(job)
    match job.kind, status:
        case "update", "succeeded" if stack.status != StackStatus.UPDATING:
            _is_so_already(job, stack)
        case _, "succeeded":
            _came_up(job, stack, ending.now)
        case "create", "cancelled":
            lifecycle.apply(stack, lifecycle.GONE, "Cancelled.", by=job.requested_by)
        case "create", _:
            lifecycle.apply(stack, lifecycle.BREAK, _reason(job))
        case _ if stack.status == StackStatus.UPDATING:
            _did_not_change(job, stack, status)


def _is_so_already(job: Job, stack: Stack) -> None:
    """The cloud found nothing to change, so what runs is what was asked for: the new version's number included."""
    values = {
        "version_id": job.to_version_id,
        "running_version_id": job.to_version_id,
        "answers": job.payload["answers"],
        "running_answers": job.payload["answers"],
    }
    if lifecycle.can(stack, lifecycle.ACCEPT):
        lifecycle.apply(stack, lifecycle.ACCEPT, "It runs as asked already.", by=job.requested_by, **values)
    else:
        db.session.execute(update(Stack).where(Stack.id == stack.id).values(**values))
        audit.record("stack:unchanged", "stack", stack.ref, f"{stack.name} ran as asked already.", by=job.requested_by)


def _came_up(job: Job, stack: Stack, now: datetime) -> None:
    took = next((step for step in job.steps if step.key == "execute" and step.intent_at), None)
    if took and took.intent_at:
        learn_durations(stack, job, (now - took.intent_at).total_seconds(), now)
    lifecycle.apply(
        stack,
        lifecycle.COME_UP,
        running_version_id=job.to_version_id,
        running_answers=job.payload["answers"],
        ready_at=now,
    )


def _did_not_change(job: Job, stack: Stack, status: str) -> None:
    meaning = MEANINGS.get(stack.cloud_status or "")
    if status == "cancelled" and meaning and meaning.status is StackStatus.TAINTED:
        # Undone on request: what runs is what is wanted again.
        lifecycle.apply(
            stack,
            lifecycle.COME_UP,
            "The update was cancelled.",
            version_id=stack.running_version_id,
            answers=stack.running_answers,
        )
    elif meaning and meaning.status is StackStatus.TAINTED:
        lifecycle.apply(stack, lifecycle.TAINT, _reason(job))
    else:
        lifecycle.apply(stack, lifecycle.DEGRADE, _reason(job))


def _reason(job: Job) -> str:
    return (job.failure or {}).get("sentence", "")


def deletion_ended(ending: Ending, status: str) -> None:
    """Bring the stack to where the job that deletes it left it."""
    job = ending.job
    stack = stack_of(job)
    if stack.status != StackStatus.DELETING:
        return
    if status == "succeeded":
        if stack.cloud_id is None:
            db.session.execute(delete(Resource).where(Resource.stack_id == stack.id))
        lifecycle.apply(stack, lifecycle.GONE, by=job.requested_by)
    else:
        lifecycle.apply(stack, lifecycle.STICK, (job.failure or {}).get("sentence", "The deletion did not happen."))
