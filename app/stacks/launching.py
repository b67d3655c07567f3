"""The steps that create or change a stack once its plan may run: execute, follow, verify."""

from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import Any

from app.aws import cloudformation as cfn
from app.aws.errors import AlreadyThere, CloudProblem, NotThere, Outdated, WrongState
from app.jobs.flows import Again, Cancelled, Done, Effect, Skip, Steps, Stop
from app.stacks.case import Case
from app.stacks.effects import (
    CancelUpdate,
    DeleteStack,
    ExecuteChangeSet,
    Explain,
    FindStack,
    HasEventOf,
    ListResources,
    NoteUndo,
    Observe,
    Protect,
    ReadEvents,
    Settle,
    TakeOver,
)
from app.stacks.planning import STARTED, execution, vanished
from app.stacks.standing import LOOKS_BEFORE_BELIEVING, Cancel, Delete, Follow, standing
from app.stacks.wordings import failure

ENDED = ("EXECUTE_COMPLETE", "EXECUTE_FAILED")


def execute(case: Case) -> Steps:
    """Start the change set. After a crash the cloud is asked first whether it was started already."""
    if case.plan is None:
        return Skip("nothing to change")
    if not (case.is_repeat and (yield from execution(case)) in STARTED):
        stopped = yield from _start(case)
        if stopped:
            return stopped
    yield TakeOver()
    return Done()


def _start(case: Case) -> Generator[Effect, Any, Again | Stop | None]:
    """Start it under the job's own token; asked twice, it starts once."""
    assert case.plan is not None, "only a planned change is executed"
    try:
        yield ExecuteChangeSet(case.plan.change_set_id, case.token("execute"))
    except (WrongState, NotThere) as problem:
        how = yield from execution(case)
        if how == "AVAILABLE" and not isinstance(problem, Outdated) and case.looks <= LOOKS_BEFORE_BELIEVING:
            # It can be executed and it cannot: one of the two is an old reading.
            return Again(case.pace, problem.sentence)
        if how not in STARTED:
            return Stop(failure("The stack changed since this plan was made.", "Plan again.", problem.sentence))
    except AlreadyThere:
        pass
    return None


def follow(case: Case) -> Steps:
    """Look at the moving stack once: events, resources, status. Ends when the cloud says it has settled."""
    if case.plan is None:
        return Skip("nothing to change")
    if case.wants_cancel and not (case.is_undoing or case.refused):
        case = yield from _undo(case)
    state = yield FindStack(case.where)
    events = (yield ReadEvents(case.cloud_id)) if state else []
    yield Observe(state, events or [])
    seen = standing(state.status if state else None).seen_by(case.kind)
    if state is None or seen is Follow.UNSEEN:
        return (yield from _unseen(case))
    match seen:
        case Follow.GOES_ON | Follow.TIDIES:
            return case.wait(case.refused or _moving_words(events or []))
        case Follow.STALE:
            return (yield from _ask_again(case))
        case Follow.GONE:
            return (yield from vanished())
        case Follow.DONE | Follow.UNDONE | Follow.FAILED:
            return (yield from _settled(case, state, seen, has_reason=events is not None))


def _undo(case: Case) -> Generator[Effect, Any, Case]:
    """Ask the cloud to undo. Where it will not (too late, or the role may not), the job is followed to its own end."""
    state = yield FindStack(case.where)
    status = state.status if state else None
    row = standing(status)
    was_turned_back = row.updating is Follow.UNDONE and case.kind == "update"
    is_going = state is not None and row.delete in (Delete.FOLLOW, Delete.GONE) and case.kind == "create"
    if is_going or (was_turned_back and (yield from execution(case)) in ENDED):
        # An earlier request of ours was heard, though nobody noted it. What is read next may be older than this.
        yield NoteUndo()
        return case.with_(is_undoing=True)
    try:
        match row.cancelling(case.kind):
            case Cancel.TURN_BACK:
                yield CancelUpdate(case.where, case.token("cancel"))
            # What is executed and yet reads as not begun is an old reading.
            case Cancel.DELETE | Cancel.DISCARD if case.kind == "create":
                yield DeleteStack(case.where, case.token("cancel"))
            case Cancel.TOO_LATE:
                return (yield from _refuse(case, f"it is {status}"))
            case Cancel.WAIT | Cancel.DISCARD | Cancel.DELETE | Cancel.NOTHING_LEFT:
                return case
    except CloudProblem as problem:
        if problem.patience:
            raise
        # Too late may be only this second call: the answer to a first one, which was heard, may have been lost.
        if not (yield HasEventOf(case.where, case.token("cancel"))):
            return (yield from _refuse(case, problem.sentence))
    yield NoteUndo()
    return case.with_(is_undoing=True)


