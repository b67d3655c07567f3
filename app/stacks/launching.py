"""The steps that create or change a stack: check, plan, confirm, execute, follow, verify."""

import json
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from app import clock, db, seal
from app.aws import cloudformation as cfn
from app.aws.errors import AlreadyThere, NothingToDo, NotThere, WrongState
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.capabilities import capabilities
from app.cloudformation.diff import answer_changes, property_changes
from app.jobs.flows import Again, Cancelled, Done, Hold, Outcome, Skip, Stop
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import causes, lifecycle, plans
from app.stacks.cloud import change_set_name, cloudformation, is_ours, pseudo, tags, token
from app.stacks.following import is_the_stack, last_event_id, learn_durations, observe, settle_resources
from app.stacks.lifecycle import MEANINGS, StackStatus
from app.stacks.models import Plan, Stack, StackEvent, running_answers

PLAN_SECONDS = 0.3
# How a first create that never came up looks: CloudFormation cannot update it, and nothing in it is worth keeping.
LEFTOVERS = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


def stack_of(job: Job) -> Stack:
    """Return the job's stack, read afresh."""
    query = select(Stack).where(Stack.id == job.stack_id)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def follow_seconds() -> float:
    from flask import current_app

    return current_app.extensions["config"].number("FOLLOW_SECONDS")


def check(run: Run) -> Outcome:
    """Make sure the place is free: a leftover of our own earlier try is removed, anything else is left alone."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    db.release()
    found = cfn.find_stack(client, stack.cloud_name)
    if found is None:
        return Done("name is free")
    if not is_ours(stack, found.tags):
        return Stop(
            _failure(f"A stack named {stack.cloud_name} exists there and is not Slipway's.", "Choose another name.")
        )
    if found.status in LEFTOVERS and not _planned(job):
        cfn.delete_stack(client, found.cloud_id, token(job, "clear"))
        return Again(follow_seconds(), "removing what the last try left")
    if found.status == "DELETE_IN_PROGRESS":
        return Again(follow_seconds(), "removing what the last try left")
    return Done("ours, from this job")


def check_update(run: Run) -> Outcome:
    """Make sure the stack is there, ours, and not being changed by somebody else."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    db.release()
    found = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    if found is None or found.status == "DELETE_COMPLETE":
        return Stop(_failure("The stack is gone from the cloud.", "Delete it here, then launch it again."))
    if not is_ours(stack, found.tags):
        return Stop(_failure("The stack in the cloud is not Slipway's.", "Ask the platform team."))
    if found.status.endswith("_IN_PROGRESS") and found.status != "REVIEW_IN_PROGRESS":
        return Again(follow_seconds(), f"somebody else is changing it: {found.status}")
    return Done()


def plan(run: Run) -> Outcome:
    """Ask for the change set, wait until it is made, and write it down in plain words."""
    job = run.job
    stack, version = stack_of(job), db.session.get_one(Version, job.to_version_id)
    if _planned(job):
        return Done("planned before")
    request = _change_set_request(job, stack, version)
    client = cloudformation(stack, job)
    db.release()
    change_set = cfn.find_change_set(client, change_set_name(job), stack.cloud_name)
    if change_set is None:
        try:
            change_set = cfn.create_change_set(client, **request)
        except AlreadyThere:
            return Again(PLAN_SECONDS)
        except NothingToDo:
            return _nothing_to_do(job)
    if change_set.stack_cloud_id:
        with run.writing() as job:
            stack_of(job).cloud_id = change_set.stack_cloud_id
    match change_set.status:
        case "CREATE_COMPLETE":
            return _write_plan(run, change_set)
        case "FAILED" if change_set.is_empty:
            _discard(client, change_set, job)
            return _nothing_to_do(job)
        case "FAILED":
            _discard(client, change_set, job)
            return Stop(causes.explain(None, change_set.reason))
    return Again(PLAN_SECONDS, "CloudFormation works out the changes")


def _nothing_to_do(job: Job) -> Outcome:
    """Without changes an update is over; a create would leave a stack in which nothing is, so it fails."""
    if job.kind != "create":
        return Done("nothing to change")
    return Stop(
        _failure(
            "With these answers the template creates nothing: the condition of every resource is false.",
            "Change the answers that decide what is created, and launch it again.",
        )
    )


