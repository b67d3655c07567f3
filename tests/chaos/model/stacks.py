"""The writing calls on stacks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.chaos.model import course, refusals
from tests.chaos.model.state import Operation, Resource, Stack

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation

# While it is being changed or brought back, a stack cannot be deleted; while it is being created it can.
_UNDELETABLE = {
    "UPDATE_IN_PROGRESS",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "IMPORT_ROLLBACK_IN_PROGRESS",
}


def delete_stack(
    cloud: "CloudFormation",
    *,
    StackName: str,
    RetainResources: Sequence[str] = (),
    ClientRequestToken: str = "",
    DeletionMode: str = "STANDARD",
    **_ignored: Any,
) -> dict[str, Any]:
    """Begin to delete a stack. One that is gone or going already is no error and nothing happens twice.

    The same token again gives the same answer, also after the deletion failed: a second try needs a token of its own.
    """
    stack = cloud.stack(StackName) or cloud.ids.get(StackName)
    if stack is None or cloud.is_repeated(stack, ClientRequestToken, "DeleteStack"):
        return {}
    if stack.status in ("DELETE_COMPLETE", "DELETE_IN_PROGRESS"):
        return {}
    if stack.is_protected:
        raise refusals.protected(StackName)
    if stack.status in _UNDELETABLE:
        raise refusals.cannot_delete(StackName, stack.status)
    if RetainResources and stack.status != "DELETE_FAILED":
        raise refusals.cannot_retain(stack)
    skipped = _skipped(stack, RetainResources, DeletionMode == "FORCE_DELETE_STACK")
    retire_change_sets(cloud, stack)
    ids = [each.logical_id for each in stack.holds() if each.logical_id not in skipped]
    plan = cloud.course(stack, "DELETE", ids)
    course.delete(plan, ids, skipped)
    cloud.run(stack, Operation(ClientRequestToken), plan)
    return {}


def _skipped(stack: Stack, retained: Sequence[str], is_forced: bool) -> list[str]:
    return [each.logical_id for each in stack.holds() if each.logical_id in retained or is_forced and _is_stuck(each)]


def _is_stuck(resource: Resource) -> bool:
    return resource.status == "DELETE_FAILED"


def retire_change_sets(cloud: "CloudFormation", stack: Stack) -> None:
    """Whatever was planned for the stack is OBSOLETE now."""
    for change_set in stack.change_sets.values():
        if change_set.executed_at is None and change_set.obsolete_at is None:
            change_set.obsolete_at = cloud.at


def cancel_update_stack(cloud: "CloudFormation", *, StackName: str, ClientRequestToken: str = "") -> dict[str, Any]:
    """Turn an update back; only while it is UPDATE_IN_PROGRESS (API reference, CancelUpdateStack)."""
    stack = cloud.get_stack(StackName)
    if cloud.is_repeated(stack, ClientRequestToken, "CancelUpdateStack"):
        return {}
    if stack.status != "UPDATE_IN_PROGRESS":
        raise refusals.cannot_cancel()
    acts = acts_of(stack.operation)
    plan = cloud.course(stack, "ROLLBACK", [each for each, _ in acts])
    course.cancel(plan, [act for act in acts if stack.resources[act[0]].status.endswith("_IN_PROGRESS")])
    course.undo_update(plan, acts, "User Initiated", cloud.draw(cloud.behaviour.cleanup_seconds))
    cloud.run(stack, Operation(ClientRequestToken, stack.operation.changes), plan)
    return {}


def acts_of(operation: Operation) -> list[tuple[str, str]]:
    """Return what an update does first; removals come in its cleanup."""
    verbs = {"Add": "CREATE", "Modify": "UPDATE"}
    return [(each.logical_id, verbs[each.action]) for each in operation.changes if each.action in verbs]


def continue_update_rollback(
    cloud: "CloudFormation",
    *,
    StackName: str,
    ClientRequestToken: str = "",
    ResourcesToSkip: Sequence[str] = (),
    **_ignored: Any,
) -> dict[str, Any]:
    """Take up a rollback that failed; it may fail again unless the resources in its way are skipped."""
    stack = cloud.get_stack(StackName)
    if cloud.is_repeated(stack, ClientRequestToken, "ContinueUpdateRollback"):
        return {}
    if stack.status != "UPDATE_ROLLBACK_FAILED":
        raise refusals.cannot_continue(stack)
    failed = [each.logical_id for each in stack.holds() if each.status == "UPDATE_FAILED"]
    if strangers := [each for each in ResourcesToSkip if each not in failed]:
        raise refusals.cannot_skip(strangers[0])
    added = [act for act in acts_of(stack.operation) if act[1] == "CREATE"]
    again = [(each, "UPDATE") for each in failed if each not in ResourcesToSkip]
    plan = cloud.course(stack, "ROLLBACK", [each for each, _ in again])
    plan.moments += [course.Moment(plan.at, each, "UPDATE_COMPLETE", "Skipped on request") for each in ResourcesToSkip]
    cleanup = cloud.draw(cloud.behaviour.cleanup_seconds)
    course.undo_update(plan, [*again, *added], "User Initiated", cleanup)
    cloud.run(stack, Operation(ClientRequestToken, stack.operation.changes), plan)
    return {}


def update_termination_protection(
    cloud: "CloudFormation", *, StackName: str, EnableTerminationProtection: bool
) -> dict[str, Any]:
    """Switch protection on or off; it may be repeated."""
    stack = cloud.get_stack(StackName)
    cloud.effects += stack.is_protected != EnableTerminationProtection
    stack.is_protected = EnableTerminationProtection
    return {"StackId": stack.id}
