"""The steps that delete a stack: check, execute, follow, verify."""

from collections.abc import Iterable

from sqlalchemy import delete, select

from app import db
from app.aws import cloudformation as cfn
from app.jobs.flows import Again, Cancelled, Done, Outcome, Skip, Stop
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import causes, lifecycle
from app.stacks.cloud import cloudformation, is_ours, token
from app.stacks.following import last_event_id, observe, settle_resources
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Resource, Stack, StackEvent
from app.stacks.outcomes import events_since, failure_of, follow_seconds, stack_of

LOOKS_BEFORE_JUDGING = 20
KEPT = "DELETE_SKIPPED"


def check(run: Run) -> Outcome:
    """Find out what there is to delete; nothing without our mark is touched."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    found = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    if found is None or found.status == "DELETE_COMPLETE":
        return Done("nothing is left in the cloud")
    if not is_ours(stack, found.tags):
        return Stop(causes.explain(None, "The stack in the cloud does not carry Slipway's mark, so it is left alone."))
    return Done("found")


def execute(run: Run) -> Outcome:
    """Ask for the deletion; asking twice is harmless, and by id it can never hit another stack."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    found = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    with run.writing() as job:
        _take_leave(job, found)
    if found is None or found.status == "DELETE_COMPLETE":
        return Skip("nothing is left in the cloud")
    if found.is_protected:
        cfn.protect(client, found.cloud_id, False)
    cfn.delete_stack(client, found.cloud_id, token(job, "execute"))
    return Done()


def _take_leave(job: Job, found: cfn.StackState | None) -> None:
    """Say that the stack goes, and note its id before the call: by id alone a deleted stack can still be read."""
    stack = stack_of(job)
    if lifecycle.can(stack, lifecycle.DELETE):
        lifecycle.apply(stack, lifecycle.DELETE, by=job.requested_by)
    if found is not None:
        stack.cloud_id = found.cloud_id


def follow(run: Run) -> Outcome:
    """Look once; the stack's own id tells a deleted stack from one that was never there."""
    job = run.job
    stack = stack_of(job)
    if stack.cloud_id is None:
        return Skip("nothing was ever there")
    seen = last_event_id(stack)
    client = cloudformation(stack, job)
    state = cfn.find_stack(client, stack.cloud_id)
    events = events_since(client, stack.cloud_id, seen) if state else []
    with run.writing() as job:
        observe(stack_of(job), job, state, events or [])
    if state is None or state.status == "DELETE_COMPLETE":
        return Done()
    if MEANINGS[state.status].moves or not _has_begun(run):
        return Again(follow_seconds())
    return Stop(failure_of(client, job, stack, state))


def _has_begun(run: Run) -> bool:
    """Right after the request the stack may still show how it stood before, even DELETE_FAILED of an earlier try."""
    query = select(StackEvent.id).where(StackEvent.job_id == run.job_id, StackEvent.status == "DELETE_FAILED").limit(1)
    return db.session.scalar(query) is not None or (run.step is not None and run.step.attempt > LOOKS_BEFORE_JUDGING)


def verify(run: Run) -> Outcome:
    """Note what was kept on purpose (DeletionPolicy: Retain), and forget the rest."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    listed = cfn.resources(client, stack.cloud_id) if stack.cloud_id and cfn.find_stack(client, stack.cloud_id) else []
    with run.writing() as job:
        stack = stack_of(job)
        settle_resources(stack, job, kept := _kept(stack, listed))
    return Done(f"{len(kept)} kept on purpose" if kept else "nothing is left")


def _kept(stack: Stack, listed: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Return what was not deleted, on purpose: told by the list or, where a deleted stack has none, by the events."""
    rows = db.session.scalars(select(Resource).where(Resource.stack_id == stack.id, Resource.status == KEPT))
    told = {row.logical_id: _item(row) for row in rows}
    return list((told | {item["logical_id"]: item for item in listed if item["status"] == KEPT}).values())


def _item(row: Resource) -> dict[str, str]:
    names = ("logical_id", "physical_id", "type", "status", "reason")
    return {name: getattr(row, name) or "" for name in names}


def cancel(run: Run) -> Outcome:
    """Before the request was sent nothing has happened; afterwards CloudFormation knows no way back."""
    if stack_of(run.job).status == StackStatus.DELETING:
        return execute(run)
    return Cancelled("before anything was deleted")


def ended(run: Run, status: str) -> None:
    """Bring the stack to where the job left it, in the transaction that ends the job."""
    job = run.job
    stack = stack_of(job)
    if stack.status != StackStatus.DELETING:
        return
    if status == "succeeded":
        if stack.cloud_id is None:
            db.session.execute(delete(Resource).where(Resource.stack_id == stack.id))
        lifecycle.apply(stack, lifecycle.GONE, by=job.requested_by)
    else:
        lifecycle.apply(stack, lifecycle.STICK, (job.failure or {}).get("sentence", "The deletion did not happen."))
