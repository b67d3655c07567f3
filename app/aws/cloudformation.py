"""CloudFormation in the few calls a launch needs. Every function raises the errors of `aws.errors`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from app.aws.errors import AskedBefore, CloudProblem, NotThere, Refused, translated

# Source: CloudFormation quotas; a larger body has to lie in S3.
LARGEST_INLINE_BODY = 51_200


@dataclass(frozen=True)
class StackState:
    """What DescribeStacks says of one stack. A nested stack names its root and carries the root's tags as well."""

    cloud_id: str
    status: str
    reason: str
    outputs: list[dict[str, Any]]
    tags: dict[str, str]
    is_protected: bool = False
    name: str = ""
    root_id: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True)
class ChangeSet:
    """A change set: its own status, whether it was executed, and its changes as received."""

    cloud_id: str
    stack_cloud_id: str
    status: str
    execution_status: str
    reason: str
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """CloudFormation fails a change set that would change nothing, and says so only in words."""
        words = ("didn't contain changes", "No updates are to be performed", "no changes")
        return self.status == "FAILED" and any(word in self.reason for word in words)

    @property
    def is_outdated(self) -> bool:
        """The stack changed since it was made, or it cannot run for another reason: plan again, ask for a yes again."""
        is_unavailable = self.status == "CREATE_COMPLETE" and self.execution_status == "UNAVAILABLE"
        return is_unavailable or self.execution_status == "OBSOLETE"


@dataclass(frozen=True)
class Event:
    """One stack event."""

    event_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    token: str
    at: datetime


def find_stack(client: Any, name_or_id: str) -> StackState | None:
    """Return a stack by id (also a deleted one) or by name (live only), or None."""
    try:
        with translated():
            stacks = client.describe_stacks(StackName=name_or_id)["Stacks"]
    except NotThere:
        return None
    return state_of(stacks[0]) if stacks else None


def state_of(stack: Mapping[str, Any]) -> StackState:
    """Return one entry of DescribeStacks in our words."""
    outputs = [
        {
            "key": output["OutputKey"],
            "value": output.get("OutputValue", ""),
            "description": output.get("Description", ""),
            "export": output.get("ExportName", ""),
        }
        for output in stack.get("Outputs", [])
    ]
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    return StackState(
        stack["StackId"],
        stack["StackStatus"],
        stack.get("StackStatusReason", ""),
        outputs,
        tags,
        bool(stack.get("EnableTerminationProtection")),
        stack["StackName"],
        stack.get("RootId", ""),
        {each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])},
        stack.get("CreationTime"),
    )


def create_change_set(
    client: Any,
    *,
    stack_name: str,
    name: str,
    kind: str,
    body: str,
    parameters: Sequence[Mapping[str, Any]],
    tags: Mapping[str, str],
    capabilities: Sequence[str],
    token: str,
) -> ChangeSet:
    """Ask for a change set of kind CREATE or UPDATE; it is made in the background. Repeating the token is harmless."""
    if len(body.encode()) > LARGEST_INLINE_BODY:
        raise Refused(
            f"The template is {len(body.encode()):,} bytes; CloudFormation takes at most 51,200 in a request."
        )
    with translated():
        made = client.create_change_set(
            StackName=stack_name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=body,
            Parameters=list(parameters),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            Capabilities=list(capabilities),
            ClientToken=token,
        )
    return ChangeSet(made["Id"], made.get("StackId", ""), "CREATE_PENDING", "UNAVAILABLE", "")


def find_change_set(client: Any, name_or_id: str, stack: str | None = None) -> ChangeSet | None:
    """Return a change set with all pages of its changes, or None."""
    request: dict[str, Any] = {"ChangeSetName": name_or_id}
    if stack:
        request["StackName"] = stack
    changes: list[dict[str, Any]] = []
    try:
        with translated():
            while True:
                page = client.describe_change_set(**request)
                changes += [
                    change["ResourceChange"] for change in page.get("Changes", []) if "ResourceChange" in change
                ]
                if not page.get("NextToken"):
                    break
                request["NextToken"] = page["NextToken"]
    except NotThere:
        return None
    return ChangeSet(
        page["ChangeSetId"],
        page.get("StackId", ""),
        page["Status"],
        page.get("ExecutionStatus", ""),
        page.get("StatusReason", ""),
        changes,
    )


def execute_change_set(client: Any, change_set_id: str, token: str) -> None:
    """Start what the change set says."""
    with translated():
        client.execute_change_set(ChangeSetName=change_set_id, ClientRequestToken=token)


def delete_change_set(client: Any, change_set_id: str) -> None:
    """Remove a change set that will not be executed; one that is gone already is fine."""
    with suppress(NotThere), translated():
        client.delete_change_set(ChangeSetName=change_set_id)


