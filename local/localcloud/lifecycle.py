"""What happens around each resource: its pace, its fault, its events.

MiniStack awaits `run_reentrant` for resources that block and calls the others directly. Told that all of them block,
it awaits this module's version, which waits on the event loop (so stacks proceed side by side) and then runs the
handler where MiniStack would have.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import stacks

from localcloud import events
from localcloud.faults import Faults
from localcloud.pacing import seconds_for
from localcloud.resume import already_there

_run_reentrant = stacks.run_reentrant
_runs_on_worker_thread = stacks._runs_on_worker_thread

# Where each of MiniStack's functions has what we need: type, logical id, stack name.
OPERATIONS = {
    "_provision_keeping_seed": ("create", lambda a: (a[0], a[1], a[3])),
    "_update_keeping_seed": ("update", lambda a: (a[0], a[5], a[4])),
    # MiniStack calls this one directly only to send an update back.
    "_update_resource": ("rollback", lambda a: (a[0], a[5], a[4])),
    "_delete_resource": ("delete", lambda a: (a[0], a[4], a[3])),
}


def watch_over_resources(pace: float, faults: Faults) -> None:
    """Put pace, faults and events around every resource from here on."""

    async def run(handler: Callable[..., Any], *args: Any, **named: Any) -> Any:
        if handler.__name__ not in OPERATIONS:
            return await _run_reentrant(handler, *args, **named)
        operation, place = OPERATIONS[handler.__name__]
        type_name, logical_id, stack_name = place(args)
        if operation == "update" and args[2] == args[3]:
            events.untouched(stack_name, logical_id)
            return await _call(handler, type_name, args)
        if operation == "create" and (there := already_there(stack_name, logical_id)):
            events.untouched(stack_name, logical_id)
            return there
        gone = _announce(operation, type_name, logical_id, stack_name, args)
        await _take_time(pace, faults, operation, type_name, logical_id, stack_name)
        result = await _call(handler, type_name, args)
        if gone:
            gone()
        return result

    stacks.run_reentrant = run
    stacks._runs_on_worker_thread = lambda resource_type: True


def _announce(operation: str, type_name: str, logical_id: str, stack_name: str, args: tuple[Any, ...]) -> Any:
    if not events.updating(stack_name):
        return None
    if operation == "create":
        events.created_by_update(stack_name, logical_id)
    if operation == "delete":
        return events.removed_by_update(stack_name, logical_id, type_name, args[1])
    return None


async def _take_time(
    pace: float, faults: Faults, operation: str, type_name: str, logical_id: str, stack_name: str
) -> None:
    rule = faults.take(operation, type_name, logical_id, stack_name)
    await asyncio.sleep(seconds_for(pace, operation, type_name, stack_name, logical_id) + (rule.seconds if rule else 0))
    if rule and rule.reason:
        raise ValueError(rule.reason)


async def _call(handler: Callable[..., Any], type_name: str, args: tuple[Any, ...]) -> Any:
    # On the event loop handlers cannot run into each other; only those that block it go to a thread.
    if _runs_on_worker_thread(type_name):
        return await _run_reentrant(handler, *args)
    return handler(*args)
