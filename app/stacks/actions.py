"""What people do with stacks: launch, update, confirm a plan, cancel, delete, protect. None of these commits."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import audit, clock, db, seal
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.answers import Checked
from app.environments.models import Environment
from app.errors import Conflict, Invalid
from app.identity import policy
from app.identity.models import Person, Team
from app.jobs import engine, outbox
from app.jobs import lifecycle as jobs
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.services.models import Service
from app.stacks import checking, lifecycle, plans
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Plan, Stack, running_answers
from app.words import time_of_day

# CloudFormation stack names: a letter, then letters, digits and hyphens; ours stay short so that a suffix fits.
NAME = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]")
NAME_RULE = "3 to 64 lowercase letters, digits and hyphens, starting with a letter."


@dataclass(frozen=True)
class Request:
    """Who asks, through what, and under which key the same request may be repeated."""

    by: Person
    via: str = "ui"
    key: str | None = None
    digest: str | None = None


@dataclass(frozen=True)
class Launch:
    """What somebody wants to launch; `answers` are as typed, lists still lists."""

    version: Version
    environment: Environment
    team: Team
    name: str
    answers: Mapping[str, str | list[str]] = field(default_factory=dict)
    service: Service | None = None


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


def launch(wanted: Launch, request: Request) -> tuple[Stack, Job]:
    """Write a new stack and its job, and announce it.

    Raises Forbidden, Invalid (every wrong field at once) or Conflict (the name is taken).
    """
    policy.require(policy.may_launch(request.by, wanted.environment))
    policy.require(_may_own(wanted, request))
    checked = _check_launch(wanted, request)
    stack = _new_stack(wanted, request, checked)
    db.session.add(stack)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        raise Invalid(_taken(wanted), field="name") from error
    stack.cloud_name = cloud_name(stack)
    job = _start_job(stack, "create", request, to_version=wanted.version, **_payload(checked, wanted.version))
    _record("stack:launched", stack, f"Launched {stack.name} into {wanted.environment.slug}.", request)
    return stack, job


def _may_own(wanted: Launch, request: Request) -> policy.Decision:
    """Nobody launches in another team's name: a stack's owner is who may delete it."""
    permitted = {team.id for team in policy.teams_to_launch_for(request.by, wanted.environment)}
    rule = f"In {wanted.environment.slug} you may not launch for {wanted.team.slug}."
    return policy.Decision(wanted.team.id in permitted, rule, f"Ask {wanted.team.chat or wanted.team.name}.")


def cloud_name(stack: Stack) -> str:
    """Return the CloudFormation name: the stack's own and its ref, so that it is unique wherever it goes."""
    return f"{stack.name}-{stack.ref.split('_')[1].lower()}"


def _check_launch(wanted: Launch, request: Request) -> Checked:
    errors: dict[str, list[str]] = {}
    if not NAME.fullmatch(wanted.name):
        errors["name"] = [NAME_RULE]
    elif _is_taken(wanted):
        errors["name"] = [_taken(wanted)]
    if not wanted.version.may_be_launched:
        errors["version"] = [f"Version {wanted.version.number} is {wanted.version.status}; choose a published one."]
    if wanted.service and wanted.service.team_id not in (None, wanted.team.id):
        errors["service"] = [f"{wanted.service.slug} does not belong to {wanted.team.slug}."]
    checked = checking.check(wanted.version, wanted.environment, wanted.answers, request.by)
    errors |= by_field(checked)
    if errors:
        raise Invalid("Some answers need another look.", errors=errors)
    return checked


def by_field(checked: Checked) -> dict[str, list[str]]:
    """Return what is wrong by the name of the field it was typed in: a template may well have a parameter `name`."""
    return {f"parameters.{name}": sentences for name, sentences in checked.errors.items()}


def _is_taken(wanted: Launch) -> bool:
    query = select(Stack.id).where(
        Stack.environment_id == wanted.environment.id,
        Stack.name == wanted.name,
        Stack.status != StackStatus.DELETED,
    )
    return db.session.scalar(query) is not None


def _taken(wanted: Launch) -> str:
    return f"There is a stack named {wanted.name} in {wanted.environment.slug} already."


def _new_stack(wanted: Launch, request: Request, checked: Checked) -> Stack:
    return Stack(
        ref=(ref := db.new_ref("stk")),
        name=wanted.name,
        cloud_name=ref,
        environment=wanted.environment,
        team=wanted.team,
        service=wanted.service,
        template_id=wanted.version.template_id,
        version_id=wanted.version.id,
        answers=_shown(checked, wanted.version),
        status=StackStatus.CREATING,
        rank=RANK[StackStatus.CREATING],
        outputs=[],
        is_protected=wanted.environment.stage == "prod",
        created_by_id=request.by.id,
        created_at=clock.now(),
    )


