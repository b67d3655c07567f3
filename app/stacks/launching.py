"""The steps that create or change a stack once its plan may run: execute, follow, verify."""

from typing import Any

from app.aws import cloudformation as cfn
from app.aws.errors import AlreadyThere, CloudProblem, NotThere, WrongState
from app.jobs.flows import Again, Cancelled, Done, Outcome, Skip, Stop
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import lifecycle
from app.stacks.cloud import cloudformation, token
from app.stacks.following import last_event_id, observe, settle_resources
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Plan, Stack
from app.stacks.outcomes import events_since, failure, failure_of, follow_seconds, plan_of, stack_of
from app.stacks.planning import is_started, vanished


def execute(run: Run) -> Outcome:
    """Start the change set. After a crash the cloud is asked first whether it was started already."""
    job = run.job
    stack, found = stack_of(job), plan_of(job)
    if found is None:
        return Skip("nothing to change")
    client = cloudformation(stack, job)
    if not (run.is_repeat and is_started(client, stack, job, found)):
        try:
            cfn.execute_change_set(client, found.change_set_id, token(job, "execute"))
        except (WrongState, NotThere) as problem:
            if not is_started(client, stack, job, found):
                return Stop(failure("The stack changed since this plan was made.", "Plan again.", problem.sentence))
        except AlreadyThere:
            pass
    with run.writing() as job:
        _take_over_answers(job)
    return Done()


def _take_over_answers(job: Job) -> None:
    """From here on the stack is asked to be what the job says; until now nothing of it had changed."""
    stack = stack_of(job)
    if job.kind == "update" and lifecycle.can(stack, lifecycle.UPDATE):
        lifecycle.apply(
            stack, lifecycle.UPDATE, by=job.requested_by, version_id=job.to_version_id, answers=job.payload["answers"]
        )


def follow(run: Run) -> Outcome:
    """Look at the moving stack once: events, resources, status. Ends when the cloud says it has settled."""
    job = run.job
    stack, found = stack_of(job), plan_of(job)
    if found is None:
        return Skip("nothing to change")
    seen = last_event_id(stack)
    client = cloudformation(stack, job)
    if job.cancel_requested_at and not _is_answered(job):
        _undo(run, client, stack)
    state = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    events = events_since(client, stack.cloud_id, seen) if state else []
    with run.writing() as job:
        observe(stack_of(job), job, state, events or [])
    if state is None:
        return _disappeared(run)
    if MEANINGS[state.status].moves or _is_stale(client, job, state, found):
        return Again(follow_seconds(), job.payload.get("refused") or _moving_words(events or []))
    if events is None and MEANINGS[state.status].status is not StackStatus.READY:
        return Again(follow_seconds(), "waiting for the reason")
    return _settled(client, job, stack, state)


def _is_answered(job: Job) -> bool:
    """Say whether the cloud has answered the request to undo, one way or the other."""
    return bool(job.payload.get("undoing") or job.payload.get("refused"))


def _undo(run: Run, client: Any, stack: Stack) -> None:
    """Ask the cloud to undo. Where it will not (too late, or the role may not), the job is followed to its own end."""
    job = run.job
    try:
        if job.kind == "create":
            cfn.delete_stack(client, stack.cloud_id or stack.cloud_name, token(job, "cancel"))
        else:
            cfn.cancel_update(client, stack.cloud_id or stack.cloud_name, token(job, "cancel"))
        answer: dict[str, Any] = {"undoing": True}
    except CloudProblem as problem:
        if problem.patience:
            raise
        answer = {"refused": f"It cannot be cancelled any more: {problem.sentence}"[:500]}
    with run.writing() as job:
        job.payload = job.payload | answer


def _disappeared(run: Run) -> Outcome:
    job = run.job
    if job.kind == "update":
        return vanished(run)
    if job.payload.get("undoing"):
        return Cancelled("undone on request")
    return Stop(failure("The stack disappeared from the cloud while it was made.", "Launch it again."))


def _is_stale(client: Any, job: Job, state: cfn.StackState, found: Plan) -> bool:
    """Say whether what was read is older than what we asked for.

    Right after its start an update may still show how the last one ended, and right after a request to undo it a
    create may still look complete.
    """
    if job.kind == "create":
        return bool(job.payload.get("undoing")) and not state.status.startswith("DELETE_")
    change_set = cfn.find_change_set(client, found.change_set_id)
    return change_set is not None and change_set.execution_status in ("AVAILABLE", "EXECUTE_IN_PROGRESS")


def _moving_words(events: list[cfn.Event]) -> str:
    moving = [event.logical_id for event in events if event.status.endswith("_IN_PROGRESS")]
    return f"waiting for {moving[-1]}" if moving else ""


# What a stack undone on request looks like when that went well.
_UNDONE = {"create": StackStatus.DELETED, "update": StackStatus.TAINTED}


def _settled(client: Any, job: Job, stack: Stack, state: cfn.StackState) -> Outcome:
    meaning = MEANINGS[state.status]
    if meaning.status is StackStatus.READY:
        return Done()
    if job.payload.get("undoing") and meaning.status is _UNDONE[job.kind]:
        return Cancelled("undone on request")
    return Stop(failure_of(client, job, stack, state))


def verify(run: Run) -> Outcome:
    """Read what came out of it: outputs, resources and their ids."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    state = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    if state is None:
        return _disappeared(run)
    found = cfn.resources(client, state.cloud_id)
    note = f"{len(found)} resources, {len(state.outputs)} outputs"
    if stack.is_protected and not state.is_protected and not _protect(client, state):
        note += "; the cloud's own deletion protection could not be switched on"
    with run.writing() as job:
        stack = stack_of(job)
        observe(stack, job, state, [])
        stack.outputs = state.outputs
        settle_resources(stack, job, found)
    return Done(note)


def _protect(client: Any, state: cfn.StackState) -> bool:
    """Switch the cloud's own protection on. A stack that is up has not failed because the role may not do this."""
    try:
        cfn.protect(client, state.cloud_id, True)
    except CloudProblem as problem:
        if problem.patience:
            raise
        return False
    return True
