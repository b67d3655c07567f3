"""How long things usually take, and how a job's page shows where it stands."""

from datetime import timedelta

import pytest

from app import clock, db
from app.jobs import engine
from app.jobs.models import Job
from app.stacks import forecasts
from app.stacks.forecasts import Usual, spread, usual
from app.stacks.models import Duration, Plan, StackEvent
from app.stacks.progress import progress

UNKNOWN = Usual(0, None, None, {})


def learn(template, lengths, logical_id="", kind="create"):
    for seconds in lengths:
        db.session.add(
            Duration(
                template_id=template.id, kind=kind, logical_id=logical_id, type="", seconds=seconds, at=clock.now()
            )
        )
    db.session.flush()


def test_a_spread_is_p10_to_p90():
    assert spread([]) == (None, None)
    assert spread([7]) == (7, 7)
    assert spread([float(n) for n in range(1, 12)]) == (2, 10)


def test_what_is_usual_comes_from_the_newest_runs_of_the_kind(make):
    template = make.version().template
    learn(template, [1000.0] * 10)
    learn(template, [60.0] * forecasts.NEWEST)
    learn(template, [5.0, 7.0, 9.0], "Queue")
    learn(template, [500.0] * 3, kind="delete")
    found = usual(template.id, "create")
    assert (found.n, found.low, found.high, found.resources) == (forecasts.NEWEST, 60, 60, {"Queue": 7})
    assert usual(template.id, "update") == UNKNOWN
    assert not UNKNOWN.is_known


@pytest.fixture
def running(make):
    """A launch that began to act ten seconds ago; Queue is up, Policy moves."""
    stack = make.stack(status="creating")
    job = make.job(stack, kind="create", status="running")
    job.kind = "create"
    engine.add_steps(job)
    db.session.flush()
    db.session.refresh(job)
    begun = clock.now() - timedelta(seconds=10)
    for step in job.steps:
        if step.key in ("check", "plan", "confirm", "execute"):
            step.status, step.intent_at, step.done_at = "done", begun, begun
        if step.key == "follow":
            step.status, step.intent_at = "waiting", begun
    names = ("Queue", "Policy", "Alarm")
    changes = [{"logical_id": name, "type": "AWS::SQS::Queue"} for name in names]
    plan = Plan(job_id=job.id, changes=changes)
    db.session.flush()
    db.session.refresh(job)

    def event(name, status, at, reason=""):
        happened = begun + timedelta(seconds=at)
        return StackEvent(logical_id=name, type="AWS::SQS::Queue", status=status, reason=reason, occurred_at=happened)

    events = [
        event("Queue", "CREATE_IN_PROGRESS", 1), event("Queue", "CREATE_COMPLETE", 4),
        event("Policy", "CREATE_IN_PROGRESS", 4),
    ]  # fmt: skip
    return stack, job, plan, events, event


def test_lanes_follow_the_events(running):
    stack, job, plan, events, _ = running
    shown = progress(stack, job, plan, events, UNKNOWN, None)
    assert [(lane.name, lane.status, lane.start, lane.end) for lane in shown.lanes] == [
        ("Queue", "create_complete", 1, 4),
        ("Policy", "create_in_progress", 4, None),
        ("Alarm", "to_come", None, None),
    ]
    assert (shown.done, shown.moving, shown.to_come, shown.failed) == (1, 1, 1, 0)
    assert shown.now == pytest.approx(10, abs=2)
    assert shown.left is None
    assert shown.words.endswith("Waiting for Policy.")


def test_a_forecast_says_how_long_it_still_takes(running):
    stack, job, plan, events, _ = running
    shown = progress(stack, job, plan, events, Usual(9, 30.0, 60.0, {"Queue": 3, "Policy": 8}), None)
    assert shown.left is not None
    assert "n=9" in shown.words
    policy = shown.lanes[1]
    assert (policy.usual_start, policy.usual_end) == (4, 12)
    late = progress(stack, job, plan, events, Usual(9, 3.0, 6.0, {}), None)
    assert late.left is None
    assert "longer than nine in ten" in late.words


def test_a_failed_lane_keeps_its_reason_through_its_removal(running):
    stack, job, plan, events, event = running
    events += [event("Policy", "CREATE_FAILED", 6, "No."), event("Policy", "DELETE_IN_PROGRESS", 7)]
    policy = progress(stack, job, plan, events, UNKNOWN, None).lanes[1]
    assert (policy.status, policy.reason, policy.start) == ("delete_in_progress", "No.", 7)


def test_stages_read_as_what_happens(running):
    stack, job, plan, events, _ = running
    stages = progress(stack, job, plan, events, UNKNOWN, None).stages
    assert [(stage["name"], stage["status"]) for stage in stages] == [
        ("Checked", "done"), ("Planned", "done"), ("Approved", "done"), ("Creating", "active"), ("Verified", "to_come"),
    ]  # fmt: skip


def test_a_job_that_has_not_begun_has_no_clock(make):
    stack = make.stack(status="creating")
    job = make.job(stack, status="queued")
    engine.add_steps(job)
    db.session.flush()
    shown = progress(stack, db.session.get(Job, job.id), None, [], Usual(9, 30, 60, {}), None)
    assert (shown.now, shown.left, shown.lanes) == (None, None, [])
