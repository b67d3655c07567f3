"""The steps before anything changes: is the place free, what would change, does somebody say yes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from app import audit, clock, db, seal
from app.aws import cloudformation as cfn
from app.aws.errors import AlreadyThere, NothingToDo, WrongState
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.capabilities import capabilities
from app.cloudformation.diff import answer_changes, property_changes
from app.jobs.flows import Again, Done, Hold, Outcome, Skip, Stop
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import causes, lifecycle, plans
from app.stacks.cloud import change_set_name, cloudformation, is_ours, pseudo, tags, token
from app.stacks.lifecycle import MEANINGS
from app.stacks.models import Plan, Resource, Stack, running_answers
from app.stacks.outcomes import GONE, failure, follow_seconds, plan_of, stack_of

PLAN_SECONDS = 0.3
MOST_CLEARS = 5
# How a first create that never came up looks: CloudFormation cannot update it, and nothing in it is worth keeping.
LEFTOVERS = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
# CloudFormation updates nothing that stands like this.
BEYOND_UPDATE = (*LEFTOVERS, "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED")


def check(run: Run) -> Outcome:
    """Make sure the place is free: a leftover of our own earlier try is removed, anything else is left alone."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    found = cfn.find_stack(client, stack.cloud_name)
    if found is None:
        return Done("name is free")
    if not is_ours(stack, found.tags):
        return Stop(
            failure(f"A stack named {stack.cloud_name} exists there and is not Slipway's.", "Choose another name.")
        )
    return clear(run, client, found)


def clear(run: Run, client: Any, found: cfn.StackState) -> Outcome:
    """Remove what an earlier try left, and wait until it is gone; what came up after all is left to a person."""
    job = run.job
    failed_before = job.payload.get("clears", 0)
    db.release()
    if found.status not in LEFTOVERS:
        if MEANINGS[found.status].moves:
            return Again(follow_seconds(), f"the last try has not settled: {found.status}")
        return Stop(failure("The last try came up after all.", "Delete the stack, then launch it again."))
    if found.status == "DELETE_FAILED":
        failed_before += 1
        if failed_before > MOST_CLEARS:
            return Stop(
                failure(
                    "What the last try left cannot be removed.", "Delete the stack; the reason is below.", found.reason
                )
            )
        with run.writing() as job:
            job.payload = job.payload | {"clears": failed_before}
    cfn.delete_stack(client, found.cloud_id, token(job, f"clear{failed_before}"))
    return Again(follow_seconds(), "removing what the last try left")


def check_update(run: Run) -> Outcome:
    """Make sure the stack is there, ours, and in a state CloudFormation can change it from."""
    job = run.job
    stack = stack_of(job)
    client = cloudformation(stack, job)
    found = cfn.find_stack(client, stack.cloud_id or stack.cloud_name)
    if found is None or found.status == "DELETE_COMPLETE":
        return vanished(run)
    if not is_ours(stack, found.tags):
        return Stop(failure("The stack in the cloud is not Slipway's.", "Ask the platform team."))
    if found.status in BEYOND_UPDATE:
        sentence = f"CloudFormation changes no stack in the state {found.status}."
        return Stop(failure(sentence, MEANINGS[found.status].next_action, found.reason))
    if MEANINGS[found.status].moves:
        return Again(follow_seconds(), f"somebody else is changing it: {found.status}")
    return Done()


def vanished(run: Run) -> Outcome:
    """Note that the stack is gone from the cloud without us, and stop."""
    with run.writing() as job:
        stack = stack_of(job)
        if lifecycle.can(stack, lifecycle.LOSE):
            lifecycle.apply(stack, lifecycle.LOSE, GONE[0])
    return Stop(failure(*GONE))


def plan(run: Run) -> Outcome:
    """Ask for the change set, wait until it is made, and write it down in plain words."""
    job = run.job
    stack, version = stack_of(job), db.session.get_one(Version, job.to_version_id)
    if plan_of(job):
        return Done("planned before")
    request = _change_set_request(job, stack, version)
    client = cloudformation(stack, job)
    # Before the first intent was written nothing can have been asked for, so there is nothing to look for.
    change_set = cfn.find_change_set(client, change_set_name(job), stack.cloud_name) if run.is_repeat else None
    if change_set is None:
        try:
            change_set = cfn.create_change_set(client, **request)
        except AlreadyThere:
            return Again(PLAN_SECONDS)
        except NothingToDo:
            return _nothing(job)
        except WrongState as problem:
            # Between our check and now somebody else began to change it; the check's wait applies here too.
            return Again(follow_seconds(), problem.sentence)
    if change_set.stack_cloud_id:
        with run.writing() as job:
            stack_of(job).cloud_id = change_set.stack_cloud_id
    match change_set.status:
        case "CREATE_COMPLETE" if change_set.changes or job.kind == "update":
            return _write_plan(run, change_set)
        case "CREATE_COMPLETE" | "FAILED" if change_set.is_empty or change_set.status == "CREATE_COMPLETE":
            _discard(client, change_set, job)
            return _nothing(job)
        case "FAILED":
            reasons = cfn.failed_checks(client, ChangeSetName=change_set.cloud_id)
            _discard(client, change_set, job)
            return Stop(causes.explain(causes.first_cause(reasons), change_set.reason))
    return Again(PLAN_SECONDS, "CloudFormation works out the changes")


