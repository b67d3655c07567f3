"""Jobs and plans, as JSON."""

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import api, db
from app.api import PREFIX, Body, Paging
from app.errors import NotFound
from app.identity import policy
from app.identity.current import me
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.openapi import refuses
from app.stacks import deciding, queries, walks
from app.stacks.documents import EventPage, event_documents
from app.stacks.job_documents import JobDocument, JobPage, PlanDocument, job_document, job_summary, plan_document
from app.stacks.models import Plan, Stack, StackEvent
from app.stacks.requests import Request

bp = api.blueprint("jobs", "What was asked for, how far it is, and the plans that wait for a yes.")


# What is under way: the job, and the header that says where to follow it.
Followed = tuple[JobDocument, dict[str, str]]


class JobQuery(Paging):
    """What the list of jobs is narrowed to."""

    stack: str = Field("", max_length=20, description="Id of a stack.")
    status: str = Field("", pattern=api.several(JobStatus), description="Statuses, separated by commas.")


class AbandonmentBody(Body):
    """Why a job is given up."""

    reason: str = Field(
        min_length=1,
        max_length=deciding.LONGEST_REASON,
        description="In a few words; whoever owns the stack reads it.",
        examples=["The account was closed."],
    )


class ConfirmationBody(Body):
    """A yes to exactly the plan that was read."""

    digest: str = Field(max_length=64, description="The plan's digest.")
    confirmation: str | None = Field(None, max_length=100, description="The stack's name, where data would be lost.")


@bp.get("/jobs")
@bp.input(JobQuery, location="query")
@bp.output(JobPage)
def list_jobs(query_data: JobQuery) -> JobPage:
    """List jobs, newest first."""
    query = walks.jobs()
    if query_data.stack:
        query = query.where(Job.stack_id.in_(select(Stack.id).where(Stack.ref == query_data.stack)))
    if statuses := api.split(query_data.status):
        query = query.where(Job.status.in_(statuses))
    rows, following = api.page_of(query, Job.id, query_data, newest_first=True)
    refs = walks.refs_of({row.stack_id for row in rows})
    return JobPage(items=[job_summary(row, refs[row.stack_id]) for row in rows], next=following)


@bp.get("/jobs/<job_id>")
@bp.output(JobDocument)
def get_job(job_id: str) -> JobDocument:
    """Return one job with its steps, and why it failed if it did."""
    return _document(*queries.access_job(me, job_id))


@bp.get("/jobs/<job_id>/events")
@bp.input(Paging, location="query")
@bp.output(EventPage)
@refuses(403)
def list_job_events(job_id: str, query_data: Paging) -> EventPage:
    """List what CloudFormation reported during the job, oldest first."""
    job, stack = queries.access_job(me, job_id)
    policy.require(policy.may_read_details(me, stack))
    rows, following = api.page_of(select(StackEvent).where(StackEvent.job_id == job.id), StackEvent.id, query_data)
    return EventPage(items=event_documents(rows), next=following)


@bp.post("/jobs/<job_id>/cancellation")
@bp.output(JobDocument, status_code=202)
@refuses(403, 409)
def cancel_job(job_id: str) -> Followed:
    """Ask the job to stop and to undo what it has begun; it ends as soon as that is done."""
    job, stack = queries.access_job(me, job_id)
    deciding.request_cancel(job, Request(me, via="api"))
    db.session.commit()
    return _followed(job, stack)


@bp.post("/jobs/<job_id>/resumption")
@bp.output(JobDocument, status_code=202)
@refuses(403, 409)
def resume_job(job_id: str) -> Followed:
    """Let a job that needs attention try the step it stopped at once more; for those who run the platform."""
    job, stack = queries.access_job(me, job_id)
    deciding.resume(job, Request(me, via="api"))
    db.session.commit()
    return _followed(job, stack)


@bp.post("/jobs/<job_id>/release")
@bp.output(JobDocument, status_code=202)
@refuses(403, 409)
def release_job(job_id: str) -> Followed:
    """Take a job from a worker that is not seen any more, so that another goes on; for those who run the platform."""
    job, stack = queries.access_job(me, job_id)
    deciding.release(job, Request(me, via="api"))
    db.session.commit()
    return _followed(job, stack)


@bp.post("/jobs/<job_id>/abandonment")
@bp.input(AbandonmentBody)
@bp.output(JobDocument)
@refuses(403, 409)
def give_up_job(job_id: str, json_data: AbandonmentBody) -> JobDocument:
    """End a job that needs attention as failed and its stack with it, without asking the cloud; for the same."""
    job, stack = queries.access_job(me, job_id)
    deciding.give_up(job, json_data.reason, Request(me, via="api"))
    db.session.commit()
    return _document(job, stack)


@bp.get("/plans/<plan_id>")
@bp.output(PlanDocument)
@refuses(403)
def get_plan(plan_id: str) -> PlanDocument:
    """Return a plan: what will be added, changed, replaced and removed, worst first."""
    plan, job, stack = _access_plan(plan_id)
    policy.require(policy.may_read_details(me, stack))
    return plan_document(plan, job, stack)


@bp.post("/plans/<plan_id>/confirmation")
@bp.input(ConfirmationBody)
@bp.output(JobDocument, status_code=202)
@refuses(403, 409)
def confirm_plan(plan_id: str, json_data: ConfirmationBody) -> Followed:
    """Say yes to the plan and let its job go on."""
    plan, job, stack = _access_plan(plan_id)
    deciding.confirm_plan(plan, json_data.digest, Request(me, via="api"), typed=json_data.confirmation)
    db.session.commit()
    return _followed(job, stack)


def _document(job: Job, stack: Stack) -> JobDocument:
    return job_document(job, stack, queries.plan_of(job), me)


def _followed(job: Job, stack: Stack) -> Followed:
    return _document(job, stack), {"Location": f"{PREFIX}/jobs/{job.ref}"}


def _access_plan(plan_id: str) -> tuple[Plan, Job, Stack]:
    query = select(Plan, Job.ref).join(Job, Job.id == Plan.job_id).where(Plan.ref == plan_id)
    found = db.session.execute(query.options(joinedload(Plan.confirmed_by))).one_or_none()
    if found is None:
        raise NotFound
    return found.Plan, *queries.access_job(me, found.ref)
