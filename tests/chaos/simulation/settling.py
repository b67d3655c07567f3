"""Where a job leaves its stack: `app.stacks.settling`, in memory."""

from typing import TYPE_CHECKING, Any

from app.stacks import lifecycle
from app.stacks.lifecycle import MEANINGS, StackStatus

if TYPE_CHECKING:
    from tests.chaos.simulation.world import Run


def ended(run: "Run", status: str) -> None:
    """Bring the stack to where the job left it."""
    if run.job.kind == "delete":
        _deletion_ended(run, status)
    else:
        _change_ended(run, status)


def _change_ended(run: "Run", status: str) -> None:
    job, stack, world = run.job, run.job.stack, run.world
    match job.kind, status:
        case "update", "succeeded" if stack.status != StackStatus.UPDATING:
            _is_so_already(run)
        case _, "succeeded":
            values = {"running_version": job.version, "running_answers": job.payload["answers"]}
            world.move_stack(stack, lifecycle.COME_UP, **values)
        case "create", "cancelled":
            world.move_stack(stack, lifecycle.GONE, "Cancelled.")
        case "create", _:
            world.move_stack(stack, lifecycle.BREAK, _reason(run))
        case _ if stack.status == StackStatus.UPDATING:
            _did_not_change(run, status)


def _is_so_already(run: "Run") -> None:
    job, stack = run.job, run.job.stack
    answers = job.payload["answers"]
    values: dict[str, Any] = {
        "version": job.version,
        "running_version": job.version,
        "answers": answers,
        "running_answers": answers,
    }
    if lifecycle.can(stack, lifecycle.ACCEPT):  # type: ignore[arg-type]  # a row in memory has a status too
        run.world.move_stack(stack, lifecycle.ACCEPT, "It runs as asked already.", **values)
    else:
        vars(stack).update(values)
        run.world.record("stack:unchanged", stack.ref)


def _did_not_change(run: "Run", status: str) -> None:
    stack, world = run.job.stack, run.world
    meaning = MEANINGS.get(stack.cloud_status or "")
    if status == "cancelled" and meaning and meaning.status is StackStatus.TAINTED:
        values = {"version": stack.running_version, "answers": stack.running_answers}
        world.move_stack(stack, lifecycle.COME_UP, "The update was cancelled.", **values)
    elif meaning and meaning.status is StackStatus.TAINTED:
        world.move_stack(stack, lifecycle.TAINT, _reason(run))
    else:
        world.move_stack(stack, lifecycle.DEGRADE, _reason(run))


def _reason(run: "Run") -> str:
    return str((run.job.failure or {}).get("sentence", ""))


def _deletion_ended(run: "Run", status: str) -> None:
    stack, world = run.job.stack, run.world
    if stack.status != StackStatus.DELETING:
        return
    if status == "succeeded":
        if stack.cloud_id is None:
            stack.resources = {}
        world.move_stack(stack, lifecycle.GONE)
    else:
        world.move_stack(stack, lifecycle.STICK, _reason(run) or "The deletion did not happen.")
