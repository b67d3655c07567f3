"""The reading calls that tell what happened: events, and the resources as their events left them."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.chaos.model import refusals
from tests.chaos.model.reading import moment, place
from tests.chaos.model.state import STACK_TYPE, ChangeSet, Event, Resource, Stack, is_past

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation


def describe_stack_events(cloud: "CloudFormation", *, StackName: str, NextToken: str = "") -> dict[str, Any]:
    """Tell what happened to a stack, newest first; every event carries the token of its operation (API reference)."""
    seen_at = cloud.seen_at()
    stack = cloud.stack_as_of(StackName, seen_at)
    if stack is None:
        raise refusals.no_stack(StackName)
    # The token counts from the oldest event, so events that arrive between two pages move nothing.
    end = min(place(NextToken, len(stack.events)), len(stack.events))
    while end and stack.events[end - 1].at > seen_at:
        end -= 1
    start = max(0, end - cloud.behaviour.page)
    answer: dict[str, Any] = {"StackEvents": [_event(stack, each) for each in stack.events[start:end][::-1]]}
    return answer | ({"NextToken": str(start)} if start else {})


def _event(stack: Stack, event: Event) -> dict[str, Any]:
    answer = {"StackId": stack.id, "StackName": stack.name, "EventId": event.event_id, **_what(event)}
    if event.reason:
        answer["ResourceStatusReason"] = event.reason
    return answer


def _what(event: Event) -> dict[str, Any]:
    what = {
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "Timestamp": moment(event.at),
        "ResourceStatus": event.status,
    }
    return what | ({"ClientRequestToken": event.token} if event.token else {})


def describe_events(
    cloud: "CloudFormation",
    *,
    StackName: str = "",
    ChangeSetName: str = "",
    Filters: Mapping[str, Any] | None = None,
    NextToken: str = "",
    **_ignored: Any,
) -> dict[str, Any]:
    """Tell events by operation, newest first, and what a change set failed at; not every cloud has this call."""
    if not cloud.behaviour.has_describe_events:
        raise refusals.Refusal("InvalidAction", "Could not find operation DescribeEvents")
    if ChangeSetName:
        return {"OperationEvents": _failed_validation(cloud, cloud.find_change_set(ChangeSetName, StackName))}
    stack = cloud.stack_as_of(StackName, cloud.at)
    if stack is None:
        raise refusals.no_stack(StackName)
    only_failed = bool(Filters and Filters.get("FailedEvents"))
    found = [each for each in reversed(stack.events) if not only_failed or each.status.endswith("_FAILED")]
    start = place(NextToken, 0)
    page = list(islice(found, start, start + cloud.behaviour.page))
    more = {"NextToken": str(start + len(page))} if start + len(page) < len(found) else {}
    return {"OperationEvents": [_operation_event(stack, each) for each in page], **more}


def _operation_event(stack: Stack, event: Event) -> dict[str, Any]:
    kind = "STACK_EVENT" if event.type == STACK_TYPE else "PROVISIONING_ERROR"
    answer = {"StackId": stack.id, "EventId": event.event_id, "EventType": kind, **_what(event)}
    return answer | ({"ResourceStatusReason": event.reason} if event.reason else {})


def _failed_validation(cloud: "CloudFormation", found: ChangeSet) -> list[dict[str, Any]]:
    if not found.failure or not found.changes or found.status(cloud.at) != "FAILED":
        return []
    first = found.changes[0]
    event = {
        "EventId": f"{first.logical_id}-{found.id[-12:]}",
        "StackId": found.stack.id,
        "OperationType": "CREATE_CHANGESET",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": first.logical_id,
        "ResourceType": first.type,
        "Timestamp": moment(found.ready_at),
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": found.failure,
    }
    return [event]


def list_stack_resources(cloud: "CloudFormation", *, StackName: str, NextToken: str = "") -> dict[str, Any]:
    """List the stack's resources, by id also those of a deleted stack."""
    seen_at = cloud.seen_at()
    stack = cloud.stack_as_of(StackName, seen_at)
    if stack is None:
        raise refusals.no_stack_with_id(StackName)
    found = list(stack.resources.values()) if seen_at == cloud.at else list(_resources_as_of(stack, seen_at))
    start = place(NextToken, 0)
    page = found[start : start + cloud.behaviour.page]
    answer: dict[str, Any] = {"StackResourceSummaries": [_resource(each) for each in page if each.status]}
    return answer | ({"NextToken": str(start + len(page))} if start + len(page) < len(found) else {})


def _resources_as_of(stack: Stack, seen_at: float) -> Iterable[Resource]:
    """Return the resources as they were: their last event before then says it."""
    known: dict[str, Resource] = {}
    for event in stack.events:
        if event.type != STACK_TYPE and is_past(event.at, seen_at):
            known[event.logical_id] = Resource(
                event.logical_id, event.type, event.physical_id, event.status, event.reason, event.at
            )
    return known.values()


def _resource(resource: Resource) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "LogicalResourceId": resource.logical_id,
        "ResourceType": resource.type,
        "LastUpdatedTimestamp": moment(resource.at),
        "ResourceStatus": resource.status,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }
    if resource.physical_id:
        answer["PhysicalResourceId"] = resource.physical_id
    return answer | ({"ResourceStatusReason": resource.reason} if resource.reason else {})
