"""How the engine stands, as JSON."""

from datetime import datetime
from typing import Any

from pydantic import Field

from app import api
from app.api import Document, Page, Paging
from app.errors import Invalid
from app.identity import policy
from app.identity.current import me
from app.jobs.lifecycle import JobStatus
from app.jobs.queue import Part, QueuedJob, SeenWorker
from app.openapi import refuses
from app.ops import queries
from app.ops.queries import Line, Operations

bp = api.blueprint("operations", "The queue, the workers, and what needs somebody who runs the platform.")


class OperationsQuery(Paging):
    """What the queue is narrowed to."""

    part: str = Field("", pattern=f"^({'|'.join(Part)})?$", description="Part of the queue; empty for all of it.")
    worker: str = Field("", max_length=100, description="Name of a worker: only what it holds.")


class QueuedJobDocument(Document):
    """An unfinished job as the engine sees it."""

    id: str = Field(examples=["job_51HZ0D9T"])
    kind: str
    status: JobStatus
    part: Part = Field(description="Where in the queue: due, held by a worker, resting between two looks, or waiting.")
    stack: str
    stack_name: str
    environment: str
    owner: str
    requested_by: str
    step: str | None
    step_begun: int = Field(description="How often the step was begun.")
    note: str = Field(description="What the step says of itself.")
    why: str | None = Field(description="Why somebody has to act; null where nobody has to.")
    worker: str | None
    worker_silent: bool = Field(description="Whether the worker that holds it is not seen any more.")
    lease_seconds: int = Field(description="How long the lease still runs; 0 where nobody holds the job.")
    fence: int
    attempts: int
    next_run_at: datetime
    created_at: datetime
    cancel_requested_at: datetime | None


class WorkerDocument(Document):
    """A worker; `seen_at` is null where it never said that it lives."""

    name: str
    started_at: datetime | None
    seen_at: datetime | None
    silent: bool
    held: int


class OperationsPage(Page[QueuedJobDocument]):
    """How the engine stands, and one part of its queue, oldest first. Times are the database's."""

    at: datetime
    parts: dict[Part, int] = Field(description="How many jobs there are in each part of the queue.")
    due_since: datetime | None = Field(description="Since when the job that is due for longest is.")
    stuck: int = Field(description="Jobs that have been due for over a minute.")
    attention: list[QueuedJobDocument] = Field(description="The jobs that go on only if somebody acts, oldest first.")
    workers: list[WorkerDocument]
    wake_ups: int = Field(description="Wake-ups nobody has acted on yet.")


@bp.get("/operations")
@bp.input(OperationsQuery, location="query")
@bp.output(OperationsPage)
@refuses(403)
def get_operations(query_data: OperationsQuery) -> OperationsPage:
    """Return how the engine stands and its queue, oldest first; for those who run the platform."""
    policy.require(policy.may_operate(me))
    part = Part(query_data.part) if query_data.part else None
    found = queries.operations(part, query_data.worker, _place(query_data.after), query_data.limit)
    return OperationsPage(
        items=[_document(line, found) for line in found.lines],
        next=str(found.next) if found.next is not None else None,
        at=found.at,
        parts=found.standing.by_part,
        due_since=found.standing.since.get(Part.DUE),
        stuck=found.standing.stuck,
        attention=[_document(line, found) for line in found.attention],
        workers=[_worker(worker) for worker in found.workers],
        wake_ups=found.wake_ups,
    )


def _place(after: str) -> int | None:
    if after and not (after.isdecimal() and int(after) <= api.LARGEST_ID):
        raise Invalid("This is no cursor of this collection; take the `next` of the page before.", field="after")
    return int(after) if after else None


def _document(line: Line, found: Operations) -> QueuedJobDocument:
    job = line.job
    return QueuedJobDocument(
        id=job.ref,
        stack=line.stack.ref,
        stack_name=line.stack.name,
        environment=line.stack.environment,
        owner=line.stack.team,
        requested_by=job.username,
        step=line.step.key if line.step else None,
        step_begun=line.step.begun if line.step else 0,
        note=line.step.note if line.step else "",
        why=line.why if line.needs_someone else None,
        worker=job.lease_owner if job.part == Part.HELD else None,
        worker_silent=job.holder_is_silent,
        lease_seconds=job.lease_seconds(found.at),
        **_same(job),
    )


def _same(job: QueuedJob) -> dict[str, Any]:
    names = ("kind", "status", "part", "fence", "attempts", "next_run_at", "created_at", "cancel_requested_at")
    return {name: getattr(job, name) for name in names}


def _worker(worker: SeenWorker) -> WorkerDocument:
    return WorkerDocument(
        name=worker.name,
        started_at=worker.started_at,
        seen_at=worker.seen_at,
        silent=worker.is_silent,
        held=worker.held,
    )
