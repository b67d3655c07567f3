"""What the steps write down: each note in a transaction that only the holder of the job's newest fence can commit."""

from collections.abc import Iterable, Mapping, Sequence
from functools import singledispatch
from typing import Any

from sqlalchemy import select

from app import audit, db
from app.aws.cloudformation import ChangeSet
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.diff import answer_changes, property_changes
from app.jobs.flows import Note
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import effects, lifecycle, plans
from app.stacks.cloud import pseudo
from app.stacks.following import observe, settle_resources
from app.stacks.models import Plan, Resource, Stack, running_answers
from app.stacks.wordings import GONE

KEPT = "DELETE_SKIPPED"


def stack_of(job: Job) -> Stack:
    """Return the job's stack, read afresh."""
    query = select(Stack).where(Stack.id == job.stack_id)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


@singledispatch
def note(effect: Note, run: Run, job: Job) -> Any:
    """Write it in the transaction that is open."""
    raise NotImplementedError(effect.name)


@note.register
def _(effect: effects.CountTry, run: Run, job: Job) -> None:
    job.payload = job.payload | {"tries": effect.tries}


@note.register
def _(effect: effects.CountUnseen, run: Run, job: Job) -> None:
    job.payload = job.payload | {"unseen": effect.times}


@note.register
def _(effect: effects.NoteCloudId, run: Run, job: Job) -> None:
    stack_of(job).cloud_id = effect.cloud_id


@note.register
def _(effect: effects.WritePlan, run: Run, job: Job) -> int:
    stack, version = stack_of(job), db.session.get_one(Version, job.to_version_id)
    change_set: ChangeSet = effect.change_set
    properties, answered = _differences(job, stack, version)
    changes = plans.describe(change_set.changes, properties)
    db.session.add(
        Plan(
            ref=db.new_ref("pln"),
            job_id=job.id,
            change_set_id=change_set.cloud_id,
            digest=plans.digest(version.digest, job.payload["answers"], change_set.cloud_id, changes),
            changes=changes,
            answer_changes=answered,
            untouched=_count_untouched(stack, changes),
            created_at=run.now,
        )
    )
    job.sealed = None
    return len(changes)


def _count_untouched(stack: Stack, changes: Sequence[Mapping[str, Any]]) -> int:
    """Count what the stack holds and the plan does not touch; what a condition left out is not there to be touched."""
    present = set(db.session.scalars(select(Resource.logical_id).where(Resource.stack_id == stack.id)))
    return len(present - {change["logical_id"] for change in changes})


def _differences(job: Job, stack: Stack, version: Version) -> tuple[Any, list[dict[str, Any]]]:
    """Return property changes by logical id, and changed answers; a create has neither."""
    if job.kind != "update":
        return {}, []
    new = parsed(version)
    old = parsed(stack.running_version or stack.version)
    before, after = running_answers(stack), job.payload["answers"]
    answered = [
        {"path": change.label, "before": change.before, "after": change.after, "note": ""}
        for change in answer_changes(before, after, new.parameters, job.payload.get("kept", []))
    ]
    return property_changes(old.body, before, new.body, after, pseudo(stack)), answered


@note.register
def _(effect: effects.ConfirmAhead, run: Run, job: Job) -> None:
    found = db.session.scalars(select(Plan).where(Plan.job_id == job.id)).one()
    stack = stack_of(job)
    found.confirmed_at, found.confirmed_by_id = run.now, job.requested_by_id
    summary = f"Confirmed {found.ref} for {stack.name} in advance."
    audit.record("plan:confirmed", "stack", stack.ref, summary, by=job.requested_by, after={"digest": found.digest})


@note.register
def _(effect: effects.TakeOver, run: Run, job: Job) -> None:
    stack = stack_of(job)
    if job.kind == "update" and lifecycle.can(stack, lifecycle.UPDATE):
        lifecycle.apply(
            stack, lifecycle.UPDATE, by=job.requested_by, version_id=job.to_version_id, answers=job.payload["answers"]
        )


@note.register
def _(effect: effects.Observe, run: Run, job: Job) -> None:
    observe(stack_of(job), job, effect.state, effect.events, run.now)


@note.register
def _(effect: effects.NoteUndo, run: Run, job: Job) -> None:
    job.payload = job.payload | ({"refused": effect.refused} if effect.refused else {"undoing": True})


@note.register
def _(effect: effects.Settle, run: Run, job: Job) -> None:
    stack = stack_of(job)
    observe(stack, job, effect.state, [], run.now)
    stack.outputs = effect.state.outputs
    settle_resources(stack, job, effect.resources)


@note.register
def _(effect: effects.Lose, run: Run, job: Job) -> None:
    stack = stack_of(job)
    if lifecycle.can(stack, lifecycle.LOSE):
        lifecycle.apply(stack, lifecycle.LOSE, GONE[0])


@note.register
def _(effect: effects.TakeLeave, run: Run, job: Job) -> None:
    stack = stack_of(job)
    if lifecycle.can(stack, lifecycle.DELETE):
        lifecycle.apply(stack, lifecycle.DELETE, by=job.requested_by)
    if effect.cloud_id is not None:
        stack.cloud_id = effect.cloud_id


@note.register
def _(effect: effects.Keep, run: Run, job: Job) -> int:
    stack = stack_of(job)
    kept = _kept(stack, effect.resources)
    settle_resources(stack, job, kept)
    return len(kept)


def _kept(stack: Stack, listed: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was not deleted, on purpose: told by the list or, where a deleted stack has none, by the events."""
    rows = db.session.scalars(select(Resource).where(Resource.stack_id == stack.id, Resource.status == KEPT))
    told = {row.logical_id: _item(row) for row in rows}
    return list((told | {item["logical_id"]: item for item in listed if item["status"] == KEPT}).values())


def _item(row: Resource) -> dict[str, Any]:
    names = ("logical_id", "physical_id", "type", "status", "reason")
    return {name: getattr(row, name) or "" for name in names}
