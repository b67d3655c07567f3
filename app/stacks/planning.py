"""The steps before anything changes: is the place free, what would change, does somebody say yes."""

from collections.abc import Generator
from contextlib import suppress
from typing import Any

from app.aws import cloudformation as cfn
from app.aws.errors import AlreadyThere, NothingToDo, WrongState
from app.jobs.flows import Again, Done, Effect, Hold, Outcome, Skip, Steps, Stop
from app.stacks.case import Case
from app.stacks.effects import (
    ConfirmAhead,
    ContinueRollback,
    CountTry,
    CreateChangeSet,
    DeleteChangeSet,
    DeleteStack,
    ExplainChangeSet,
    FindChangeSet,
    FindStack,
    HasEventOf,
    Lose,
    NoteCloudId,
    WritePlan,
)
from app.stacks.lifecycle import MEANINGS
from app.stacks.standing import Change, Start, standing
from app.stacks.wordings import GONE, failure

PLAN_SECONDS = 0.3
MOST_TRIES = 5
# Execution statuses of a change set that runs or ran.
STARTED = ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")


def check(case: Case) -> Steps:
    """Make sure the place is free: a leftover of our own earlier try is removed, anything else is left alone."""
    found = yield FindStack(case.cloud_name)
    if found is None:
        return Done("name is free")
    if not case.is_ours(found.tags):
        return _not_ours(case)
    return (yield from clear(case, found))


def _not_ours(case: Case) -> Stop:
    return Stop(failure(f"A stack named {case.cloud_name} exists there and is not Slipway's.", "Choose another name."))


def clear(case: Case, found: cfn.StackState) -> Steps:
    """Remove what an earlier try left, and wait until it is gone; what came up after all is left to a person."""
    tries = case.tries
    match standing(found.status).start:
        case Start.CREATE:
            return Done("name is free")
        case Start.WAIT:
            return Again(case.pace, f"the last try has not settled: {found.status}")
        case Start.CAME_UP:
            return Stop(failure("The last try came up after all.", "Delete the stack, then launch it again."))
        case Start.CLEAR_AGAIN:
            tries += 1
            if tries > MOST_TRIES:
                advice = "Delete the stack; the reason is below."
                return Stop(failure("What the last try left cannot be removed.", advice, found.reason))
            yield CountTry(tries)
        case Start.CLEAR:
            pass
    yield DeleteStack(found.cloud_id, case.token(f"clear{tries}"))
    return Again(case.pace, "removing what the last try left")


def check_update(case: Case) -> Steps:
    """Make sure the stack is there, ours, and in a state CloudFormation can change it from."""
    found = yield FindStack(case.where)
    change = standing(found.status if found else None).change
    if found is None or change is Change.LOST:
        return (yield from vanished())
    if not case.is_ours(found.tags):
        return Stop(failure("The stack in the cloud is not Slipway's.", "Ask the platform team."))
    match change:
        case Change.PLAN:
            return Done()
        case Change.WAIT:
            return Again(case.pace, f"somebody else is changing it: {found.status}")
        case Change.CONTINUE_ROLLBACK:
            return (yield from _continue_rollback(case, found))
        case Change.REFUSE:
            return _refused(found)


def _refused(found: cfn.StackState) -> Stop:
    sentence = f"CloudFormation changes no stack in the state {found.status}."
    return Stop(failure(sentence, MEANINGS[found.status].next_action, found.reason))


def _continue_rollback(case: Case, found: cfn.StackState) -> Steps:
    """Get a rollback going again that got stuck; what keeps resisting is for a person to skip."""
    tries = case.tries + 1
    if tries > MOST_TRIES:
        return _refused(found)
    yield CountTry(tries)
    # Where nothing is stuck any more an earlier call was heard, though its answer was lost: the next look tells.
    with suppress(WrongState):
        yield ContinueRollback(found.cloud_id, case.token(f"continue{tries}"), case.skips)
    return Again(case.pace, "continuing the rollback of the last change")


