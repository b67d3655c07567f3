"""What happens past the portal: stacks that lie there already, and people at work in the console."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tests.chaos.model.change_sets import UPDATABLE
from tests.chaos.model.refusals import Refusal
from tests.chaos.model.stacks import retire_change_sets
from tests.chaos.model.state import Moment, Operation, Resource, Stack
from tests.chaos.model.template import Change

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation

SMALL = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"QueueUrl": {"Value": "-"}}}'
# How the resources of a stack stand that has come into a status; in a rollback only the first one is in the way.
_STUCK = {
    "CREATE_FAILED": "CREATE_FAILED",
    "UPDATE_FAILED": "UPDATE_FAILED",
    "UPDATE_ROLLBACK_FAILED": "UPDATE_FAILED",
    "ROLLBACK_FAILED": "DELETE_FAILED",
    "DELETE_FAILED": "DELETE_FAILED",
    "CREATE_IN_PROGRESS": "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS": "UPDATE_IN_PROGRESS",
    "DELETE_IN_PROGRESS": "DELETE_IN_PROGRESS",
}
_GONE = {"ROLLBACK_COMPLETE", "DELETE_COMPLETE"}


def put_stack(
    cloud: "CloudFormation",
    name: str,
    status: str,
    tags: Mapping[str, str] | None = None,
    *,
    body: str = SMALL,
    parameters: Mapping[str, str] | None = None,
    is_protected: bool = False,
    token: str = "",
    then: Iterable[tuple[float, str]] = (),
) -> Stack:
    """Lay a stack in this status there. It stays so, or takes what `then` says: seconds from now, and a status."""
    cloud.settle()
    stack = cloud.add_stack(name, tags or {})
    stack.body, stack.parameters, stack.is_protected = body, dict(parameters or {}), is_protected
    types = stack.outline().types
    stack.operation = Operation(token, tuple(Change("Modify", each, kind) for each, kind in types.items()))
    if status != "REVIEW_IN_PROGRESS":
        _fill(stack, types, status, cloud.at)
    stack.turn(cloud.at, status)
    cloud.plan(stack, [Moment(cloud.at + seconds, "", later) for seconds, later in then])
    return stack


def _fill(stack: Stack, types: Mapping[str, str], status: str, at: float) -> None:
    well = "DELETE_COMPLETE" if status in _GONE else "CREATE_COMPLETE"
    for number, (name, kind) in enumerate(types.items()):
        stands = _STUCK.get(status, well) if number == 0 or status.endswith("_IN_PROGRESS") else well
        stack.resources[name] = Resource(name, kind, f"{stack.name}-{name}-{stack.id[-12:]}", stands, "", at)


def interfere(cloud: "CloudFormation", name_or_id: str, what: str) -> bool:
    """Do as a person in the console: update, delete, cancel, protect or unprotect. Say whether the cloud allowed it.

    It is logged as a call of the console's, under a token such as the console makes. An update made directly turns
    the stack's change sets OBSOLETE.
    """
    cloud.settle()
    token = f"Console-{what.title()}-{cloud.new_id()}"
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "delete": ("DeleteStack", {"ClientRequestToken": token}),
        "cancel": ("CancelUpdateStack", {"ClientRequestToken": token}),
        "protect": ("UpdateTerminationProtection", {"EnableTerminationProtection": True}),
        "unprotect": ("UpdateTerminationProtection", {"EnableTerminationProtection": False}),
    }
    if what == "update":
        return _update_directly(cloud, name_or_id, token)
    operation, request = calls[what]
    try:
        return cloud.perform("console", operation, {"StackName": name_or_id, **request})
    except Refusal:
        return False


def _update_directly(cloud: "CloudFormation", name_or_id: str, token: str) -> bool:
    stack = cloud.stack(name_or_id)
    if stack is None or stack.status not in UPDATABLE:
        return False
    retire_change_sets(cloud, stack)
    changes = tuple(Change("Modify", each.logical_id, each.type) for each in stack.holds())
    cloud.update(stack, Operation(token, changes, stack.body, stack.parameters, stack.tags))
    cloud.log("console", "UpdateStack", stack.id, token, happened=True)
    return True
