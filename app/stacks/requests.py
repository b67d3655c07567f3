"""A person's request: who asks, what makes it repeatable, and the job it writes. None of these commits."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, db
from app.catalog.models import Version
from app.errors import Conflict
from app.identity.models import Person
from app.jobs import engine, outbox
from app.jobs import lifecycle as jobs
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.logs import log
from app.stacks.models import Stack


@dataclass(frozen=True)
class Request:
    """Who asks, through what, and under which key the same request may be repeated."""

    by: Person
    via: str = "ui"
    key: str | None = None
    digest: str | None = None


def digest_of(document: Any) -> str:
    """Return the SHA-256 (hex) of a request's content, to tell a repeated request from another under the same key."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()


def find_repeated(request: Request) -> Job | None:
    """Return the job an earlier request with the same key made.

    Raises Conflict when the key was used for something else.
    """
    if not request.key:
        return None
    query = select(Job).where(Job.requested_by_id == request.by.id, Job.idempotency_key == request.key)
    job = db.session.scalar(query)
    if job is not None and job.request_digest != request.digest:
        raise Conflict("This Idempotency-Key was used for another request.", job=job.ref, field="Idempotency-Key")
    return job


def start_job(
    stack: Stack,
    kind: str,
    request: Request,
    *,
    to_version: Version | None = None,
    payload: dict[str, Any] | None = None,
    sealed: bytes | None = None,
) -> Job:
    """Write the job with its steps and its wake-up; a second unfinished job on a stack is refused with its name."""
    job = Job(
        ref=db.new_ref("job"),
        kind=kind,
        status=JobStatus.QUEUED,
        stack_id=stack.id,
        team_id=stack.team_id,
        template_id=stack.template_id,
        from_version_id=stack.running_version_id,
        to_version_id=to_version.id if to_version else None,
        requested_by_id=request.by.id,
        via=request.via,
        idempotency_key=request.key,
        request_digest=request.digest,
        # The worker's lines carry it on, so that one word leads from the click to the call in the cloud.
        request_id=structlog.contextvars.get_contextvars().get("request_id"),
        payload=payload or {},
        sealed=sealed,
        next_run_at=db.now(),
        deadline_at=deadline(),
        created_at=db.now(),
    )
    hold(stack)
    db.session.add(job)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        refuse_if_busy(stack)
        raise Conflict("The same request arrived twice at once; ask again for its answer.") from error
    engine.add_steps(job)
    outbox.announce(job.id)
    log.info("job_asked_for", job=job.ref, kind=kind, stack=stack.ref)
    return job


def hold(stack: Stack) -> None:
    """Keep the stack for this request until its transaction ends; raises Conflict when a job has it."""
    db.session.execute(select(Stack.id).where(Stack.id == stack.id).with_for_update())
    refuse_if_busy(stack)


def refuse_if_busy(stack: Stack) -> None:
    """Raise Conflict, naming it, when another job on the stack has not finished."""
    query = select(Job).where(Job.stack_id == stack.id, Job.status.in_(jobs.UNFINISHED))
    busy = db.session.scalar(query)
    if busy is not None:
        raise Conflict(f"Job {busy.ref} ({busy.kind}) on {stack.name} has not finished.", job=busy.ref)


def deadline() -> db.now:
    """Return when a job that begins or goes on now has taken too long, by the database's clock."""
    return db.now(current_app.extensions["config"].number("JOB_HOURS") * 3600)


def word_of(row: Stack | Job) -> str:
    """Return a status as it reads in a sentence."""
    return row.status.replace("_", " ")


def record(action: str, stack: Stack, summary: str, request: Request, after: dict[str, Any] | None = None) -> None:
    """Write what was asked for into the record of the stack."""
    audit.record(action, "stack", stack.ref, summary, by=request.by, after=after)