def _shown(checked: Checked, version: Version, previous: Stack | None = None) -> dict[str, str]:
    """Return the answers anybody who may see the stack may read: secrets are not among them."""
    hidden = parsed(version).secrets
    before = running_answers(previous) if previous else {}
    answers = {name: before.get(name, "") for name in checked.kept} | checked.values
    return {name: value for name, value in answers.items() if name not in hidden}


def _payload(checked: Checked, version: Version, previous: Stack | None = None) -> dict[str, Any]:
    hidden = parsed(version).secrets
    secrets = {name: value for name, value in checked.values.items() if name in hidden}
    return {
        "sealed": seal.seal(json.dumps(secrets)) if secrets else None,
        "payload": {
            "answers": _shown(checked, version, previous),
            "kept": sorted(checked.kept),
            "generation": 1,
        },
    }


def _start_job(
    stack: Stack,
    kind: str,
    request: Request,
    *,
    to_version: Version | None = None,
    payload: dict[str, Any] | None = None,
    sealed: bytes | None = None,
) -> Job:
    """Write the job with its steps and its wake-up; a second unfinished job on a stack is refused with its name."""
    now = clock.now()
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
        payload=payload or {},
        sealed=sealed,
        next_run_at=now,
        deadline_at=_deadline(),
        created_at=now,
    )
    _hold(stack)
    db.session.add(job)
    try:
        db.session.flush()
    except IntegrityError as error:
        db.session.rollback()
        refuse_if_busy(stack)
        raise Conflict("The same request arrived twice at once; ask again for its answer.") from error
    engine.add_steps(job)
    outbox.announce(job.id)
    return job


def _hold(stack: Stack) -> None:
    """Keep the stack for this request until its transaction ends; raises Conflict when a job has it."""
    db.session.execute(select(Stack.id).where(Stack.id == stack.id).with_for_update())
    refuse_if_busy(stack)


def _word(row: Stack | Job) -> str:
    return row.status.replace("_", " ")


def refuse_if_busy(stack: Stack) -> None:
    """Raise Conflict, naming it, when another job on the stack has not finished."""
    query = select(Job).where(Job.stack_id == stack.id, Job.status.in_(jobs.UNFINISHED))
    busy = db.session.scalar(query)
    if busy is not None:
        raise Conflict(f"Job {busy.ref} ({busy.kind}) on {stack.name} has not finished.", job=busy.ref)


def request_retry(stack: Stack, version: Version, answers: Mapping[str, str | list[str]], request: Request) -> Job:
    """Launch a failed stack again, with the same or other answers; what the first try left is removed first."""
    policy.require(policy.may_change(request.by, stack))
    refuse_if_busy(stack)
    if not lifecycle.can(stack, lifecycle.RETRY):
        raise Conflict(f"{stack.name} is {_word(stack)}; only a failed one is launched again.")
    if not version.may_be_launched and version.id != stack.version_id:
        raise Invalid(f"Version {version.number} is {version.status}; choose a published one.", field="version")
    checked = checking.check(version, stack.environment, answers, request.by)
    if checked.errors:
        raise Invalid("Some answers need another look.", errors=by_field(checked))
    _hold(stack)
    lifecycle.apply(
        stack,
        lifecycle.RETRY,
        by=request.by,
        version_id=version.id,
        answers=_shown(checked, version),
        cloud_id=None,
        cloud_status=None,
        outputs=[],
    )
    return _start_job(stack, "create", request, to_version=version, **_payload(checked, version))


def request_update(
    stack: Stack, version: Version, answers: Mapping[str, str | list[str]], request: Request, confirm: bool = False
) -> Job:
    """Have a change planned: other answers, another version, or both. Nothing changes until somebody confirms.

    `confirm` is a yes in advance; it does not count for a plan that would lose data.
    """
    policy.require(policy.may_change(request.by, stack))
    refuse_if_busy(stack)
    if not lifecycle.can(stack, lifecycle.UPDATE):
        raise Conflict(f"{stack.name} is {_word(stack)}; it can be changed once it is ready.")
    if not version.may_be_updated_to:
        raise Invalid(f"Version {version.number} is {version.status}; choose another.", field="version")
    checked = checking.check(version, stack.environment, answers, request.by, previous=stack)
    if checked.errors:
        raise Invalid("Some answers need another look.", errors=by_field(checked))
    job = _start_job(stack, "update", request, to_version=version, **_payload(checked, version, stack))
    if confirm:
        job.payload = job.payload | {"confirmed": True}
    _record("stack:update_requested", stack, f"Asked for a plan to change {stack.name}.", request)
    return job


