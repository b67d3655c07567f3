"""Stacks, as JSON: over the same actions and queries as the pages."""

from flask import Response
from pydantic import Field
from sqlalchemy import select

from app import api, db
from app.api import Body, Paging
from app.identity import policy
from app.identity.current import me
from app.jobs.models import Job
from app.openapi import refuses
from app.stacks import actions, queries, walks
from app.stacks.accepting import RepeatableHeaders, accept, asked
from app.stacks.documents import (
    Accepted,
    EventPage,
    ResourcePage,
    StackDocument,
    StackPage,
    event_documents,
    resource_document,
    stack_document,
    stack_summary,
)
from app.stacks.facets import SETS, Filters
from app.stacks.job_documents import JobPage, job_summary
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Resource, Stack, StackEvent
from app.stacks.requests import Request
from app.stacks.wishes import LAUNCH_EXAMPLE, LaunchBody, RetryBody, UpdateBody, launched_version, retry_answers, wanted

bp = api.blueprint("stacks", "Launched versions: launch, change, read, delete.")


class StackQuery(Paging):
    """What the list of stacks is narrowed to; several values are separated by commas."""

    team: str = Field("", max_length=500, description="Slugs of owning teams.")
    environment: str = Field("", max_length=500, description="Slugs of environments.")
    template: str = Field("", max_length=500, description="Slugs of templates.")
    status: str = Field(
        "",
        pattern=api.several([*StackStatus, *SETS]),
        description="Statuses, or the sets `trouble` and `moving`. Without it, everything that is not deleted.",
    )
    q: str = Field("", max_length=200, description="Part of a name, or an id.")


class ProtectionBody(Body):
    """Whether the stack is protected from deletion."""

    protected: bool


@bp.get("/stacks")
@bp.input(StackQuery, location="query")
@bp.output(StackPage)
def list_stacks(query_data: StackQuery) -> StackPage:
    """List stacks, newest first."""
    filters = Filters(
        teams=api.split(query_data.team),
        environments=api.split(query_data.environment),
        templates=api.split(query_data.template),
        statuses=api.split(query_data.status),
        words=query_data.q,
    )
    rows, following = api.page_of(walks.stacks(filters), Stack.id, query_data, newest_first=True)
    return StackPage(items=[stack_summary(row) for row in rows], next=following)


@bp.get("/stacks/<stack_id>")
@bp.output(StackDocument)
def get_stack(stack_id: str) -> StackDocument:
    """Return one stack with its parameters, outputs and the job under way."""
    return stack_document(queries.access_stack(me, stack_id), me)


@bp.get("/stacks/<stack_id>/resources")
@bp.input(Paging, location="query")
@bp.output(ResourcePage)
def list_resources(stack_id: str, query_data: Paging) -> ResourcePage:
    """List what the stack holds in the cloud."""
    stack = queries.access_stack(me, stack_id)
    details = bool(policy.may_read_details(me, stack))
    query = select(Resource).where(Resource.stack_id == stack.id)
    rows, following = api.page_of(query, Resource.logical_id, query_data)
    return ResourcePage(items=[resource_document(row, details) for row in rows], next=following)


@bp.get("/stacks/<stack_id>/events")
@bp.input(Paging, location="query")
@bp.output(EventPage)
@refuses(403)
def list_stack_events(stack_id: str, query_data: Paging) -> EventPage:
    """List what CloudFormation reported about the stack, oldest first."""
    stack = queries.access_stack(me, stack_id)
    policy.require(policy.may_read_details(me, stack))
    query = select(StackEvent).where(StackEvent.stack_id == stack.id)
    rows, following = api.page_of(query, StackEvent.id, query_data)
    return EventPage(items=event_documents(rows), next=following)


@bp.get("/stacks/<stack_id>/jobs")
@bp.input(Paging, location="query")
@bp.output(JobPage)
def list_stack_jobs(stack_id: str, query_data: Paging) -> JobPage:
    """List the stack's jobs, newest first."""
    stack = queries.access_stack(me, stack_id)
    rows, following = api.page_of(walks.jobs(Job.stack_id == stack.id), Job.id, query_data, newest_first=True)
    return JobPage(items=[job_summary(row, stack.ref) for row in rows], next=following)


@bp.post("/stacks")
@bp.input(LaunchBody, example=LAUNCH_EXAMPLE)
@bp.input(RepeatableHeaders, location="headers")
@bp.output(Accepted, status_code=202)
@refuses(403, 409)
def launch_stack(json_data: LaunchBody, headers_data: RepeatableHeaders) -> Response:
    """Launch a version. Answers at once; follow the job until the stack is ready."""
    request = asked(headers_data, json_data)
    return accept(request, lambda: actions.launch(wanted(json_data, me), request))


@bp.post("/stacks/<stack_id>/updates")
@bp.input(UpdateBody, example={"parameters": {"VisibilityTimeoutSeconds": 60}, "confirm": True})
@bp.input(RepeatableHeaders, location="headers")
@bp.output(Accepted, status_code=202)
@refuses(403, 409)
def update_stack(stack_id: str, json_data: UpdateBody, headers_data: RepeatableHeaders) -> Response:
    """Have a change planned. Its job waits until somebody confirms the plan, unless `confirm` says so already."""
    request = asked(headers_data, json_data)

    def act() -> tuple[Stack, Job]:
        stack = queries.access_stack(me, stack_id)
        version = launched_version(stack.template.slug, json_data.version or stack.version.number)
        return stack, actions.request_update(stack, version, json_data.parameters, request, json_data.confirm)

    return accept(request, act)


@bp.post("/stacks/<stack_id>/retries")
@bp.input(RetryBody)
@bp.input(RepeatableHeaders, location="headers")
@bp.output(Accepted, status_code=202)
@refuses(403, 409)
def retry_stack(stack_id: str, json_data: RetryBody, headers_data: RepeatableHeaders) -> Response:
    """Launch a failed stack again, with the same or other answers."""
    request = asked(headers_data, json_data)

    def act() -> tuple[Stack, Job]:
        stack = queries.access_stack(me, stack_id)
        version = launched_version(stack.template.slug, json_data.version or stack.version.number)
        answers = retry_answers(stack, version, json_data.parameters)
        return stack, actions.request_retry(stack, version, answers, request)

    return accept(request, act)


@bp.delete("/stacks/<stack_id>")
@bp.input(RepeatableHeaders, location="headers")
@bp.output(Accepted, status_code=202)
@refuses(403, 409)
def delete_stack(stack_id: str, headers_data: RepeatableHeaders) -> Response:
    """Delete the stack; one that is protected is refused."""
    request = asked(headers_data)

    def act() -> tuple[Stack, Job]:
        stack = queries.access_stack(me, stack_id)
        return stack, actions.request_delete(stack, None, request)

    return accept(request, act)


@bp.patch("/stacks/<stack_id>")
@bp.input(ProtectionBody)
@bp.output(StackDocument)
@refuses(403)
def protect_stack(stack_id: str, json_data: ProtectionBody) -> StackDocument:
    """Switch protection from deletion on or off."""
    stack = queries.access_stack(me, stack_id)
    actions.set_protection(stack, json_data.protected, Request(me, via="api"))
    db.session.commit()
    return stack_document(stack, me)


@bp.post("/stacks/<stack_id>/acceptance")
@bp.output(StackDocument)
@refuses(403, 409)
def accept_running(stack_id: str) -> StackDocument:
    """Keep what runs: a tainted stack is ready again with its running version and answers."""
    stack = queries.access_stack(me, stack_id)
    actions.accept_running(stack, Request(me, via="api"))
    db.session.commit()
    return stack_document(stack, me)
