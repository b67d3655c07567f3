"""What people ask of stacks: launch, update, delete, accept, protect. None of these commits."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import clock, db, seal
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.answers import Checked
from app.environments.models import Environment
from app.errors import Conflict, Invalid
from app.identity import policy
from app.identity.models import Team
from app.jobs.models import Job
from app.services.models import Service
from app.stacks import checking, lifecycle
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Stack, running_answers
from app.stacks.requests import Request, hold, record, refuse_if_busy, start_job, word_of

# CloudFormation stack names: a letter, then letters, digits and hyphens; ours stay short so that a suffix fits.
NAME = re.compile(r"[a-z][a-z0-9-]{1,62}[a-z0-9]")
NAME_RULE = "3 to 64 lowercase letters, digits and hyphens, starting with a letter."


@dataclass(frozen=True)
class Launch:
    """What somebody wants to launch; `answers` are as typed, lists still lists."""

    version: Version
    environment: Environment
    team: Team
    name: str
    answers: Mapping[str, str | list[str]] = field(default_factory=dict)
    service: Service | None = None


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
    job = start_job(stack, "create", request, to_version=wanted.version, **_payload(checked, wanted.version))
    record("stack:launched", stack, f"Launched {stack.name} into {wanted.environment.slug}.", request)
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


def request_retry(stack: Stack, version: Version, answers: Mapping[str, str | list[str]], request: Request) -> Job:
    """Launch a failed stack again, with the same or other answers; what the first try left is removed first."""
    policy.require(policy.may_change(request.by, stack))
    refuse_if_busy(stack)
    if not lifecycle.can(stack, lifecycle.RETRY):
        raise Conflict(f"{stack.name} is {word_of(stack)}; only a failed one is launched again.")
    if not version.may_be_launched and version.id != stack.version_id:
        raise Invalid(f"Version {version.number} is {version.status}; choose a published one.", field="version")
    checked = checking.check(version, stack.environment, answers, request.by)
    if checked.errors:
        raise Invalid("Some answers need another look.", errors=by_field(checked))
    hold(stack)
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
    return start_job(stack, "create", request, to_version=version, **_payload(checked, version))


def request_update(
    stack: Stack, version: Version, answers: Mapping[str, str | list[str]], request: Request, confirm: bool = False
) -> Job:
    """Have a change planned: other answers, another version, or both. Nothing changes until somebody confirms.

    `confirm` is a yes in advance; it does not count for a plan that would lose data.
    """
    policy.require(policy.may_change(request.by, stack))
    refuse_if_busy(stack)
    if not lifecycle.can(stack, lifecycle.UPDATE):
        raise Conflict(f"{stack.name} is {word_of(stack)}; it can be changed once it is ready.")
    if not version.may_be_updated_to:
        raise Invalid(f"Version {version.number} is {version.status}; choose another.", field="version")
    checked = checking.check(version, stack.environment, answers, request.by, previous=stack)
    if checked.errors:
        raise Invalid("Some answers need another look.", errors=by_field(checked))
    job = start_job(stack, "update", request, to_version=version, **_payload(checked, version, stack))
    if confirm:
        job.payload = job.payload | {"confirmed": True}
    record("stack:update_requested", stack, f"Asked for a plan to change {stack.name}.", request)
    return job


def request_delete(stack: Stack, typed_name: str | None, request: Request) -> Job:
    """Delete the stack. From a browser its name has to be typed; a protected one is refused."""
    policy.require(policy.may_delete(request.by, stack))
    if stack.status == StackStatus.DELETED:
        raise Conflict(f"{stack.name} is deleted already.")
    if typed_name is not None and typed_name != stack.name:
        raise Invalid(f"Type {stack.name} to delete it.", field="confirmation")
    if stack.is_protected:
        raise Conflict(f"{stack.name} is protected from deletion. Switch the protection off first.")
    job = start_job(stack, "delete", request, payload={"answers": stack.answers, "generation": 1})
    record("stack:delete_requested", stack, f"Asked to delete {stack.name}.", request)
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
        record("stack:protection", stack, f"Switched deletion protection of {stack.name} {word}.", request)
