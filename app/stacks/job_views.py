"""Jobs and plans: the list of jobs, one job, and the plan somebody says yes or no to."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from app import clock, db
from app.catalog.models import Version
from app.errors import Invalid, NotFound
from app.identity import policy
from app.identity.current import is_local, me
from app.jobs import lifecycle as jobs
from app.jobs.lifecycle import UNFINISHED, JobStatus
from app.jobs.models import Job
from app.stacks import deciding, plan_pages, queries
from app.stacks.forecasts import usual
from app.stacks.job_lists import list_jobs
from app.stacks.models import Plan, Stack
from app.stacks.progress import progress
from app.stacks.requests import Request, word_of
from app.stacks.views import need_details
from app.ui import announce

bp = Blueprint("jobs", __name__)

SETS = {"unfinished": UNFINISHED, "failed": (JobStatus.FAILED,), "waiting": (JobStatus.WAITING,)}


@bp.get("/jobs")
def index() -> str:
    status = request.args.get("status", "")
    wanted = SETS.get(status) or ((JobStatus(status),) if status in list(JobStatus) else ())
    before = request.args.get("before", "")
    rows, more = list_jobs(wanted, int(before) if before.isdigit() and len(before) < 19 else None)
    return render_template(
        "jobs/index.html",
        nav="jobs",
        rows=rows,
        # Why a job failed may name what is inside the stack.
        told={job.id for job in rows if policy.may_read_details(me, job)},
        more=more,
        status=status,
        read_at=clock.now(),
    )


@bp.get("/jobs/<ref>")
def show(ref: str) -> str:
    job, stack = queries.access_job(me, ref)
    page: dict[str, Any] = {"job": job, "stack": stack, "details": policy.may_read_details(me, stack)}
    if page["details"]:
        plan = queries.plan_of(job)
        version = db.session.get(Version, job.to_version_id) if job.to_version_id else None
        typical = usual(stack.template_id, job.kind)
        page |= {"plan": plan, "progress": progress(stack, job, plan, queries.events_of(job), typical, version)}
    template = "jobs/_body.html" if request.headers.get("HX-Request") else "jobs/show.html"
    return render_template(template, nav="jobs", read_at=clock.now(), may_change=policy.may_change(me, stack), **page)


@bp.post("/jobs/<ref>/cancellation")
def cancel(ref: str) -> Response:
    job, stack = queries.access_job(me, ref)
    deciding.request_cancel(job, Request(me))
    return _done(stack, "Cancelling: what was begun is undone")


@bp.post("/jobs/<ref>/resumption")
def resume(ref: str) -> Response:
    """Let a job that needs attention try again; for those who run the platform."""
    job, stack = queries.access_job(me, ref)
    deciding.resume(job, Request(me))
    return _done(stack, "Trying again from the step it stopped at")


@bp.post("/jobs/<ref>/release")
def release(ref: str) -> Response:
    """Take the job from a worker that is not seen any more; for those who run the platform."""
    job, stack = queries.access_job(me, ref)
    deciding.release(job, Request(me))
    return _done(stack, f"{ref} is released; the next free worker takes it")


@bp.get("/jobs/<ref>/give-up")
def ask_give_up(ref: str) -> str:
    """Ask why a job should be given up, and say what that leaves behind."""
    job, stack = queries.access_job(me, ref)
    policy.require(policy.may_operate(me))
    return _give_up_page(job, stack)


def _give_up_page(job: Job, stack: Stack, reason: str = "", error: str = "") -> str:
    return render_template(
        "jobs/give_up.html",
        nav="jobs",
        job=job,
        stack=stack,
        can_give_up=jobs.can(job, jobs.GIVE_UP),
        becomes=deciding.status_after_giving_up(job, stack),
        back=_back(stack),
        longest=deciding.LONGEST_REASON,
        reason=reason,
        error=error,
        read_at=clock.now(),
    )


@bp.post("/jobs/<ref>/abandonment")
def give_up(ref: str) -> Response | tuple[str, int]:
    """End a job that needs attention as failed; for those who run the platform, with a reason."""
    job, stack = queries.access_job(me, ref)
    reason = request.form.get("reason", "")
    try:
        deciding.give_up(job, reason, Request(me))
    except Invalid as problem:
        db.session.rollback()
        return _give_up_page(*queries.access_job(me, ref), reason, problem.sentence), 422
    return _done(stack, f"{ref} is given up; {stack.name} is {word_of(stack)}")


def _done(stack: Stack, words: str) -> Response:
    db.session.commit()
    announce(words)
    return redirect(_back(stack), 303)


def _back(stack: Stack) -> str:
    """Return the page somebody came from, if it said so, or the stack's."""
    back = request.values.get("back", "")
    return back if is_local(back) else url_for("stacks.show", ref=stack.ref)


@bp.get("/plans/<ref>")
def plan(ref: str) -> str:
    found, job, stack = _access_plan(ref)
    need_details(stack)
    return _plan_page(found, job, stack)


def _plan_page(found: Plan, job: Job, stack: Stack, error: str = "") -> str:
    wanted = [job.from_version_id or 0, job.to_version_id or 0]
    numbers = dict(db.session.execute(select(Version.id, Version.number).where(Version.id.in_(wanted))).all())
    present = {resource.logical_id for resource in queries.resources_of(stack)}
    return render_template(
        "plans/show.html",
        nav="stacks",
        plan=found,
        job=job,
        stack=stack,
        **plan_pages.sorted_out(found.changes, present),
        from_number=numbers.get(wanted[0]),
        to_number=numbers.get(wanted[1]),
        is_waiting=job.status == JobStatus.WAITING,
        may_change=policy.may_change(me, stack),
        usual=usual(stack.template_id, job.kind),
        error=error,
        read_at=clock.now(),
    )


@bp.post("/plans/<ref>/confirmation")
def confirm(ref: str) -> Response | tuple[str, int]:
    """Say yes; where data would be lost, the stack's name has to be typed."""
    found, _, stack = _access_plan(ref)
    digest, typed = request.form.get("digest", ""), request.form.get("confirmation", "")
    try:
        deciding.confirm_plan(found, digest, Request(me), typed=typed)
    except Invalid as problem:
        db.session.rollback()
        return _plan_page(*_access_plan(ref), problem.sentence), 422
    return _done(stack, f"The change of {stack.name} is under way")


@bp.post("/plans/<ref>/withdrawal")
def withdraw(ref: str) -> Response:
    """Say no: the change set goes, the stack stays as it is."""
    _, job, stack = _access_plan(ref)
    deciding.request_cancel(job, Request(me))
    return _done(stack, f"The plan is withdrawn; {stack.name} stays as it is")


def _access_plan(ref: str) -> tuple[Plan, Job, Stack]:
    found = db.session.scalar(select(Plan).where(Plan.ref == ref).options(joinedload(Plan.confirmed_by)))
    if found is None:
        raise NotFound
    job_ref = db.session.scalar(select(Job.ref).where(Job.id == found.job_id))
    job, stack = queries.access_job(me, job_ref or "")
    return found, job, stack