def _refuse(case: Case, why: str) -> Generator[Effect, Any, Case]:
    refused = f"It cannot be cancelled any more: {why}"[:500]
    yield NoteUndo(refused)
    return case.with_(refused=refused)


def _unseen(case: Case) -> Steps:
    """Right after the request a stack may be too young to be known; told often enough, it is gone."""
    if case.looks <= LOOKS_BEFORE_BELIEVING:
        return Again(case.pace, "the cloud does not know it yet")
    if case.is_to_be_undone:
        return Cancelled("undone on request")
    return (yield from _disappeared(case))


def _disappeared(case: Case) -> Steps:
    if case.kind == "update":
        return (yield from vanished())
    return Stop(failure("The stack disappeared from the cloud while it was made.", "Launch it again."))


def _ask_again(case: Case) -> Steps:
    """What was read is older than what we asked for; if it stays so, the request may never have arrived."""
    if case.plan is not None and case.looks > LOOKS_BEFORE_BELIEVING:
        match (yield from execution(case)):
            case "EXECUTE_FAILED" | "OBSOLETE":
                return Stop(failure("CloudFormation did not start this change.", "Plan again."))
            case "EXECUTE_IN_PROGRESS" | "EXECUTE_COMPLETE":
                pass
            case _:
                # Under its own token it is still the same request.
                with suppress(WrongState, NotThere, AlreadyThere):
                    yield ExecuteChangeSet(case.plan.change_set_id, case.token("execute"))
    return Again(case.pace, case.refused)


def _moving_words(events: Sequence[cfn.Event]) -> str:
    moving = [event.logical_id for event in events if event.status.endswith("_IN_PROGRESS")]
    return f"waiting for {moving[-1]}" if moving else ""


def _settled(case: Case, state: cfn.StackState, seen: Follow, *, has_reason: bool) -> Steps:
    if case.kind == "create" and case.is_undoing and not state.status.startswith("DELETE_"):
        # Right after the request to undo it, it may still look complete.
        return Again(case.pace)
    how = (yield from execution(case)) if case.kind == "update" else "EXECUTE_COMPLETE"
    if how not in ENDED:
        # An update may still show how the last one ended.
        return (yield from _ask_again(case))
    is_agreed = (seen is Follow.DONE) == (how == "EXECUTE_COMPLETE")
    if case.kind == "update" and not is_agreed and case.looks <= LOOKS_BEFORE_BELIEVING:
        # The stack may still show how the update before ended; a change set that is forgotten tells no outcome.
        return Again(case.pace, "waiting until stack and change set agree")
    if seen is Follow.DONE:
        return Done() if how == "EXECUTE_COMPLETE" else Stop((yield Explain(state)))
    if not has_reason:
        return Again(case.pace, "waiting for the reason")
    if case.is_to_be_undone and seen is Follow.UNDONE:
        return Cancelled("undone on request")
    return Stop((yield Explain(state)))


def verify(case: Case) -> Steps:
    """Read what came out of it: outputs, resources and their ids."""
    try:
        state = yield FindStack(case.where)
        resources = (yield ListResources(state.cloud_id)) if state else []
    except NotThere:
        state = None
    if state is None and case.looks <= LOOKS_BEFORE_BELIEVING:
        # It was seen to have come up: this reading is older.
        return Again(case.pace, "the cloud does not know it yet")
    if state is None:
        return (yield from _disappeared(case))
    note = f"{len(resources)} resources, {len(state.outputs)} outputs"
    if case.is_protected and not state.is_protected and not (yield from _protect(state)):
        note += "; the cloud's own deletion protection could not be switched on"
    yield Settle(state, resources)
    return Done(note)


def _protect(state: cfn.StackState) -> Generator[Effect, Any, bool]:
    """Switch the cloud's own protection on. A stack that is up has not failed because the role may not do this."""
    try:
        yield Protect(state.cloud_id, True)
    except CloudProblem as problem:
        if problem.patience:
            raise
        return False
    return True
