"""Does what the steps of a stack's jobs ask for: looks and deeds in the cloud here, notes in `noting`."""

import json
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from flask import current_app
from sqlalchemy import select

from app import db, seal
from app.aws import cloudformation as cfn
from app.aws.errors import NoAnswer, Throttled
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.capabilities import capabilities
from app.environments.models import Account, Environment
from app.jobs.flows import Effect, Note
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import causes, effects, nested
from app.stacks.case import Case, PlanFacts
from app.stacks.cloud import change_set_name, cloudformation, place_name, tags
from app.stacks.following import is_the_stack, last_event_id
from app.stacks.lifecycle import MEANINGS
from app.stacks.models import Plan, Stack, StackEvent
from app.stacks.noting import note
from app.stacks.plans import loses_data

_CASE = (
    select(
        Job.kind,
        Job.payload,
        Stack.ref.label("stack"),
        Stack.cloud_name,
        Stack.cloud_id,
        Stack.status,
        Stack.is_protected,
        Plan.change_set_id,
        Plan.confirmed_at,
        Plan.changes,
        Environment.region,
        Account.number,
    )
    .join(Stack, Stack.id == Job.stack_id)
    .join(Environment, Environment.id == Stack.environment_id)
    .join(Account, Account.id == Environment.account_id)
    .outerjoin(Plan, Plan.job_id == Job.id)
)


def begin(run: Run) -> Case:
    """Return the facts the step decides by."""
    row = db.session.execute(_CASE.where(Job.id == run.job_id)).one()
    db.release()
    payload, current = row.payload, run.facts.current
    plan = row.change_set_id and PlanFacts(row.change_set_id, row.confirmed_at is not None, loses_data(row.changes))
    return Case(
        job=run.ref,
        kind=row.kind,
        stack=row.stack,
        cloud_name=row.cloud_name,
        cloud_id=row.cloud_id,
        status=row.status,
        is_protected=row.is_protected,
        plan=plan or None,
        generation=payload.get("generation", 1),
        is_repeat=run.is_repeat,
        looks=current.attempt if current else 0,
        wants_cancel=run.facts.wants_cancel,
        tries=payload.get("tries", 0),
        is_undoing=bool(payload.get("undoing")),
        refused=payload.get("refused", ""),
        is_confirmed=bool(payload.get("confirmed")),
        retains=tuple(payload.get("retains", ())),
        skips=tuple(payload.get("skips", ())),
        place=place_name(row.number, row.region),
        pace=current_app.extensions["config"].number("FOLLOW_SECONDS"),
    )


def perform(run: Run, effect: Effect) -> Any:
    """Do it and return what it answers. Raises the errors of `aws.errors`, and LeaseLost for a note under an old fence.

    No transaction is open while the cloud is asked.
    """
    if isinstance(effect, Note):
        with run.writing() as job:
            return note(effect, run, job)
    scene = _scene(run)
    db.release()
    return _ask(effect, scene)


@dataclass(frozen=True)
class Scene:
    """Where an effect happens: the claim, its job and stack as they were first read, and a client in their place."""

    run: Run
    job: Job
    stack: Stack
    client: Any


def _scene(run: Run) -> Scene:
    if "scene" not in run.kept:
        job = run.job
        stack = db.session.get_one(Stack, job.stack_id)
        run.kept["scene"] = Scene(run, job, stack, cloudformation(stack, job))
    return run.kept["scene"]


@singledispatch
def _ask(effect: Effect, scene: Scene) -> Any:
    raise NotImplementedError(effect.name)


@_ask.register
def _(effect: effects.FindStack, scene: Scene) -> cfn.StackState | None:
    return cfn.find_stack(scene.client, effect.where)


@_ask.register
def _(effect: effects.FindChangeSet, scene: Scene) -> cfn.ChangeSet | None:
    return cfn.find_change_set(scene.client, effect.change_set, effect.stack)


@_ask.register
def _(effect: effects.HasEventOf, scene: Scene) -> bool:
    return cfn.has_event_of(scene.client, effect.where, effect.token)


