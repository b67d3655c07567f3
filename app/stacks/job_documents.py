"""Jobs and plans as JSON documents."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from app.api import Document, Page
from app.identity import policy
from app.identity.models import Person
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep
from app.stacks import plans
from app.stacks.models import Plan, Stack


class JobSummary(Document):
    """A job as lists show it."""

    id: str = Field(examples=["job_51HZ0D9T"])
    stack: str
    kind: str
    status: JobStatus
    requested_by: str
    via: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class StepDocument(Document):
    """One stage of a job."""

    key: str
    status: StepStatus
    note: str
    started_at: datetime | None
    done_at: datetime | None


class FailureDocument(Document):
    """Why a job failed: in words, what to do, and the first cause as CloudFormation gave it."""

    sentence: str
    advice: str
    reason: str
    logical_id: str


class JobDocument(JobSummary):
    """A job with its inside. Who may not read details gets null there, and `details` names the rule."""

    steps: list[StepDocument] | None
    failure: FailureDocument | None
    plan: str | None = Field(description="Id of the plan, once there is one.")
    cancel_requested_at: datetime | None
    details: str = Field(description="The rule by which the details are there, or null.")


class ChangeDocument(Document):
    """One value that changes; null is nothing on that side."""

    path: str
    before: str | None
    after: str | None
    note: str


class ResourceChange(Document):
    """What happens to one resource, in plain words."""

    kind: str
    logical_id: str
    physical_id: str
    type: str
    holds_data: bool
    sentence: str
    properties: list[ChangeDocument]


class PlanDocument(Document):
    """What a job will do once somebody confirms it by naming this digest."""

    id: str = Field(examples=["pln_8WM2X4CA"])
    job: str
    stack: str
    digest: str
    waiting: bool = Field(description="Whether somebody still has to say yes or no.")
    loses_data: bool = Field(description="Whether a yes has to name the stack as well.")
    changes: list[ResourceChange]
    parameters: list[ChangeDocument] = Field(description="The answers that change; secrets show as dots.")
    untouched: int = Field(description="How many resources stay as they are.")
    created_at: datetime
    confirmed_at: datetime | None
    confirmed_by: str | None


class JobPage(Page[JobSummary]):
    """One part of the jobs, newest first."""


def job_summary(job: Job, stack_ref: str) -> JobSummary:
    return JobSummary(**_of_job(job, stack_ref))


def job_document(job: Job, stack: Stack, plan: Plan | None, person: Person) -> JobDocument:
    """Return the job as the person may read it."""
    decision = policy.may_read_details(person, stack)
    inside = _inside(job, plan) if decision else {"steps": None, "failure": None, "plan": None}
    return JobDocument(
        **_of_job(job, stack.ref), **inside, cancel_requested_at=job.cancel_requested_at, details=decision.rule
    )


def plan_document(plan: Plan, job: Job, stack: Stack) -> PlanDocument:
    return PlanDocument(
        id=plan.ref,
        job=job.ref,
        stack=stack.ref,
        digest=plan.digest,
        waiting=job.status == JobStatus.WAITING and plan.confirmed_at is None,
        loses_data=plans.loses_data(plan.changes),
        changes=[_resource_change(change) for change in plan.changes],
        parameters=[_change(change) for change in plan.answer_changes],
        untouched=plan.untouched,
        created_at=plan.created_at,
        confirmed_at=plan.confirmed_at,
        confirmed_by=plan.confirmed_by.username if plan.confirmed_by else None,
    )


def _of_job(job: Job, stack_ref: str) -> dict[str, Any]:
    return {
        "id": job.ref,
        "stack": stack_ref,
        "kind": job.kind,
        "status": job.status,
        "requested_by": job.requested_by.username,
        "via": job.via,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }


def _inside(job: Job, plan: Plan | None) -> dict[str, Any]:
    return {
        "steps": [_step(step) for step in job.steps],
        "failure": _failure(job.failure) if job.failure else None,
        "plan": plan.ref if plan else None,
    }


def _step(step: JobStep) -> StepDocument:
    return StepDocument(
        key=step.key, status=step.status, note=step.note, started_at=step.intent_at, done_at=step.done_at
    )


def _failure(failure: Mapping[str, Any]) -> FailureDocument:
    return FailureDocument(**{name: failure.get(name) or "" for name in FailureDocument.model_fields})


def _resource_change(change: Mapping[str, Any]) -> ResourceChange:
    properties = [_change(each) for each in change["properties"]]
    return ResourceChange(**{**change, "properties": properties})


def _change(change: Mapping[str, Any]) -> ChangeDocument:
    return ChangeDocument(
        path=change["path"], before=change["before"], after=change["after"], note=change.get("note", "")
    )
