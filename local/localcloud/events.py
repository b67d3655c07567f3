"""Stack events as CloudFormation writes them, where MiniStack's differ.

In an update MiniStack calls every resource updated: the untouched ones too, and the new ones. It says nothing about
the removed ones. Progress and history read wrong that way.
"""

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import stacks

CLEANING_UP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"

NOTHING = ""

_add_event = stacks._add_event
# What really happens to a resource the running operation misnames, and how its record read before.
_happening: dict[tuple[str, str, str, str], str] = {}
_records: dict[tuple[str, str, str, str], dict[str, Any]] = {}


def correct_events() -> None:
    """Put the corrections of this module in place."""
    stacks._add_event = add_event


def add_event(
    stack_id: str, stack_name: str, logical_id: str, resource_type: str, status: str, *rest: Any, **named: Any
) -> None:
    """Write the event under what really happened to the resource, or not at all."""
    key = _key(stack_name, logical_id)
    if key in _happening and status.startswith(("CREATE_", "UPDATE_")):
        happened = _happening[key]
        status = f"{happened}_{status.split('_', 1)[1]}" if happened else NOTHING
        _happening.pop(key)
        _correct_record(stack_name, logical_id, status)
    if status:
        _add_event(stack_id, stack_name, logical_id, resource_type, status, *rest, **named)


def _key(stack_name: str, logical_id: str) -> tuple[str, str, str, str]:
    return get_account_id(), get_region(), stack_name, logical_id


def _correct_record(stack_name: str, logical_id: str, status: str) -> None:
    """The resource list shows the status of the last event; an untouched resource keeps its own status and time."""
    record = _stack(stack_name).get("_resources", {}).get(logical_id)
    before = _records.pop(_key(stack_name, logical_id), None) or {}
    if record is not None:
        record["ResourceStatus"] = status or before.get("ResourceStatus", record["ResourceStatus"])
        if not status:
            record["Timestamp"] = before.get("Timestamp", record["Timestamp"])


def _stack(stack_name: str) -> dict[str, Any]:
    return cloudformation._stacks.get(stack_name) or {}


def updating(stack_name: str) -> bool:
    """Whether the stack is in the middle of an update (not of its rollback)."""
    return _stack(stack_name).get("StackStatus") in ("UPDATE_IN_PROGRESS", CLEANING_UP)


def untouched(stack_name: str, logical_id: str) -> None:
    """Take back that something begins to happen to the resource, and keep quiet when it is over."""
    _take_back(stack_name, logical_id)
    _happening[_key(stack_name, logical_id)] = NOTHING
    _records[_key(stack_name, logical_id)] = dict(_stack(stack_name).get("_resources", {}).get(logical_id) or {})


def created_by_update(stack_name: str, logical_id: str) -> None:
    """Say that the update creates the resource rather than changes it."""
    begun = _take_back(stack_name, logical_id)
    if begun:
        _happening[_key(stack_name, logical_id)] = "CREATE"
        cloudformation._stack_events[begun["StackId"]].append({**begun, "ResourceStatus": "CREATE_IN_PROGRESS"})


def _take_back(stack_name: str, logical_id: str) -> dict[str, Any] | None:
    events = cloudformation._stack_events.get(_stack(stack_name).get("StackId")) or []
    for position in range(len(events) - 1, -1, -1):
        if events[position]["LogicalResourceId"] == logical_id:
            begun = events[position]["ResourceStatus"] in ("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS")
            return events.pop(position) if begun else None
    return None


def removed_by_update(stack_name: str, logical_id: str, resource_type: str, physical_id: str) -> Callable[[], None]:
    """Say that the update's clean-up removes the resource; what is returned says that it is gone."""
    stack = _stack(stack_name)
    stack_id = stack["StackId"]
    if stack["StackStatus"] != CLEANING_UP:
        stack["StackStatus"] = CLEANING_UP
        _add_event(stack_id, stack_name, stack_name, "AWS::CloudFormation::Stack", CLEANING_UP, physical_id=stack_id)
    _add_event(stack_id, stack_name, logical_id, resource_type, "DELETE_IN_PROGRESS", physical_id=physical_id)
    return lambda: _add_event(
        stack_id, stack_name, logical_id, resource_type, "DELETE_COMPLETE", physical_id=physical_id
    )