def vanished() -> Steps:
    """Note that the stack is gone from the cloud without us, and stop."""
    yield Lose()
    return Stop(failure(*GONE))


def plan(case: Case) -> Steps:
    """Ask for the change set, wait until it is made, and write it down in plain words."""
    if case.plan:
        return Done("planned before")
    # Before the first intent was written nothing can have been asked for, so there is nothing to look for.
    change_set = (yield FindChangeSet(case.change_set_name, case.cloud_name)) if case.is_repeat else None
    if change_set is None:
        try:
            change_set = yield CreateChangeSet()
        except AlreadyThere:
            return (yield from _taken(case))
        except NothingToDo:
            return _nothing(case)
        except WrongState as problem:
            # Between our check and now somebody else began to change it; the check's wait applies here too.
            return Again(case.pace, problem.sentence)
    if change_set.stack_cloud_id not in ("", case.cloud_id):
        yield NoteCloudId(change_set.stack_cloud_id)
    return (yield from _judge(case, change_set))


def _taken(case: Case) -> Steps:
    """Tell our own earlier request, whose answer was lost, from somebody else's stack of this name."""
    if (yield FindChangeSet(case.change_set_name, case.cloud_name)) is None:
        found = yield FindStack(case.cloud_name)
        if found is not None and not case.is_ours(found.tags):
            return _not_ours(case)
    return Again(PLAN_SECONDS)


def _judge(case: Case, change_set: cfn.ChangeSet) -> Steps:
    if change_set.is_empty or (change_set.status == "CREATE_COMPLETE" and _creates_nothing(case, change_set)):
        yield from _discard(case, change_set)
        return _nothing(case)
    match change_set.status:
        case "CREATE_COMPLETE":
            count = yield WritePlan(change_set)
            return Done(f"{count} to create" if case.kind == "create" else f"{count} changes")
        case "CREATE_PENDING" | "CREATE_IN_PROGRESS":
            return Again(PLAN_SECONDS, "CloudFormation works out the changes")
        case "FAILED":
            reasons = yield ExplainChangeSet(change_set)
            yield from _discard(case, change_set)
            return Stop(reasons)
        case _:
            return Stop(failure("The plan was removed in the cloud.", "Try again.", change_set.status))


def _creates_nothing(case: Case, change_set: cfn.ChangeSet) -> bool:
    return case.kind == "create" and not change_set.changes


def _discard(case: Case, change_set: cfn.ChangeSet) -> Generator[Effect, Any, None]:
    """Remove a change set that will not run, and the empty stack a CREATE one leaves behind."""
    yield DeleteChangeSet(change_set.cloud_id)
    if case.kind == "create" and change_set.stack_cloud_id:
        yield DeleteStack(change_set.stack_cloud_id, case.token("discard"))


def _nothing(case: Case) -> Outcome:
    """A change that changes nothing is done; a stack of nothing is a mistake among the answers."""
    if case.kind == "create":
        return Stop(failure("With these answers the template creates nothing.", "Change the answers and try again."))
    return Done("nothing to change")


def confirm(case: Case) -> Steps:
    """Wait for somebody's yes to exactly this plan; a new stack touches nothing and needs none.

    A yes that came with the request covers what can be taken back, not the loss of data.
    """
    if case.plan is None:
        return Skip("nothing to change")
    if case.kind == "create":
        return Skip("not needed here")
    if not case.plan.is_confirmed:
        if not case.is_confirmed or case.plan.loses_data:
            return Hold("waiting for somebody to read the plan and say yes")
        yield ConfirmAhead()
    return Done("confirmed")


def execution(case: Case) -> Generator[Effect, Any, str]:
    """Return how the execution of the job's change set stands; empty when there is none.

    CloudFormation forgets change sets, but no operation's token.
    """
    assert case.plan is not None, "only a planned change is executed"
    change_set = yield FindChangeSet(case.plan.change_set_id)
    if change_set is not None:
        return str(change_set.execution_status)
    return "EXECUTE_COMPLETE" if (yield HasEventOf(case.where, case.token("execute"))) else ""
