"""The pages of stacks: list, one stack, and what one may do with it."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import clock, db
from app.errors import Forbidden, Invalid
from app.identity import policy
from app.identity.current import me
from app.jobs.lifecycle import JobStatus
from app.stacks import actions, lifecycle, queries
from app.stacks.conditions import conditions_of
from app.stacks.facets import Filters, facets
from app.stacks.forecasts import usual
from app.stacks.lists import list_stacks
from app.stacks.models import Resource, Stack
from app.stacks.progress import progress
from app.stacks.requests import Request
from app.ui import announce

bp = Blueprint("stacks", __name__, url_prefix="/stacks")

TABS = ("overview", "resources", "jobs", "events", "answers")


def filters_from_request() -> Filters:
    """Read the filters from the query string."""
    args = request.args
    return Filters(
        tuple(args.getlist("team")),
        tuple(args.getlist("environment")),
        tuple(args.getlist("template")),
        tuple(args.getlist("status")),
        args.get("q", "").strip()[:100],
    )


@bp.get("")
def index() -> str:
    filters = filters_from_request()
    page = list_stacks(filters, request.args.get("after"))
    return render_template(
        "stacks/index.html",
        nav="stacks",
        page=page,
        facets=facets(filters),
        filters=filters,
        mine=[team.slug for team in me.teams],
        read_at=clock.now(),
    )


@bp.get("/<ref>")
def show(ref: str) -> str:
    stack = queries.access_stack(me, ref)
    is_part = bool(request.headers.get("HX-Request"))
    template = "stacks/_body.html" if is_part else "stacks/show.html"
    return render_template(template, nav="stacks", read_at=clock.now(), is_part=is_part, **_page_of(stack))


def _page_of(stack: Stack) -> dict[str, Any]:
    """Make one stack's page ready; what only its owners may read is not even read for others."""
    last = queries.find_last_job(stack)
    job = last if last and not last.is_finished else None
    newer = queries.newer_version(stack)
    resources = queries.resources_of(stack)
    details = policy.may_read_details(me, stack)
    tab = request.args.get("tab", "overview")
    page: dict[str, Any] = {
        "stack": stack,
        "job": job,
        "last": last,
        "plan": queries.plan_of(job) if job and job.status == JobStatus.WAITING else None,
        "tab": tab if tab in TABS else "overview",
        "details": details,
        "may_change": policy.may_change(me, stack),
        "may_delete": policy.may_delete(me, stack),
        "can_change": lifecycle.can(stack, lifecycle.UPDATE),
        "newer": newer,
        "resources": resources,
        "left": [row for row in resources if is_left(row)],
        "conditions": conditions_of(stack, newer) if stack.ready_at and stack.deleted_at is None else (),
        "timeline": queries.timeline_of(stack),
        "is_failed": stack.status == lifecycle.StackStatus.FAILED,
        "is_deleted": stack.status == lifecycle.StackStatus.DELETED,
        "is_tainted": stack.status == lifecycle.StackStatus.TAINTED,
        "in_trouble": stack.status in lifecycle.IN_TROUBLE,
    }
    if details:
        page |= _details(stack, page)
    return page


def is_left(row: Resource) -> bool:
    """Say whether a resource is still in the cloud; one that was never made has no id there."""
    return row.status != "DELETE_COMPLETE" and bool(row.physical_id or not row.status.endswith("_FAILED"))


def _details(stack: Stack, page: dict[str, Any]) -> dict[str, Any]:
    shown = page["job"] or (page["last"] if page["in_trouble"] else None)
    found: dict[str, Any] = {"jobs": queries.jobs_of(stack) if page["tab"] == "jobs" else ()}
    if page["tab"] == "events":
        found["events"] = queries.events_of_stack(stack)
    if shown is not None:
        events = queries.events_of(shown)
        typical = usual(stack.template_id, shown.kind)
        found["progress"] = progress(stack, shown, queries.plan_of(shown), events, typical, stack.version)
    return found


@bp.get("/<ref>/delete")
def ask_delete(ref: str) -> str:
    stack = queries.access_stack(me, ref)
    policy.require(policy.may_delete(me, stack))
    return _delete_page(stack)


def _delete_page(stack: Stack, error: str = "") -> str:
    resources = [row for row in queries.resources_of(stack) if is_left(row)]
    return render_template("stacks/delete.html", nav="stacks", stack=stack, resources=resources, error=error)


@bp.post("/<ref>/deletion")
def delete(ref: str) -> Response | tuple[str, int]:
    stack = queries.access_stack(me, ref)
    try:
        actions.request_delete(stack, request.form.get("confirmation", ""), Request(me))
    except Invalid as problem:
        db.session.rollback()
        return _delete_page(queries.access_stack(me, ref), problem.sentence), 422
    return _done(ref, f"Deletion of {stack.name} asked for")


@bp.post("/<ref>/protection")
def protect(ref: str) -> Response:
    stack = queries.access_stack(me, ref)
    wanted = request.form.get("protected") == "on"
    actions.set_protection(stack, wanted, Request(me))
    words = f"{stack.name} is protected from deletion" if wanted else f"{stack.name} may be deleted again"
    return _done(ref, words, (url_for(".protect", ref=ref), {"protected": "off" if wanted else "on"}))


@bp.post("/<ref>/acceptance")
def accept(ref: str) -> Response:
    """Keep what runs: a tainted stack's wish is taken back to what is there."""
    stack = queries.access_stack(me, ref)
    actions.accept_running(stack, Request(me))
    return _done(ref, f"{stack.name} is taken as it runs")


def _done(ref: str, words: str, undo: tuple[str, dict[str, str]] | None = None) -> Response:
    db.session.commit()
    announce(words, undo)
    return redirect(url_for(".show", ref=ref), 303)


def need_details(stack: Stack) -> None:
    """Raise Forbidden, with the rule, for whoever may not read a stack's inside."""
    decision = policy.may_read_details(me, stack)
    if not decision:
        raise Forbidden(decision.rule, decision.who)
