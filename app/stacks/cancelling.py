"""Taking a create or an update back before it runs."""

from typing import Any

from app.aws import cloudformation as cfn
from app.aws.errors import WrongState
from app.jobs.flows import Again, Cancelled, Outcome
from app.jobs.run import Run
from app.stacks.cloud import change_set_name, cloudformation, is_ours
from app.stacks.launching import execute
from app.stacks.models import Stack
from app.stacks.outcomes import plan_of, stack_of
from app.stacks.planning import PLAN_SECONDS, clear, is_started


def cancel(run: Run) -> Outcome:
    """Cancel before anything runs: the change set goes, and with it the empty stack of a create.

    Where the change set runs already (its start was not answered, or the worker died over it) the job goes on to the
    step that can undo it.
    """
    job = run.job
    stack, found = stack_of(job), plan_of(job)
    client = cloudformation(stack, job)
    if found is not None and is_started(client, stack, job, found):
        run.is_repeat = True
        return execute(run)
    change_set = cfn.find_change_set(client, change_set_name(job), stack.cloud_name)
    if change_set is not None:
        try:
            cfn.delete_change_set(client, change_set.cloud_id)
        except WrongState:
            return Again(PLAN_SECONDS, "waiting until CloudFormation has worked out the changes")
    return _remove_begun(run, client, stack) if job.kind == "create" else Cancelled("before anything was changed")


def _remove_begun(run: Run, client: Any, stack: Stack) -> Outcome:
    """Remove what a create has begun, or what its earlier try left; it is cancelled once nothing of it remains."""
    left = cfn.find_stack(client, stack.cloud_name)
    if left is None or not is_ours(stack, left.tags):
        return Cancelled("before anything was changed")
    return clear(run, client, left)
