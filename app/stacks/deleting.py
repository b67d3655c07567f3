"""The steps that delete a stack: check, execute, follow, verify."""

from collections.abc import Generator
from typing import Any

from app.aws import cloudformation as cfn
from app.jobs.flows import Again, Cancelled, Done, Effect, Skip, Steps, Stop
from app.stacks import causes
from app.stacks.case import Case
from app.stacks.effects import (
    DeleteStack,
    Explain,
    FindStack,
    HasFailedToDelete,
    Keep,
    ListResources,
    Observe,
    Protect,
    ReadEvents,
    TakeLeave,
)
from app.stacks.lifecycle import StackStatus
from app.stacks.standing import Delete, Follow, standing

LOOKS_BEFORE_JUDGING = 20


def check(case: Case) -> Steps:
    """Find out what there is to delete; nothing without our mark is touched."""
    found = yield FindStack(case.where)
    if found is None or standing(found.status).delete is Delete.GONE:
        return Done("nothing is left in the cloud")
    if not case.is_ours(found.tags):
        return Stop(causes.explain(None, "The stack in the cloud does not carry Slipway's mark, so it is left alone."))
    return Done("found")


def execute(case: Case) -> Steps:
    """Ask for the deletion; asking twice is harmless, and by id it can never hit another stack."""
    found = yield FindStack(case.where)
    wanted = standing(found.status if found else None).delete
    if wanted is Delete.WAIT and found is not None:
        return Again(case.pace, f"it has to settle first: {found.status}")
    yield TakeLeave(found.cloud_id if found else None)
    if found is None or wanted is Delete.GONE:
        return Skip("nothing is left in the cloud")
    if wanted is not Delete.FOLLOW:
        yield from _request(case, found)
    return Done()


def _request(case: Case, found: cfn.StackState) -> Generator[Effect, Any, None]:
    if found.is_protected:
        yield Protect(found.cloud_id, False)
    # CloudFormation retains only what has resisted a deletion before.
    retain = case.retains if standing(found.status).delete is Delete.DELETE_AGAIN else ()
    yield DeleteStack(found.cloud_id, case.token("execute"), retain)


def follow(case: Case) -> Steps:
    """Look once; the stack's own id tells a deleted stack from one that was never there."""
    if case.cloud_id is None:
        return Skip("nothing was ever there")
    state = yield FindStack(case.cloud_id)
    events = (yield ReadEvents(case.cloud_id)) if state else []
    yield Observe(state, events or [])
    if state is None:
        return Done()
    match standing(state.status).deleting:
        case Follow.DONE:
            return Done()
        case Follow.FAILED:
            # Right after the request it may still show how an earlier try ended.
            if (yield HasFailedToDelete()) or case.looks > LOOKS_BEFORE_JUDGING:
                return Stop((yield Explain(state)))
        case Follow.STALE:
            if case.looks % LOOKS_BEFORE_JUDGING == 0:
                # The request may never have arrived; under its own token it is still the same request.
                yield from _request(case, state)
        case Follow.GOES_ON:
            return case.wait()
        case Follow.TIDIES | Follow.UNSEEN | Follow.UNDONE | Follow.GONE:
            pass
    return Again(case.pace)


def verify(case: Case) -> Steps:
    """Note what was kept on purpose (DeletionPolicy: Retain), and forget the rest."""
    there = case.cloud_id and (yield FindStack(case.cloud_id))
    listed = (yield ListResources(case.cloud_id)) if case.cloud_id and there else []
    kept = yield Keep(listed)
    return Done(f"{kept} kept on purpose" if kept else "nothing is left")


def cancel(case: Case) -> Steps:
    """Before the request was sent nothing has happened; afterwards CloudFormation knows no way back."""
    if case.status == StackStatus.DELETING:
        return (yield from execute(case))
    return Cancelled("before anything was deleted")