def delete_stack(client: Any, name_or_id: str, token: str, retain: Sequence[str] = ()) -> None:
    """Start deleting a stack; one that is gone already is fine, and so is having asked before under this token.

    `retain` names resources to leave behind. CloudFormation takes them only after a deletion has failed.
    """
    request: dict[str, Any] = {"StackName": name_or_id, "ClientRequestToken": token}
    if retain:
        request["RetainResources"] = list(retain)
    with suppress(NotThere, AskedBefore), translated():
        client.delete_stack(**request)


def cancel_update(client: Any, cloud_id: str, token: str) -> None:
    """Ask CloudFormation to undo an update that is under way; having asked before under this token is fine."""
    with suppress(AskedBefore), translated():
        client.cancel_update_stack(StackName=cloud_id, ClientRequestToken=token)


def continue_rollback(client: Any, cloud_id: str, token: str, skip: Sequence[str] = ()) -> None:
    """Go on with an update's rollback that got stuck; only for a root stack.

    `skip` names resources to take for rolled back as they are, which is a person's decision: CloudFormation then
    believes something of them that is not so. Raises WrongState when nothing is stuck.
    """
    request: dict[str, Any] = {"StackName": cloud_id, "ClientRequestToken": token}
    if skip:
        request["ResourcesToSkip"] = list(skip)
    with suppress(AskedBefore), translated():
        client.continue_update_rollback(**request)


def protect(client: Any, cloud_id: str, is_protected: bool) -> None:
    """Switch termination protection."""
    with translated():
        client.update_termination_protection(StackName=cloud_id, EnableTerminationProtection=is_protected)


def events_since(client: Any, cloud_id: str, last_seen: str | None, most: int = 2000) -> list[Event]:
    """Return events newer than the last seen one, oldest first, in CloudFormation's own order.

    A stack that vanished between two calls has none.
    """
    found: list[Event] = []
    with suppress(NotThere), translated():
        for event in _newest_first(client, cloud_id):
            if event.event_id == last_seen or len(found) >= most:
                break
            found.append(event)
    return found[::-1]


def has_event_of(client: Any, cloud_id: str, token: str, most: int = 2000) -> bool:
    """Say whether the stack knows an operation begun under this token: every event of an operation carries it."""
    with suppress(NotThere), translated():
        return any(event.token == token for event in islice(_newest_first(client, cloud_id), most))
    return False


def _newest_first(client: Any, cloud_id: str) -> Iterator[Event]:
    request: dict[str, Any] = {"StackName": cloud_id}
    while True:
        page = client.describe_stack_events(**request)
        yield from map(_event, page["StackEvents"])
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _event(event: Mapping[str, Any]) -> Event:
    return Event(
        event["EventId"],
        event.get("LogicalResourceId", ""),
        event.get("PhysicalResourceId", ""),
        event.get("ResourceType", ""),
        event.get("ResourceStatus", ""),
        event.get("ResourceStatusReason", ""),
        event.get("ClientRequestToken", ""),
        event["Timestamp"],
    )


def failed_checks(client: Any, **of: str) -> list[Event]:
    """Return what failed before any resource was touched, such as a name that is taken; `of` names what is asked about.

    CloudFormation then writes only "validation failed" into the stack's own events and the reason into these. Where
    they cannot be had (an older cloud, a role that may not ask) there are none: the caller has its general reason.
    """
    try:
        with translated():
            found = client.describe_events(Filters={"FailedEvents": True}, **of)["OperationEvents"]
    except CloudProblem:
        return []
    return [_check(event) for event in found[::-1] if event.get("LogicalResourceId")]


def _check(event: Mapping[str, Any]) -> Event:
    words = ("ResourceStatusReason", "ValidationStatusReason", "HookStatusReason")
    return Event(
        event.get("EventId", ""),
        event["LogicalResourceId"],
        event.get("PhysicalResourceId", ""),
        event.get("ResourceType", ""),
        event.get("ResourceStatus") or event.get("OperationType", "CREATE").split("_")[0] + "_FAILED",
        next((event[word] for word in words if event.get(word)), ""),
        event.get("ClientRequestToken", ""),
        event["Timestamp"],
    )


def resources(client: Any, cloud_id: str) -> list[dict[str, str]]:
    """Return the stack's resources: logical_id, physical_id, type, status, reason."""
    found: list[dict[str, str]] = []
    request = {"StackName": cloud_id}
    with translated():
        while True:
            page = client.list_stack_resources(**request)
            for row in page["StackResourceSummaries"]:
                found.append(
                    {
                        "logical_id": row["LogicalResourceId"],
                        "physical_id": row.get("PhysicalResourceId", ""),
                        "type": row["ResourceType"],
                        "status": row["ResourceStatus"],
                        "reason": row.get("ResourceStatusReason", ""),
                    }
                )
            if not page.get("NextToken"):
                return found
            request["NextToken"] = page["NextToken"]
