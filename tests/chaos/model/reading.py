"""The reading calls. Each may answer as things were some seconds ago: reads are only eventually consistent.

Sources: the stale REVIEW_IN_PROGRESS after an execute of aws-cdk-cli #1848; T15 of the reliability targets.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.chaos.model import refusals
from tests.chaos.model.state import ChangeSet, Stack

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation


def moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def place(token: str, default: int) -> int:
    """Return where a page begins."""
    if token and not token.isdigit():
        raise refusals.invalid("NextToken is not valid.")
    return int(token) if token else default


def describe_stacks(cloud: "CloudFormation", *, StackName: str = "", NextToken: str = "") -> dict[str, Any]:
    """Describe one stack (by name a live one, by id also a deleted one), or all live ones in pages."""
    seen_at = cloud.seen_at()
    if StackName:
        found = cloud.stack_as_of(StackName, seen_at)
        if found is None:
            raise refusals.no_stack_with_id(StackName)
        return {"Stacks": [_stack(found, seen_at)]}
    page, more = _page_of_stacks(cloud, NextToken, seen_at, _is_live)
    return {"Stacks": [_stack(each, seen_at) for each in page], **more}


def list_stacks(
    cloud: "CloudFormation", *, StackStatusFilter: Sequence[str] = (), NextToken: str = ""
) -> dict[str, Any]:
    """List stacks in these statuses, also deleted ones, newest first."""
    seen_at = cloud.seen_at()
    is_wanted = frozenset(StackStatusFilter).__contains__ if StackStatusFilter else bool
    page, more = _page_of_stacks(cloud, NextToken, seen_at, is_wanted)
    return {"StackSummaries": [_summary(each, seen_at) for each in page], **more}


def _is_live(status: str) -> bool:
    return status not in ("", "DELETE_COMPLETE")


def _page_of_stacks(
    cloud: "CloudFormation", token: str, seen_at: float, is_wanted: Callable[[str], bool]
) -> tuple[list[Stack], dict[str, str]]:
    """Return a page, newest first. The token is a place in the order of creation, so nothing is skipped or doubled."""
    start = place(token, len(cloud.stacks))
    page: list[Stack] = []
    while start and len(page) < cloud.behaviour.page:
        start -= 1
        stack = cloud.stacks[start]
        status = stack.status if seen_at == cloud.at else stack.status_at(seen_at)[0]
        if is_wanted(status):
            page.append(stack)
    return page, {"NextToken": str(start)} if start else {}


def _stack(stack: Stack, seen_at: float) -> dict[str, Any]:
    status, reason = stack.status_at(seen_at)
    answer: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": moment(stack.created_at),
        "RollbackConfiguration": {},
        "StackStatus": status,
        "DisableRollback": not stack.is_rolled_back,
        "NotificationARNs": [],
        "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
        "EnableTerminationProtection": stack.is_protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    if reason:
        answer["StackStatusReason"] = reason
    if stack.parameters:
        answer["Parameters"] = _parameters(stack.parameters)
    if stack.outputs and stack.outputs_at <= seen_at:
        answer["Outputs"] = [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()]
    return answer | _times(stack, seen_at)


def _times(stack: Stack, seen_at: float) -> dict[str, datetime]:
    times = {"LastUpdatedTime": stack.updated_at, "DeletionTime": stack.deleted_at}
    return {name: moment(at) for name, at in times.items() if at is not None and at <= seen_at}


def _parameters(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


def _summary(stack: Stack, seen_at: float) -> dict[str, Any]:
    status, reason = stack.status_at(seen_at)
    answer: dict[str, Any] = {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": moment(stack.created_at),
        "StackStatus": status,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }
    if reason:
        answer["StackStatusReason"] = reason
    return answer | _times(stack, seen_at)


def describe_change_set(
    cloud: "CloudFormation", *, ChangeSetName: str, StackName: str = "", NextToken: str = "", **_ignored: Any
) -> dict[str, Any]:
    """Describe a change set; its changes come in pages."""
    seen_at = cloud.seen_at()
    found = cloud.find_change_set(ChangeSetName, StackName)
    if not found.is_there(seen_at):
        raise refusals.no_change_set(ChangeSetName)
    answer = _change_set(found, seen_at)
    if answer["Status"] == "FAILED":
        answer["StatusReason"] = found.failure
    elif answer["Status"] == "CREATE_COMPLETE":
        start = place(NextToken, 0)
        page = found.changes[start : start + cloud.behaviour.page]
        answer["Changes"] = [_change(found, *each) for each in ((c.action, c.logical_id, c.type) for c in page)]
        if start + len(page) < len(found.changes):
            answer["NextToken"] = str(start + len(page))
    return answer


def _change_set(found: ChangeSet, seen_at: float) -> dict[str, Any]:
    return {
        "ChangeSetName": found.name,
        "ChangeSetId": found.id,
        "StackId": found.stack.id,
        "StackName": found.stack.name,
        "CreationTime": moment(found.created_at),
        "ExecutionStatus": found.execution_status(seen_at),
        "Status": found.status(seen_at),
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Capabilities": [],
        "Parameters": _parameters(found.parameters),
        "Tags": [{"Key": key, "Value": value} for key, value in found.tags.items()],
        "Changes": [],
        "IncludeNestedStacks": False,
    }


def _change(found: ChangeSet, action: str, logical_id: str, kind: str) -> dict[str, Any]:
    change: dict[str, Any] = {
        "Action": action,
        "LogicalResourceId": logical_id,
        "ResourceType": kind,
        "Scope": [],
        "Details": [],
    }
    if action in ("Modify", "Remove") and logical_id in found.stack.resources:
        change["PhysicalResourceId"] = found.stack.resources[logical_id].physical_id
    if action == "Modify":
        change |= {"Replacement": "False", "Scope": ["Properties"]}
    return {"Type": "Resource", "ResourceChange": change}


def get_template(cloud: "CloudFormation", *, StackName: str = "", ChangeSetName: str = "", **_ignored: Any) -> Any:
    """Return the body as it was sent."""
    if ChangeSetName:
        body = cloud.find_change_set(ChangeSetName, StackName).body
    else:
        stack = cloud.stack_as_of(StackName, cloud.seen_at())
        if stack is None:
            raise refusals.no_stack_with_id(StackName)
        body = stack.body
    return {"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}
