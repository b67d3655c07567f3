"""Operations that outlive the process: what was running at a stop or a kill goes on at the next start.

MiniStack keeps an operation in a coroutine and forgets it with the process, which would leave stacks in progress for
ever. Here the stack's record says what is being done to it, with all it takes to do it again.
"""

import asyncio
import contextvars
import logging
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudformation
from ministack.services.cloudformation import changesets, handlers, stacks

log = logging.getLogger("slipway.local")

_deploy_stack_async = stacks._deploy_stack_async
_delete_stack_async = stacks._delete_stack_async
_roll_back_operation = stacks._roll_back_operation

# What creates or updates a stack right now, by stack id.
_running: dict[str, asyncio.Future[None]] = {}


def remember_operations() -> None:
    """Write down every operation from here on."""
    for module in (stacks, handlers, changesets):
        module._deploy_stack_async = deploy
    for module in (stacks, handlers):
        module._delete_stack_async = delete
        module._roll_back_operation = roll_back


async def deploy(stack_name: str, stack_id: str, *args: Any, **named: Any) -> None:
    """Create or update, remembering with which template and parameters."""
    stack = cloudformation._stacks[stack_name]
    stack["_operation"] = {"kind": "deploy", "args": list(args), "named": named}
    stack["_deploying"] = args[0]
    running = _running[stack_id] = asyncio.ensure_future(_deploy_stack_async(stack_name, stack_id, *args, **named))
    try:
        await running
    except asyncio.CancelledError:
        # A delete came in between and goes on from here; MiniStack by itself would create and delete side by side.
        if running.cancelled():
            return
        raise
    except Exception as problem:  # noqa: BLE001 - whatever it was, the stack must not stay in progress for ever
        log.exception("MiniStack could not deal with %s", stack_name)
        _give_up(stack_name, stack_id, stack, problem)
    finally:
        _running.pop(stack_id, None)
    _forget(stack)


def _give_up(stack_name: str, stack_id: str, stack: dict[str, Any], problem: Exception) -> None:
    """End a stack that MiniStack stumbled over as failed, with the reason, and leave what there is for its delete."""
    status = stack["StackStatus"].replace("_IN_PROGRESS", "_FAILED")
    stack.update(StackStatus=status, StackStatusReason=str(problem))
    stacks._add_event(stack_id, stack_name, stack_name, "AWS::CloudFormation::Stack", status, str(problem), stack_id)


async def delete(stack_name: str, stack_id: str, retain_resources: Any = (), force: bool = False) -> None:
    """Delete, remembering what is to be kept."""
    stack = cloudformation._stacks.get(stack_name)
    if stack is None:
        return
    if running := _running.get(stack_id):
        running.cancel()
        await asyncio.wait([running])
    stack["_operation"] = {"kind": "delete", "args": [list(retain_resources), force], "named": {}}
    await _delete_stack_async(stack_name, stack_id, retain_resources, force=force)
    _forget(stack)


async def roll_back(
    stack_name: str, stack_id: str, stack: dict[str, Any], operation: dict[str, Any], reason_override: str = ""
) -> None:
    """Roll back, remembering what is to be undone, and name the culprit as CloudFormation does."""
    stack["_operation"] = {"kind": "roll back", "args": [operation, reason_override], "named": {}}
    culprit = operation.get("failed_logical_id")
    if culprit and not operation.get("is_update") and not reason_override:
        reason_override = f"The following resource(s) failed to create: [{culprit}]. Rollback requested by user."
    await _roll_back_operation(stack_name, stack_id, stack, operation, reason_override)
    _forget(stack)


def _forget(stack: dict[str, Any]) -> None:
    for key in ("_operation", "_deploying", "_resumed"):
        stack.pop(key, None)


def unfinished() -> bool:
    """Whether any stack has an operation running."""
    return any("_operation" in stack for stack in list(cloudformation._stacks._data.values()))


def already_there(stack_name: str, logical_id: str) -> tuple[tuple[str, dict[str, Any]], str] | None:
    """What a resumed operation had made of this resource before the stop, in the shape MiniStack's create answers."""
    stack = cloudformation._stacks.get(stack_name) or {}
    record = stack.get("_resources", {}).get(logical_id) if stack.get("_resumed") else None
    if record is None:
        return None
    return (record["PhysicalResourceId"], record.get("Attributes") or {}), record.get("_name_seed", "")


def resume_operations() -> None:
    """Go on with whatever the last process left undone. Needs the running event loop."""
    for (account, region, stack_name), stack in list(cloudformation._stacks._data.items()):
        if "_operation" in stack:
            log.info("Going on with %s in %s, %s", stack_name, account, region)
            contextvars.copy_context().run(_go_on, account, region, stack_name, stack)


def _go_on(account: str, region: str, stack_name: str, stack: dict[str, Any]) -> None:
    set_request_account_id(account)
    set_request_region(region)
    stack["_resumed"] = True
    asyncio.get_running_loop().create_task(_again(stack_name, stack))


async def _again(stack_name: str, stack: dict[str, Any]) -> None:
    operation, stack_id = stack["_operation"], stack["StackId"]
    args, named = operation["args"], operation["named"]
    if operation["kind"] == "deploy":
        await _follow_change_sets(stack, deploy(stack_name, stack_id, *args, **named))
    elif operation["kind"] == "delete":
        await delete(stack_name, stack_id, *args)
    else:
        undone, reason = args
        still_there = [name for name in undone["created"] if name in stack.get("_resources", {})]
        await roll_back(stack_name, stack_id, stack, {**undone, "created": still_there}, reason)


async def _follow_change_sets(stack: dict[str, Any], operation: Any) -> None:
    """Let the change set that started the operation learn how it ended."""
    for change_set in cloudformation._change_sets.values():
        if change_set["StackId"] == stack["StackId"] and change_set["ExecutionStatus"] == "EXECUTE_IN_PROGRESS":
            operation = changesets._track_change_set_execution(change_set, stack, operation)
    await operation
