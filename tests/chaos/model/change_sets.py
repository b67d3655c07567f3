"""The writing calls on change sets."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tests.chaos.model import refusals
from tests.chaos.model.state import ChangeSet, Operation, Stack
from tests.chaos.model.template import NOTHING, Change, Outline, changes, outline

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation

# The user guide's "Stack status codes" and "Stack failure options": the latter lets a stack whose rollback is off be
# updated where it failed.
UPDATABLE = {
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "CREATE_FAILED",
    "UPDATE_FAILED",
}
_EMPTY = "The submitted information didn't contain changes. Submit different information to create a change set."
_INVALID = "Validation failed for the template: a value is not allowed."


def create_change_set(
    cloud: "CloudFormation",
    *,
    StackName: str,
    ChangeSetName: str,
    ChangeSetType: str = "UPDATE",
    TemplateBody: str = "",
    UsePreviousTemplate: bool = False,
    Parameters: Sequence[Mapping[str, Any]] = (),
    Tags: Sequence[Mapping[str, str]] | None = None,
    ClientToken: str = "",
    RoleARN: str = "",
    OnStackFailure: str = "ROLLBACK",
    **_ignored: Any,
) -> dict[str, Any]:
    """Begin a change set. The same name under the same token is the same change set (API reference, ClientToken)."""
    stack = cloud.stack(StackName)
    if stack and (known := _of_name(cloud, stack, ChangeSetName)):
        if ClientToken and known.token == ClientToken:
            return {"Id": known.id, "StackId": stack.id}
        raise refusals.change_set_exists(ChangeSetName, "ClientToken")
    if RoleARN and not cloud.is_role_ready():
        raise refusals.role_not_known(RoleARN)
    _check_state(stack, StackName, ChangeSetName, ChangeSetType)
    body = stack.body if stack and UsePreviousTemplate else TemplateBody
    new = _read(body)
    parameters = _resolved(Parameters, stack.parameters if stack else {})
    tags = {tag["Key"]: tag["Value"] for tag in Tags} if Tags is not None else dict(stack.tags if stack else {})
    if stack is None:
        stack = cloud.add_stack(StackName, tags)
        stack.turn(cloud.at, "REVIEW_IN_PROGRESS", "User Initiated")
    change_set = ChangeSet(
        id=f"arn:aws:cloudformation:{cloud.region}:{cloud.account}:changeSet/{ChangeSetName}/{cloud.new_id()}",
        name=ChangeSetName,
        stack=stack,
        kind=ChangeSetType,
        token=ClientToken,
        created_at=cloud.at,
        ready_at=cloud.at + cloud.draw(cloud.behaviour.plan_seconds),
        body=body,
        parameters=parameters,
        tags=tags,
        changes=_changes(stack, ChangeSetType, new, parameters, tags),
        is_rolled_back=OnStackFailure != "DO_NOTHING",
        is_forgotten=cloud.happens(cloud.behaviour.forgets_change_sets),
    )
    change_set.failure = "" if change_set.changes else _EMPTY
    if cloud.happens(cloud.behaviour.plan_fails):
        change_set.failure = _INVALID
    cloud.add_change_set(change_set)
    return {"Id": change_set.id, "StackId": stack.id}


def _of_name(cloud: "CloudFormation", stack: Stack, name: str) -> ChangeSet | None:
    found = (each for each in stack.change_sets.values() if each.name == name and each.is_there(cloud.at))
    return next(found, None)


def _check_state(stack: Stack | None, stack_name: str, name: str, kind: str) -> None:
    if kind == "UPDATE" and stack is None:
        raise refusals.no_stack(stack_name)
    if kind == "CREATE" and stack and stack.status != "REVIEW_IN_PROGRESS":
        raise refusals.exists_already(stack_name, name)
    may_be_new = kind == "IMPORT" and (stack is None or stack.status == "REVIEW_IN_PROGRESS")
    if kind != "CREATE" and not may_be_new and stack and stack.status not in UPDATABLE:
        raise refusals.cannot_update(stack)


def _read(body: str) -> Outline:
    if not body:
        raise refusals.invalid("Either Template URL or Template Body must be specified.")
    try:
        found = outline(body)
    except json.JSONDecodeError:
        raise refusals.invalid("Template format error: JSON not well-formed.") from None
    if not found.types:
        raise refusals.invalid("Template format error: At least one Resources member must be defined.")
    return found


def _resolved(given: Sequence[Mapping[str, Any]], before: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for each in given:
        key = each["ParameterKey"]
        if each.get("UsePreviousValue") and key not in before:
            raise refusals.invalid(f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true.")
        found[key] = before[key] if each.get("UsePreviousValue") else each.get("ParameterValue", "")
    return found


def _changes(
    stack: Stack, kind: str, new: Outline, parameters: Mapping[str, str], tags: Mapping[str, str]
) -> tuple[Change, ...]:
    if kind == "CREATE":
        return changes(NOTHING, new, set())
    if kind == "IMPORT":
        held = stack.outline().types
        return tuple(Change("Import", name, type_) for name, type_ in new.types.items() if name not in held)
    names = stack.parameters.keys() | parameters.keys()
    changed = {name for name in names if stack.parameters.get(name) != parameters.get(name)}
    return changes(stack.outline(), new, changed, are_tags_changed=stack.tags != tags)


def execute_change_set(
    cloud: "CloudFormation",
    *,
    ChangeSetName: str,
    StackName: str = "",
    ClientRequestToken: str = "",
    DisableRollback: bool = False,
    **_ignored: Any,
) -> dict[str, Any]:
    """Start what the change set says, once.

    The same token again gives the same answer and starts nothing; anything else on a change set that ran is
    InvalidChangeSetStatus, as it is on one that became OBSOLETE.
    """
    change_set = cloud.find_change_set(ChangeSetName, StackName)
    stack = change_set.stack
    if cloud.is_repeated(stack, ClientRequestToken, "ExecuteChangeSet"):
        return {}
    if not change_set.is_there(cloud.at):
        raise refusals.no_change_set(ChangeSetName)
    if change_set.execution_status(cloud.at) != "AVAILABLE":
        raise refusals.not_executable(change_set, cloud.at)
    if stack.status not in UPDATABLE and stack.status != "REVIEW_IN_PROGRESS":
        raise refusals.cannot_update(stack)
    stack.is_rolled_back = change_set.is_rolled_back and not DisableRollback
    change_set.executed_at = cloud.at
    _retire_others(cloud, change_set)
    _begin(cloud, change_set, ClientRequestToken)
    return {}


def _retire_others(cloud: "CloudFormation", change_set: ChangeSet) -> None:
    """Executing deletes the stack's other change sets, which no longer fit it (API reference, ExecuteChangeSet)."""
    for other in change_set.stack.change_sets.values():
        if other is not change_set and other.is_there(cloud.at) and other.executed_at is None:
            other.deleted_at = cloud.at


def _begin(cloud: "CloudFormation", change_set: ChangeSet, token: str) -> None:
    stack = change_set.stack
    operation = Operation(
        token, change_set.changes, change_set.body, change_set.parameters, change_set.tags, change_set
    )
    if change_set.kind == "CREATE":
        cloud.create(stack, operation)
    elif change_set.kind == "UPDATE":
        cloud.update(stack, operation)
    else:
        cloud.take_in(stack, operation)


def delete_change_set(
    cloud: "CloudFormation", *, ChangeSetName: str, StackName: str = "", **_ignored: Any
) -> dict[str, Any]:
    """Delete a change set; one that is not there is no error, one that is being made or executed is."""
    try:
        change_set = cloud.find_change_set(ChangeSetName, StackName)
    except refusals.Refusal as refusal:
        if refusal.code == "ChangeSetNotFound":
            return {}
        raise
    if not change_set.is_there(cloud.at):
        return {}
    is_made = change_set.status(cloud.at) in ("CREATE_PENDING", "CREATE_IN_PROGRESS")
    if is_made or change_set.execution_status(cloud.at) == "EXECUTE_IN_PROGRESS":
        raise refusals.change_set_busy()
    change_set.deleted_at = cloud.at
    cloud.effects += 1
    return {}
