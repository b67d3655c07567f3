"""What the steps ask of the cloud: `app.stacks.performing`, over the model and the portal's own client."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.aws import cloudformation as cfn
from app.aws.errors import NoAnswer, Throttled
from app.jobs.flows import Effect
from app.stacks import case, causes, effects, nested
from app.stacks.case import Case, PlanFacts
from app.stacks.following import is_the_stack
from app.stacks.lifecycle import MEANINGS

if TYPE_CHECKING:
    from tests.chaos.model.client import Client
    from tests.chaos.simulation.world import Run


def _body(*names: str) -> str:
    kinds = {"Queue": "AWS::SQS::Queue", "Topic": "AWS::SNS::Topic", "Table": "AWS::DynamoDB::Table"}
    resources: dict[str, Any] = {name: {"Type": kinds[name]} for name in names}
    resources["Queue"]["Properties"] = {"Retention": {"Ref": "Days"}}
    return json.dumps({"Resources": resources, "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}}})


# From the second to the third or the first something is lost that holds data.
BODIES = (_body("Queue", "Topic"), _body("Queue", "Table"), _body("Queue"))


def begin(run: "Run", pace: float) -> Case:
    """Return the facts the step decides by."""
    job, stack, current = run.job, run.job.stack, run.facts.current
    payload, plan = job.payload, job.plan
    return Case(
        job=job.ref,
        kind=job.kind,
        stack=stack.ref,
        cloud_name=stack.cloud_name,
        cloud_id=stack.cloud_id,
        status=stack.status,
        is_protected=stack.is_protected,
        plan=plan and PlanFacts(plan.change_set_id, plan.confirmed_at is not None, plan.loses_data),
        generation=payload.get("generation", 1),
        is_repeat=run.is_repeat,
        looks=current.attempt if current else 0,
        wants_cancel=run.facts.wants_cancel,
        tries=payload.get("tries", 0),
        unseen=payload.get("unseen", 0),
        is_undoing=bool(payload.get("undoing")),
        refused=payload.get("refused", ""),
        is_confirmed=bool(payload.get("confirmed")),
        retains=tuple(payload.get("retains", ())),
        skips=tuple(payload.get("skips", ())),
        place="the place",
        pace=pace,
    )


def ask(effect: Effect, run: "Run", client: "Client") -> Any:
    """Do it and return what it answers. Raises the errors of `aws.errors`."""
    return _ASKED[type(effect)](effect, run, client)


def _read_events(effect: effects.ReadEvents, run: "Run", client: "Client") -> list[cfn.Event] | None:
    if effect.cloud_id is None:
        return []
    known = run.job.stack.events
    try:
        return cfn.events_since(client, effect.cloud_id, known[-1].event.event_id if known else None)
    except (Throttled, NoAnswer):
        return None


def _has_failed_to_delete(effect: effects.HasFailedToDelete, run: "Run", client: "Client") -> bool:
    return any(each.job == run.job.ref and each.event.status == "DELETE_FAILED" for each in run.job.stack.events)


def _explain(effect: effects.Explain, run: "Run", client: "Client") -> dict[str, Any]:
    stack, state = run.job.stack, effect.state
    events = [
        each.event
        for each in stack.events
        if each.job == run.job.ref and (not is_the_stack(stack.cloud_name, each.event) or each.event.reason)
    ]
    found = nested.first_cause_of(client, state.cloud_id, events)
    if found is None:
        cause = causes.first_cause(cfn.failed_checks(client, StackName=state.cloud_id)) or causes.first_cause(events)
        return causes.explain(cause, state.reason)
    words = {"cloud_status": state.status, "next_action": MEANINGS[state.status].next_action}
    return causes.explain(found.event, state.reason, found.inside) | words


def _explain_change_set(effect: effects.ExplainChangeSet, run: "Run", client: "Client") -> dict[str, Any]:
    reasons = cfn.failed_checks(client, ChangeSetName=effect.change_set.cloud_id)
    return causes.explain(causes.first_cause(reasons), effect.change_set.reason)


def _create_change_set(effect: effects.CreateChangeSet, run: "Run", client: "Client") -> cfn.ChangeSet:
    job, stack = run.job, run.job.stack
    assert job.version is not None, "what creates a change set knows its version"
    name = case.token(job.ref, "plan", job.payload.get("generation", 1))
    answers = job.payload["answers"]
    return cfn.create_change_set(
        client,
        stack_name=stack.cloud_name,
        name=name,
        kind="UPDATE" if job.kind == "update" else "CREATE",
        body=BODIES[job.version],
        parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in answers.items()],
        tags={"slipway:stack": stack.ref},
        capabilities=(),
        token=name,
    )


_ASKED: dict[type, Callable[[Any, "Run", "Client"], Any]] = {
    effects.FindStack: lambda effect, run, client: cfn.find_stack(client, effect.where),
    effects.FindChangeSet: lambda effect, run, client: cfn.find_change_set(client, effect.change_set, effect.stack),
    effects.HasEventOf: lambda effect, run, client: cfn.has_event_of(client, effect.where, effect.token),
    effects.ReadEvents: _read_events,
    effects.ListResources: lambda effect, run, client: cfn.resources(client, effect.cloud_id),
    effects.HasFailedToDelete: _has_failed_to_delete,
    effects.Explain: _explain,
    effects.ExplainChangeSet: _explain_change_set,
    effects.CreateChangeSet: _create_change_set,
    effects.ExecuteChangeSet: lambda effect, run, client: cfn.execute_change_set(
        client, effect.change_set_id, effect.token
    ),
    effects.DeleteChangeSet: lambda effect, run, client: cfn.delete_change_set(client, effect.change_set_id),
    effects.DeleteStack: lambda effect, run, client: cfn.delete_stack(
        client, effect.where, effect.token, effect.retain
    ),
    effects.CancelUpdate: lambda effect, run, client: cfn.cancel_update(client, effect.where, effect.token),
    effects.ContinueRollback: lambda effect, run, client: cfn.continue_rollback(
        client, effect.where, effect.token, effect.skip
    ),
    effects.Protect: lambda effect, run, client: cfn.protect(client, effect.cloud_id, effect.is_protected),
}