def _nothing(job: Job) -> Outcome:
    """A change that changes nothing is done; a stack of nothing is a mistake among the answers."""
    if job.kind == "create":
        return Stop(failure("With these answers the template creates nothing.", "Change the answers and try again."))
    return Done("nothing to change")


def _change_set_request(job: Job, stack: Stack, version: Version) -> dict[str, Any]:
    body = parsed(version)
    answers: dict[str, str] = job.payload["answers"] | json.loads(seal.unseal(job.sealed) if job.sealed else "{}")
    kept = job.payload.get("kept", [])
    typed = [{"ParameterKey": name, "ParameterValue": answers[name]} for name in answers if name not in kept]
    as_before = [{"ParameterKey": name, "UsePreviousValue": True} for name in kept]
    return {
        "stack_name": stack.cloud_name,
        "name": change_set_name(job),
        "kind": "UPDATE" if job.kind == "update" else "CREATE",
        "body": body.text,
        "parameters": [*typed, *as_before],
        "tags": tags(stack),
        "capabilities": capabilities(body.body),
        "token": token(job, "plan"),
    }


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
            untouched=_count_untouched(stack, changes),
            created_at=clock.now(),
        )
        db.session.add(found)
        job.sealed = None
    return Done(f"{len(changes)} to create" if job.kind == "create" else f"{len(changes)} changes")


def _count_untouched(stack: Stack, changes: Sequence[Mapping[str, Any]]) -> int:
    """Count what the stack holds and the plan does not touch; what a condition left out is not there to be touched."""
    present = set(db.session.scalars(select(Resource.logical_id).where(Resource.stack_id == stack.id)))
    return len(present - {change["logical_id"] for change in changes})


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


def confirm(run: Run) -> Outcome:
    """Wait for somebody's yes to exactly this plan; a new stack touches nothing and needs none."""
    found = plan_of(run.job)
    if found is None:
        return Skip("nothing to change")
    if run.job.kind == "create":
        return Skip("not needed here")
    if found.confirmed_at is None and _is_confirmed_in_advance(run.job, found):
        _confirm_in_advance(run)
    elif found.confirmed_at is None:
        return Hold("waiting for somebody to read the plan and say yes")
    return Done("confirmed")


def _is_confirmed_in_advance(job: Job, plan: Plan) -> bool:
    """A yes that came with the request covers what can be taken back, not the loss of data."""
    return bool(job.payload.get("confirmed")) and not plans.loses_data(plan.changes)


def _confirm_in_advance(run: Run) -> None:
    with run.writing() as job:
        found, stack = plan_of(job), stack_of(job)
        if found is not None:
            found.confirmed_at, found.confirmed_by_id = clock.now(), job.requested_by_id
            summary = f"Confirmed {found.ref} for {stack.name} in advance."
            audit.record(
                "plan:confirmed", "stack", stack.ref, summary, by=job.requested_by, after={"digest": found.digest}
            )


def is_started(client: Any, stack: Stack, job: Job, found: Plan) -> bool:
    """Say whether the job's change set runs or ran. CloudFormation forgets change sets, but no operation's token."""
    change_set = cfn.find_change_set(client, found.change_set_id)
    if change_set is not None:
        return change_set.execution_status in ("EXECUTE_IN_PROGRESS", "EXECUTE_COMPLETE", "EXECUTE_FAILED")
    return cfn.has_event_of(client, stack.cloud_id or stack.cloud_name, token(job, "execute"))


def _discard(client: Any, change_set: cfn.ChangeSet, job: Job) -> None:
    """Remove a change set that will not run, and the empty stack a CREATE one leaves behind."""
    cfn.delete_change_set(client, change_set.cloud_id)
    if job.kind == "create" and change_set.stack_cloud_id:
        cfn.delete_stack(client, change_set.stack_cloud_id, token(job, "discard"))
