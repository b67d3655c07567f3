"""Stacks, their resources and events as JSON documents."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field
from sqlalchemy import select

from app import db
from app.api import PREFIX, Document, Page
from app.identity import policy
from app.identity.models import Person
from app.jobs.models import Job
from app.stacks import queries
from app.stacks.job_documents import JobSummary, job_summary
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Resource, Stack, StackEvent


class StackSummary(Document):
    """A stack as lists show it: what it is, where, whose, and in what state."""

    id: str = Field(examples=["stk_7Q2F8K3M"])
    name: str
    status: StackStatus
    status_reason: str
    cloud_status: str | None = Field(description="CloudFormation's own status, as received.")
    template: str
    version: str = Field(description="The version that is wanted.")
    running_version: str | None = Field(description="The version that last came up.")
    environment: str
    owner: str
    service: str | None
    protected: bool
    created_at: datetime
    ready_at: datetime | None
    deleted_at: datetime | None
    observed_at: datetime | None = Field(description="When the cloud was last asked.")


class OutputDocument(Document):
    """Something the stack returned."""

    key: str
    value: str
    description: str


class StackLinks(Document):
    """Where to read on."""

    self: str
    resources: str
    events: str
    jobs: str


class StackDocument(StackSummary):
    """A stack with its inside. Who may not read details gets null there, and `details` names the rule."""

    created_by: str
    parameters: dict[str, str] | None = Field(description="The answers, secrets left out.")
    outputs: list[OutputDocument] | None
    output_values: dict[str, str] | None = Field(description="The outputs once more, value by key, for scripts.")
    details: str = Field(description="The rule by which the details are there, or null.")
    job: JobSummary | None = Field(description="The job that has not finished, if there is one.")
    links: StackLinks


class ResourceDocument(Document):
    """What CloudFormation says the stack holds. Id and reason are details."""

    logical_id: str
    physical_id: str | None
    type: str
    status: str
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None


class EventDocument(Document):
    """One event as CloudFormation reported it."""

    id: str
    job: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    occurred_at: datetime


class StackPage(Page[StackSummary]):
    """One part of the stacks, newest first."""


class ResourcePage(Page[ResourceDocument]):
    """One part of a stack's resources, by logical id."""


class EventPage(Page[EventDocument]):
    """One part of the events, oldest first."""


class Accepted(Document):
    """What was begun: follow the job."""

    stack: StackSummary
    job: JobSummary


def stack_summary(stack: Stack) -> StackSummary:
    return StackSummary(**_of_stack(stack))


def stack_document(stack: Stack, person: Person) -> StackDocument:
    """Return the stack as the person may read it."""
    job = queries.find_active_job(stack)
    return StackDocument(
        **_of_stack(stack),
        **_inside(stack, person),
        created_by=stack.created_by.username,
        job=job_summary(job, stack.ref) if job else None,
        links=_links(stack),
    )


def accepted(stack: Stack, job: Job) -> Accepted:
    return Accepted(stack=stack_summary(stack), job=job_summary(job, stack.ref))


def resource_document(resource: Resource, details: bool) -> ResourceDocument:
    return ResourceDocument(
        logical_id=resource.logical_id,
        physical_id=resource.physical_id if details else None,
        type=resource.type,
        status=resource.status,
        reason=resource.reason if details else None,
        started_at=resource.started_at,
        ended_at=resource.ended_at,
    )


def event_documents(events: Sequence[StackEvent]) -> list[EventDocument]:
    """Return the events with the public ids of their jobs."""
    query = select(Job.id, Job.ref).where(Job.id.in_({event.job_id for event in events}))
    refs: Mapping[int, str] = {row.id: row.ref for row in db.session.execute(query)}
    return [_event(event, refs[event.job_id]) for event in events]


def _event(event: StackEvent, job: str) -> EventDocument:
    return EventDocument(
        id=event.event_id,
        job=job,
        logical_id=event.logical_id,
        physical_id=event.physical_id,
        type=event.type,
        status=event.status,
        reason=event.reason,
        occurred_at=event.occurred_at,
    )


def _of_stack(stack: Stack) -> dict[str, Any]:
    return {
        "id": stack.ref,
        "name": stack.name,
        "status": stack.status,
        "status_reason": stack.status_reason,
        "cloud_status": stack.cloud_status,
        "template": stack.template.slug,
        "version": stack.version.number,
        "running_version": stack.running_version.number if stack.running_version else None,
        "environment": stack.environment.slug,
        "owner": stack.team.slug,
        "service": stack.service.slug if stack.service else None,
        "protected": stack.is_protected,
        "created_at": stack.created_at,
        "ready_at": stack.ready_at,
        "deleted_at": stack.deleted_at,
        "observed_at": stack.observed_at,
    }


def _inside(stack: Stack, person: Person) -> dict[str, Any]:
    decision = policy.may_read_details(person, stack)
    if not decision:
        return {"parameters": None, "outputs": None, "output_values": None, "details": decision.rule}
    return {
        "parameters": stack.answers,
        "outputs": [_output(output) for output in stack.outputs],
        "output_values": {output["key"]: output["value"] for output in stack.outputs},
        "details": decision.rule,
    }


def _output(output: Mapping[str, str]) -> OutputDocument:
    return OutputDocument(key=output["key"], value=output["value"], description=output.get("description", ""))


def _links(stack: Stack) -> StackLinks:
    address = f"{PREFIX}/stacks/{stack.ref}"
    return StackLinks(
        self=address, resources=f"{address}/resources", events=f"{address}/events", jobs=f"{address}/jobs"
    )