def _change_set_request(job: Job, stack: Stack, version: Version) -> dict[str, Any]:
    body = parsed(version)
    answers: dict[str, str] = job.payload["answers"] | json.loads(seal.unseal(job.sealed) if job.sealed else "{}")
    kept = job.payload.get("kept", [])
    parameters = [{"ParameterKey": name, "ParameterValue": answers[name]} for name in answers if name not in kept]
    parameters += [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
    return {
        "stack_name": stack.cloud_name,
        "name": change_set_name(job),
        "kind": "UPDATE" if job.kind == "update" else "CREATE",
        "body": body.text,
        "parameters": parameters,
        "tags": tags(stack),
        "capabilities": capabilities(body.body),
        "token": token(job, "plan"),
    }


def _planned(job: Job) -> Plan | None:
    return db.session.scalar(select(Plan).where(Plan.job_id == job.id))


def _write_plan(run: Run, change_set: cfn.ChangeSet) -> Outcome:
    with run.writing() as job:
        stack, version = stack_of(job), db.session.get_one(Version, job.to_version_id)
        properties, answered = _differences(job, stack, version)
        changes = plans.describe(change_set.changes, properties)
        found = Plan(
            ref=db.new_ref("pln"),
            job_id=job.id,
            change_set_id=change_set.cloud_id,
            digest=plans.digest(version.digest, job.payload["answers"], change_set.cloud_id, changes),
            changes=changes,
            answer_changes=answered,
            untouched=max(0, len(parsed(version).body.resources) - len(changes)),
            created_at=clock.now(),
        )
        db.session.add(found)
        job.sealed = None
    return Done(f"{len(changes)} to create" if job.kind == "create" else f"{len(changes)} changes")


def _differences(job: Job, stack: Stack, version: Version) -> tuple[Any, list[dict[str, Any]]]:
    """Return property changes by logical id, and changed answers; a create has neither."""
    if job.kind != "update":
        return {}, []
    new = parsed(version)
    old = parsed(stack.running_version or stack.version)
    before, after = running_answers(stack), job.payload["answers"]
    answered = [
        {"path": change.label, "before": change.before, "after": change.after, "note": ""}
        for change in answer_changes(before, after, new.parameters, job.payload.get("kept", []))
    ]
    return property_changes(old.body, before, new.body, after, pseudo(stack)), answered


def _discard(client: Any, change_set: cfn.ChangeSet, job: Job) -> None:
    """Remove a change set that will not run, and the empty stack a CREATE one leaves behind."""
    cfn.delete_change_set(client, change_set.cloud_id)
    if job.kind == "create" and change_set.stack_cloud_id:
        cfn.delete_stack(client, change_set.stack_cloud_id, token(job, "discard"))


def confirm(run: Run) -> Outcome:
    """Wait for somebody's yes to exactly this plan; a new stack touches nothing and needs none."""
    found = _planned(run.job)
    if found is None:
        return Skip("nothing to change")
    if run.job.kind == "create":
        return Skip("not needed here")
    if found.confirmed_at is None:
        return Hold("waiting for somebody to read the plan and say yes")
    return Done("confirmed")


def execute(run: Run) -> Outcome:
    """Start the change set. After a crash the cloud is asked first whether it was started already."""
    job = run.job
    found = _planned(job)
    if found is None:
        return Skip("nothing to change")
    client = cloudformation(stack_of(job), job)
    if run.is_repeat and _is_started(client, found):
        return Done("was started")
    with run.writing() as job:
        _take_over_answers(job)
    db.release()
    try:
        cfn.execute_change_set(client, found.change_set_id, token(job, "execute"))
    except (WrongState, NotThere) as problem:
        if not _is_started(client, found):
            return Stop(_failure("The stack changed since this plan was made.", "Plan again.", problem.sentence))
    except AlreadyThere:
        pass
    return Done()


def _is_started(client: Any, plan: Plan) -> bool:
    db.release()
    change_set = cfn.find_change_set(client, plan.change_set_id)
    return change_set is None or change_set.execution_status in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE")


def _take_over_answers(job: Job) -> None:
    """From here on the stack is asked to be what the job says; until now nothing of it had changed."""
    stack = stack_of(job)
    if job.kind == "update" and lifecycle.can(stack, lifecycle.UPDATE):
        lifecycle.apply(
            stack, lifecycle.UPDATE, by=job.requested_by, version_id=job.to_version_id, answers=job.payload["answers"]
        )


def follow(run: Run) -> Outcome:
    """Look at the moving stack once: events, resources, status. Ends when the cloud says it has settled."""
    job = run.job
    found = _planned(job)
    if found is None:
        return Skip("nothing to change")
    stack = stack_of(job)
    client, seen = cloudformation(stack, job), last_event_id(stack)
    db.release()
    if job.cancel_requested_at and not job.payload.get("undoing"):
        _undo(run, client, stack)
    state = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    events = cfn.events_since(client, stack.cloud_id, seen) if state and stack.cloud_id else []
    with run.writing() as job:
        observe(stack_of(job), job, state, events)
    if state is None:
        return Stop(_failure("The stack disappeared from the cloud while it was made.", "Launch it again."))
    if MEANINGS[state.status].moves or _is_stale(client, job, found):
        return Again(follow_seconds(), _moving_words(events))
    return _settled(job, stack, state)


def _is_stale(client: Any, job: Job, found: Plan) -> bool:
    """Right after the start of an update the stack may still show how its last one ended."""
    if job.kind != "update":
        return False
    change_set = cfn.find_change_set(client, found.change_set_id)
    return change_set is not None and change_set.execution_status in ("AVAILABLE", "EXECUTE_IN_PROGRESS")


def _undo(run: Run, client: Any, stack: Stack) -> None:
    job = run.job
    db.release()
    if job.kind == "create":
        cfn.delete_stack(client, stack.cloud_id or stack.cloud_name, token(job, "cancel"))
    else:
        # It may have ended meanwhile, one way or the other.
        with suppress(WrongState):
            cfn.cancel_update(client, stack.cloud_id or "", token(job, "cancel"))
    with run.writing() as job:
        job.payload = job.payload | {"undoing": True}


def _moving_words(events: list[cfn.Event]) -> str:
    moving = [event.logical_id for event in events if event.status.endswith("_IN_PROGRESS")]
    return f"waiting for {moving[-1]}" if moving else ""


def _settled(job: Job, stack: Stack, state: cfn.StackState) -> Outcome:
    meaning = MEANINGS[state.status]
    if meaning.status is StackStatus.READY:
        return Done()
    if job.payload.get("undoing"):
        return Cancelled("undone on request")
    return Stop(failure_of(job, stack, state))


def failure_of(job: Job, stack: Stack, state: cfn.StackState) -> dict[str, Any]:
    """Explain by the first cause among this job's events why the stack did not become what was asked."""
    query = select(StackEvent).where(StackEvent.job_id == job.id).order_by(StackEvent.id)
    events = [event for event in db.session.scalars(query) if not is_the_stack(stack, event) or event.reason]
    cause = causes.first_cause(events)
    return causes.explain(cause, state.reason) | {
        "others": causes.others_failed(events, cause),
        "cloud_status": state.status,
        "next_action": MEANINGS[state.status].next_action,
    }


def verify(run: Run) -> Outcome:
    """Read what came out of it: outputs, resources and their ids."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    db.release()
    state = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    if state is None:
        return Stop(_failure("The stack disappeared right after it came up.", "Launch it again."))
    found = cfn.resources(client, state.cloud_id)
    if stack.is_protected and job.kind == "create":
        cfn.protect(client, state.cloud_id, True)
    with run.writing() as job:
        stack = stack_of(job)
        observe(stack, job, state, [])
        stack.outputs = state.outputs
        settle_resources(stack, job, found)
    return Done(f"{len(found)} resources, {len(state.outputs)} outputs")


def cancel(run: Run) -> Outcome:
    """Cancel before anything runs: the change set goes, and with it the empty stack of a create."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    db.release()
    change_set = cfn.find_change_set(client, change_set_name(job), stack.cloud_name)
    if change_set is not None:
        _discard(client, change_set, job)
    return Cancelled("before anything was changed")


def ended(run: Run, status: str) -> None:
    """Bring the stack to where the job left it, in the transaction that ends the job."""
    job = run.job
    stack = stack_of(job)
    match job.kind, status:
        case _, "succeeded":
            _came_up(job, stack)
        case "create", "cancelled":
            lifecycle.apply(stack, lifecycle.GONE, "Cancelled.", by=job.requested_by)
        case "create", _:
            lifecycle.apply(stack, lifecycle.BREAK, _reason(job))
        case _ if stack.status == StackStatus.UPDATING:
            _did_not_change(job, stack, status)


def _came_up(job: Job, stack: Stack) -> None:
    if not lifecycle.can(stack, lifecycle.COME_UP):
        return
    took = next((step for step in job.steps if step.key == "execute" and step.intent_at), None)
    if took and took.intent_at:
        learn_durations(stack, job, (clock.now() - took.intent_at).total_seconds())
    lifecycle.apply(
        stack,
        lifecycle.COME_UP,
        running_version_id=job.to_version_id,
        running_answers=job.payload["answers"],
        ready_at=clock.now(),
    )


def _did_not_change(job: Job, stack: Stack, status: str) -> None:
    meaning = MEANINGS.get(stack.cloud_status or "")
    if status == "cancelled" and meaning and meaning.status is StackStatus.TAINTED:
        # Undone on request: what runs is what is wanted again.
        lifecycle.apply(
            stack,
            lifecycle.COME_UP,
            "The update was cancelled.",
            version_id=stack.running_version_id,
            answers=stack.running_answers,
        )
    elif meaning and meaning.status is StackStatus.TAINTED:
        lifecycle.apply(stack, lifecycle.TAINT, _reason(job))
    else:
        lifecycle.apply(stack, lifecycle.DEGRADE, _reason(job))


def _reason(job: Job) -> str:
    return (job.failure or {}).get("sentence", "")


def _failure(sentence: str, advice: str, reason: str = "") -> dict[str, Any]:
    return {"sentence": sentence, "advice": advice, "reason": reason or sentence, "logical_id": "", "type": ""}
