"""Taking a create or an update back before it runs."""

from app.aws.errors import WrongState
from app.jobs.flows import Again, Cancelled, Steps
from app.stacks.case import Case
from app.stacks.effects import CountUnseen, DeleteChangeSet, FindChangeSet, FindStack
from app.stacks.launching import execute
from app.stacks.planning import PLAN_SECONDS, STARTED, clear, execution
from app.stacks.standing import LOOKS_BEFORE_BELIEVING, Start, standing

# Readings lag some seconds behind: between two looks for what may be too young to be known.
UNSEEN_SECONDS = 2.0


def cancel(case: Case) -> Steps:
    """Cancel before anything runs: the change set goes, and with it the empty stack of a create.

    Where the change set runs already (its start was not answered, or the worker died over it) the job goes on to the
    step that can undo it.
    """
    if case.plan is not None and (yield from execution(case)) in STARTED:
        return (yield from execute(case.with_(is_repeat=True)))
    change_set = yield FindChangeSet(case.change_set_name, case.cloud_name)
    if change_set is not None:
        try:
            yield DeleteChangeSet(change_set.cloud_id)
        except WrongState:
            return Again(PLAN_SECONDS, "waiting until CloudFormation has worked out the changes")
    if case.kind == "create":
        return (yield from _remove_begun(case))
    return Cancelled("before anything was changed")


def _remove_begun(case: Case) -> Steps:
    """Remove what a create has begun, or what its earlier try left; it is cancelled once nothing of it remains."""
    left = yield FindStack(case.where)
    if left is None:
        return (yield from _unseen(case))
    if standing(left.status).start is Start.CREATE or not case.is_ours(left.tags):
        return Cancelled("before anything was changed")
    return (yield from clear(case, left))


def _unseen(case: Case) -> Steps:
    """Believe that nothing is left, unless a request was sent whose answer is not known: it may be too young."""
    if case.looks and case.unseen < LOOKS_BEFORE_BELIEVING:
        yield CountUnseen(case.unseen + 1)
        return Again(UNSEEN_SECONDS, "making sure that nothing has begun")
    return Cancelled("before anything was changed")