@_ask.register
def _(effect: effects.ReadEvents, scene: Scene) -> list[cfn.Event] | None:
    if effect.cloud_id is None:
        return []
    seen = last_event_id(scene.stack.id)
    db.release()
    try:
        return cfn.events_since(scene.client, effect.cloud_id, seen)
    except (Throttled, NoAnswer):
        # The stack's status counts all the same.
        return None


@_ask.register
def _(effect: effects.ListResources, scene: Scene) -> list[dict[str, str]]:
    return cfn.resources(scene.client, effect.cloud_id)


@_ask.register
def _(effect: effects.HasFailedToDelete, scene: Scene) -> bool:
    query = select(StackEvent.id).where(StackEvent.job_id == scene.run.job_id, StackEvent.status == "DELETE_FAILED")
    found = db.session.scalar(query.limit(1)) is not None
    db.release()
    return found


@_ask.register
def _(effect: effects.Explain, scene: Scene) -> dict[str, Any]:
    """Explain by the first cause among this job's events why the stack did not become what was asked."""
    query = select(StackEvent).where(StackEvent.job_id == scene.run.job_id).order_by(StackEvent.id)
    events = [
        event for event in db.session.scalars(query) if not is_the_stack(scene.stack.cloud_name, event) or event.reason
    ]
    db.release()
    found = nested.first_cause_of(scene.client, effect.state.cloud_id, events)
    cause, inside = (found.event, found.inside) if found else (causes.first_cause(events), ())
    if found is None:
        cause = causes.first_cause(cfn.failed_checks(scene.client, StackName=effect.state.cloud_id)) or cause
    return causes.explain(cause, effect.state.reason, inside) | {
        "others": causes.others_failed(events, found.seen_as if found else cause),
        "cloud_status": effect.state.status,
        "next_action": MEANINGS[effect.state.status].next_action,
    }


@_ask.register
def _(effect: effects.ExplainChangeSet, scene: Scene) -> dict[str, Any]:
    reasons = cfn.failed_checks(scene.client, ChangeSetName=effect.change_set.cloud_id)
    return causes.explain(causes.first_cause(reasons), effect.change_set.reason)


@_ask.register
def _(effect: effects.CreateChangeSet, scene: Scene) -> cfn.ChangeSet:
    request = _change_set_request(scene.run.job)
    db.release()
    return cfn.create_change_set(scene.client, **request)


def _change_set_request(job: Job) -> dict[str, Any]:
    stack, version = db.session.get_one(Stack, job.stack_id), db.session.get_one(Version, job.to_version_id)
    body = parsed(version)
    answers: dict[str, str] = job.payload["answers"] | json.loads(seal.unseal(job.sealed) if job.sealed else "{}")
    kept = job.payload.get("kept", [])
    typed = [{"ParameterKey": name, "ParameterValue": answers[name]} for name in answers if name not in kept]
    as_before = [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
    name = change_set_name(job)
    return {
        "stack_name": stack.cloud_name,
        "name": name,
        "kind": "UPDATE" if job.kind == "update" else "CREATE",
        "body": body.text,
        "parameters": [*typed, *as_before],
        "tags": tags(stack),
        "capabilities": capabilities(body.body),
        "token": name,
    }


@_ask.register
def _(effect: effects.ExecuteChangeSet, scene: Scene) -> None:
    cfn.execute_change_set(scene.client, effect.change_set_id, effect.token)


@_ask.register
def _(effect: effects.DeleteChangeSet, scene: Scene) -> None:
    cfn.delete_change_set(scene.client, effect.change_set_id)


@_ask.register
def _(effect: effects.DeleteStack, scene: Scene) -> None:
    cfn.delete_stack(scene.client, effect.where, effect.token, effect.retain)


@_ask.register
def _(effect: effects.CancelUpdate, scene: Scene) -> None:
    cfn.cancel_update(scene.client, effect.where, effect.token)


@_ask.register
def _(effect: effects.ContinueRollback, scene: Scene) -> None:
    cfn.continue_rollback(scene.client, effect.where, effect.token, effect.skip)


@_ask.register
def _(effect: effects.Protect, scene: Scene) -> None:
    cfn.protect(scene.client, effect.cloud_id, effect.is_protected)
