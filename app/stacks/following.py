"""What the cloud says of a moving stack, written down: events, resources, status."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app import db
from app.aws.cloudformation import Event, StackState
from app.jobs.models import Job
from app.stacks.models import Duration, Resource, Stack, StackEvent

STACK_TYPE = "AWS::CloudFormation::Stack"


def last_event_id(stack_id: int) -> str | None:
    """Return the newest event we know, where the next look stops."""
    query = select(StackEvent.event_id).where(StackEvent.stack_id == stack_id).order_by(StackEvent.id.desc()).limit(1)
    return db.session.scalar(query)


def observe(stack: Stack, job: Job, state: StackState | None, events: Sequence[Event], now: datetime) -> None:
    """Write down what was seen: may be repeated with the same events."""
    values: dict[str, Any] = {"observed_at": now}
    if state is not None:
        values |= {"cloud_status": state.status, "cloud_reason": state.reason, "cloud_id": state.cloud_id}
    db.session.execute(update(Stack).where(Stack.id == stack.id).values(**values))
    new = _unknown(stack, events)
    db.session.add_all(_row(stack, job, event) for event in new)
    _touch_resources(stack, job, [event for event in new if not is_the_stack(stack.cloud_name, event)])


def is_the_stack(cloud_name: str, event: Event | StackEvent) -> bool:
    """Say whether an event is about the stack itself and not one of its resources."""
    return event.type == STACK_TYPE and event.logical_id == cloud_name


def _unknown(stack: Stack, events: Sequence[Event]) -> list[Event]:
    ids = [event.event_id for event in events]
    query = select(StackEvent.event_id).where(StackEvent.stack_id == stack.id, StackEvent.event_id.in_(ids))
    known = set(db.session.scalars(query))
    return [event for event in events if event.event_id not in known]


def _row(stack: Stack, job: Job, event: Event) -> StackEvent:
    return StackEvent(
        stack_id=stack.id,
        job_id=job.id,
        event_id=event.event_id,
        logical_id=event.logical_id,
        physical_id=event.physical_id or "",
        type=event.type,
        status=event.status,
        reason=event.reason or "",
        occurred_at=event.at,
    )


def _touch_resources(stack: Stack, job: Job, events: Iterable[Event]) -> None:
    rows = {row.logical_id: row for row in db.session.scalars(select(Resource).where(Resource.stack_id == stack.id))}
    for event in events:
        row = rows.get(event.logical_id)
        if row is None:
            row = rows[event.logical_id] = Resource(stack_id=stack.id, logical_id=event.logical_id)
            db.session.add(row)
        if row.job_id != job.id or event.status.endswith("_IN_PROGRESS") and _is_new_act(row, event):
            row.started_at, row.ended_at = event.at, None
        row.job_id, row.type, row.status = job.id, event.type, event.status
        row.physical_id = event.physical_id or row.physical_id
        row.reason = event.reason or ""
        if not event.status.endswith("_IN_PROGRESS"):
            row.ended_at = event.at


def _is_new_act(row: Resource, event: Event) -> bool:
    """A rollback's deletion starts a clock of its own; a second CREATE_IN_PROGRESS of one creation does not."""
    return (row.status or "").split("_")[0] != event.status.split("_")[0]


def settle_resources(stack: Stack, job: Job, found: Sequence[dict[str, str]]) -> None:
    """Make our list of resources equal to the cloud's, whatever the events said."""
    rows = {row.logical_id: row for row in db.session.scalars(select(Resource).where(Resource.stack_id == stack.id))}
    live = {item["logical_id"]: item for item in found if item["status"] != "DELETE_COMPLETE"}
    for logical_id, item in live.items():
        row = rows.get(logical_id)
        if row is None:
            row = Resource(stack_id=stack.id, job_id=job.id, logical_id=logical_id)
            db.session.add(row)
        row.type, row.status, row.reason = item["type"], item["status"], item["reason"]
        row.physical_id = item["physical_id"] or row.physical_id
    gone = [row.id for logical_id, row in rows.items() if logical_id not in live]
    db.session.execute(delete(Resource).where(Resource.id.in_(gone)))


def learn_durations(stack: Stack, job: Job, seconds: float, now: datetime) -> None:
    """Remember how long the job and each resource took, for forecasts; only of jobs that went well."""
    kept = {"template_id": stack.template_id, "kind": job.kind, "at": now}
    db.session.add(Duration(logical_id="", type="", seconds=seconds, **kept))
    rows = select(Resource).where(Resource.stack_id == stack.id, Resource.job_id == job.id)
    for row in db.session.scalars(rows):
        if row.started_at and row.ended_at:
            took = (row.ended_at - row.started_at).total_seconds()
            db.session.add(Duration(logical_id=row.logical_id, type=row.type, seconds=took, **kept))
