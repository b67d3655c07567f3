"""What the steps of a stack's jobs share: its row, the pace of looking, failures in plain words."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy import select

from app import db
from app.aws import cloudformation as cfn
from app.aws.errors import NoAnswer, Throttled
from app.errors import Problem
from app.jobs.models import Job
from app.stacks import causes
from app.stacks.following import is_the_stack
from app.stacks.lifecycle import MEANINGS
from app.stacks.models import Plan, Stack, StackEvent

GONE = ("The stack is gone from the cloud.", "Delete it here, then launch it again.")


def stack_of(job: Job) -> Stack:
    """Return the job's stack, read afresh."""
    query = select(Stack).where(Stack.id == job.stack_id)
    return db.session.scalars(query, execution_options={"populate_existing": True}).one()


def plan_of(job: Job) -> Plan | None:
    """Return the plan the job has written down, if it came that far."""
    return db.session.scalar(select(Plan).where(Plan.job_id == job.id))


def follow_seconds() -> float:
    return current_app.extensions["config"].number("FOLLOW_SECONDS")


def failure(sentence: str, advice: str, reason: str = "") -> dict[str, Any]:
    """Return a failure that Slipway itself has words for."""
    return {"sentence": sentence, "advice": advice, "reason": reason or sentence, "logical_id": "", "type": ""}


def explain_problem(problem: Problem) -> dict[str, Any]:
    """Return a failure in plain words for what the cloud refused outright."""
    return causes.explain(None, problem.sentence)


def events_since(client: Any, cloud_id: str | None, seen: str | None) -> list[cfn.Event] | None:
    """Return the new events, or None where they cannot be had right now: the stack's status counts all the same."""
    if cloud_id is None:
        return []
    try:
        return cfn.events_since(client, cloud_id, seen)
    except (Throttled, NoAnswer):
        return None


def failure_of(client: Any, job: Job, stack: Stack, state: cfn.StackState) -> dict[str, Any]:
    """Explain by the first cause among this job's events why the stack did not become what was asked."""
    events = _events_of(job, stack)
    cause = causes.first_cause(events)
    if cause is None or causes.is_consequence(cause):
        db.release()
        cause = causes.first_cause(cfn.failed_checks(client, StackName=state.cloud_id)) or cause
    return causes.explain(cause, state.reason) | {
        "others": causes.others_failed(events, cause),
        "cloud_status": state.status,
        "next_action": MEANINGS[state.status].next_action,
    }


def _events_of(job: Job, stack: Stack) -> Sequence[StackEvent]:
    query = select(StackEvent).where(StackEvent.job_id == job.id).order_by(StackEvent.id)
    return [event for event in db.session.scalars(query) if not is_the_stack(stack, event) or event.reason]
