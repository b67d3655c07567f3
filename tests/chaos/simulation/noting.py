"""What the steps write down: `app.stacks.noting` and `app.stacks.following`, in memory."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.aws.cloudformation import Event, StackState
from app.jobs.flows import Note
from app.stacks import effects, lifecycle, plans
from app.stacks.following import is_the_stack
from app.stacks.noting import KEPT
from app.stacks.wordings import GONE
from tests.chaos.simulation.rows import Known, Plan, Stack

if TYPE_CHECKING:
    from tests.chaos.simulation.world import Run


def note(run: "Run", effect: Note) -> Any:
    """Write it in the transaction that is open."""
    return _NOTES[type(effect)](run, effect)


def _count_try(run: "Run", effect: effects.CountTry) -> None:
    run.job.payload = {**run.job.payload, "tries": effect.tries}


def _count_unseen(run: "Run", effect: effects.CountUnseen) -> None:
    run.job.payload = {**run.job.payload, "unseen": effect.times}


def _note_cloud_id(run: "Run", effect: effects.NoteCloudId) -> None:
    run.job.stack.cloud_id = effect.cloud_id


def _write_plan(run: "Run", effect: effects.WritePlan) -> int:
    job, change_set = run.job, effect.change_set
    if job.plan is not None:
        raise AssertionError("a job has one plan: the unique constraint of its table")
    changes = plans.describe(change_set.changes, {})
    digest = plans.digest(str(job.version), job.payload["answers"], change_set.cloud_id, changes)
    job.plan = Plan(change_set.cloud_id, digest, changes, plans.loses_data(changes))
    return len(changes)


def _confirm_ahead(run: "Run", effect: effects.ConfirmAhead) -> None:
    plan = run.job.plan
    assert plan is not None, "only what is planned is confirmed"
    plan.confirmed_at, plan.confirmed_digest = run.now, plan.digest
    run.world.record("plan:confirmed", run.job.stack.ref)


def _take_over(run: "Run", effect: effects.TakeOver) -> None:
    job, stack = run.job, run.job.stack
    if job.kind == "update" and stack.status in lifecycle.UPDATE.sources:
        run.world.move_stack(stack, lifecycle.UPDATE, version=job.version, answers=job.payload["answers"])


def _observe(run: "Run", effect: effects.Observe) -> None:
    observe(run, effect.state, effect.events)


def observe(run: "Run", state: StackState | None, events: Sequence[Event]) -> None:
    """Write down what was seen; may be repeated with the same events."""
    stack = run.job.stack
    stack.observed_at = run.now
    if state is not None:
        stack.cloud_status, stack.cloud_id = state.status, state.cloud_id
    if events:
        known = {each.event.event_id for each in stack.events}
        new = [event for event in events if event.event_id not in known]
        stack.events += tuple(Known(run.job.ref, event) for event in new)
        touched = {event.logical_id: event.status for event in new if not is_the_stack(stack.cloud_name, event)}
        stack.resources = {**stack.resources, **touched}


def _note_undo(run: "Run", effect: effects.NoteUndo) -> None:
    told = {"refused": effect.refused} if effect.refused else {"undoing": True}
    run.job.payload = {**run.job.payload, **told}


def _settle(run: "Run", effect: effects.Settle) -> None:
    observe(run, effect.state, ())
    run.job.stack.outputs = effect.state.outputs
    _settle_resources(run.job.stack, effect.resources)


def _settle_resources(stack: Stack, found: Sequence[Mapping[str, Any]]) -> None:
    stack.resources = {item["logical_id"]: item["status"] for item in found if item["status"] != "DELETE_COMPLETE"}


def _lose(run: "Run", effect: effects.Lose) -> None:
    stack = run.job.stack
    if stack.status in lifecycle.LOSE.sources:
        run.world.move_stack(stack, lifecycle.LOSE, GONE[0])


def _take_leave(run: "Run", effect: effects.TakeLeave) -> None:
    stack = run.job.stack
    if stack.status in lifecycle.DELETE.sources:
        run.world.move_stack(stack, lifecycle.DELETE)
    if effect.cloud_id is not None:
        stack.cloud_id = effect.cloud_id


def _keep(run: "Run", effect: effects.Keep) -> int:
    stack = run.job.stack
    told = {name: {"logical_id": name, "status": KEPT} for name, status in stack.resources.items() if status == KEPT}
    listed = {item["logical_id"]: item for item in effect.resources if item["status"] == KEPT}
    kept = list((told | listed).values())
    _settle_resources(stack, kept)
    return len(kept)


_NOTES: dict[type, Callable[["Run", Any], Any]] = {
    effects.CountTry: _count_try,
    effects.CountUnseen: _count_unseen,
    effects.NoteCloudId: _note_cloud_id,
    effects.WritePlan: _write_plan,
    effects.ConfirmAhead: _confirm_ahead,
    effects.TakeOver: _take_over,
    effects.Observe: _observe,
    effects.NoteUndo: _note_undo,
    effects.Settle: _settle,
    effects.Lose: _lose,
    effects.TakeLeave: _take_leave,
    effects.Keep: _keep,
}