def confirm_plan(plan: Plan, digest: str, request: Request, *, typed: str | None = None) -> Job:
    """Say yes to exactly the plan with this digest, and let its job go on.

    `typed` is the stack's name, needed where the plan would lose data. Raises Conflict when the plan is not the one
    that was shown, or was decided already.
    """
    job = _hold_job(plan.job_id)
    db.session.refresh(plan)
    stack = db.session.get_one(Stack, job.stack_id)
    policy.require(policy.may_change(request.by, stack))
    if plan.confirmed_at is not None:
        raise Conflict(_confirmed_already(plan.confirmed_by, plan.confirmed_at), job=job.ref)
    if job.is_finished or job.cancel_requested_at:
        raise Conflict("This plan was withdrawn; ask for a new one.", job=job.ref)
    if digest != plan.digest:
        raise Conflict("The plan changed since you read it. Read it again.", job=job.ref)
    if plans.loses_data(plan.changes) and typed != stack.name:
        raise Invalid(f"Type {stack.name} to allow what would be lost.", field="confirmation")
    plan.confirmed_at, plan.confirmed_by_id = clock.now(), request.by.id
    _resume(job)
    _record("plan:confirmed", stack, f"Confirmed {plan.ref} for {stack.name}.", request, {"digest": plan.digest})
    return job


def _confirmed_already(by: Person | None, at: datetime) -> str:
    return f"{by.name if by else 'Somebody'} confirmed it already, at {time_of_day(at)} UTC."


def _hold_job(job_id: int) -> Job:
    """Return the job as it is now and keep it so until the transaction ends, against workers and other requests."""
    query = select(Job).where(Job.id == job_id).with_for_update()
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def _resume(job: Job) -> None:
    """Let a waiting job go on. The time it waited for a person is not counted against its limit."""
    jobs.apply(job, jobs.CONFIRM, next_run_at=clock.now(), deadline_at=_deadline())
    outbox.announce(job.id)


def _try_again(job: Job) -> None:
    jobs.apply(job, jobs.RESUME, next_run_at=clock.now(), attempts=0, deadline_at=_deadline())
    outbox.announce(job.id)


def _deadline() -> datetime:
    return clock.now() + timedelta(hours=current_app.extensions["config"].number("JOB_HOURS"))


def request_cancel(job: Job, request: Request) -> None:
    """Ask the job to stop; a waiting one is resumed so that it can undo what it prepared."""
    stack = db.session.get_one(Stack, job.stack_id)
    policy.require(policy.may_change(request.by, stack))
    job = _hold_job(job.id)
    if job.is_finished:
        raise Conflict(f"{job.ref} has ended already: {_word(job)}.", job=job.ref)
    if job.kind == "delete" and stack.status == StackStatus.DELETING:
        raise Conflict("A deletion that has begun cannot be stopped.", job=job.ref)
    job.cancel_requested_at = job.cancel_requested_at or clock.now()
    db.session.flush()
    if jobs.can(job, jobs.CONFIRM):
        _resume(job)
    elif jobs.can(job, jobs.RESUME):
        _try_again(job)
    else:
        outbox.announce(job.id)
    _record("job:cancel_requested", stack, f"Asked to cancel {job.ref} on {stack.name}.", request)


def resume(job: Job, request: Request) -> None:
    """Let a job that needs attention try again from the step it stopped at; for those who run the platform."""
    policy.require(policy.may_operate(request.by))
    _try_again(job)
    _record("job:resumed", db.session.get_one(Stack, job.stack_id), f"Let {job.ref} try again.", request)


def request_delete(stack: Stack, typed_name: str | None, request: Request) -> Job:
    """Delete the stack. From a browser its name has to be typed; a protected one is refused."""
    policy.require(policy.may_delete(request.by, stack))
    if stack.status == StackStatus.DELETED:
        raise Conflict(f"{stack.name} is deleted already.")
    if typed_name is not None and typed_name != stack.name:
        raise Invalid(f"Type {stack.name} to delete it.", field="confirmation")
    if stack.is_protected:
        raise Conflict(f"{stack.name} is protected from deletion. Switch the protection off first.")
    job = _start_job(stack, "delete", request, payload={"answers": stack.answers, "generation": 1})
    _record("stack:delete_requested", stack, f"Asked to delete {stack.name}.", request)
    return job


def accept_running(stack: Stack, request: Request) -> None:
    """Take what runs for what is wanted: a tainted stack is ready again, with its running version and answers."""
    policy.require(policy.may_change(request.by, stack))
    refuse_if_busy(stack)
    lifecycle.apply(
        stack,
        lifecycle.ACCEPT,
        "What runs was accepted.",
        by=request.by,
        version_id=stack.running_version_id,
        answers=running_answers(stack),
    )


def set_protection(stack: Stack, is_protected: bool, request: Request) -> None:
    """Switch protection from deletion on or off."""
    policy.require(policy.may_delete(request.by, stack))
    if stack.is_protected != is_protected:
        stack.is_protected = is_protected
        word = "on" if is_protected else "off"
        _record("stack:protection", stack, f"Switched deletion protection of {stack.name} {word}.", request)


def _record(action: str, stack: Stack, summary: str, request: Request, after: dict[str, Any] | None = None) -> None:
    audit.record(action, "stack", stack.ref, summary, by=request.by, after=after)
