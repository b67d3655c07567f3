"""What is forgotten, what stays, and that nobody misses it."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import audit, clock, db
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep, Outbox, WorkerSeen
from app.jobs.retention import Round
from app.stacks import actions, deciding, forecasts, paces, retention
from app.stacks.models import Duration, Orphan, Plan, Resource, StackEvent
from app.stacks.queries import plan_of
from app.stacks.requests import Request
from app.stacks.retention import Limits
from tests.support.settings import settings

YEAR = 365 * 86400
LIMITS = Limits(jobs=400 * 86400, events=90 * 86400)
ALL = Limits(jobs=1e-6, events=1e-6)


@pytest.fixture
def aged(make):
    """`aged(stack, days)`: a job that ended so long ago, with a step, a plan and three events."""

    def job(stack, days, **values):
        at = clock.now() - timedelta(days=days)
        values.setdefault("finished_at", at)
        made = make.job(stack, created_at=at, **values)
        db.session.add(JobStep(job_id=made.id, position=0, key="plan", status=StepStatus.DONE))
        db.session.add(
            Plan(
                ref=db.new_ref("pln"), job_id=made.id, change_set_id="arn:x", digest="0" * 64,
                changes=[], answer_changes=[], created_at=at,
            )
        )  # fmt: skip
        for number in range(3):
            db.session.add(
                StackEvent(
                    stack_id=stack.id, job_id=made.id, event_id=f"{made.ref}-{number}", logical_id="Queue",
                    type="AWS::SQS::Queue", status="CREATE_COMPLETE", occurred_at=at,
                )
            )  # fmt: skip
        db.session.flush()
        return made

    return job


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def ids(model, column=None):
    return set(db.session.scalars(select(model.id if column is None else column)))


def test_old_jobs_go_with_all_that_hangs_on_them_and_pages_still_work(make, aged, sign_in):
    stack = make.stack("refunds")
    old = [aged(stack, 500 - number).ref for number in range(30)]
    newest = aged(stack, 450)
    audit.record("stack:ready", "stack", stack.ref, "It came up.")
    make.person("dana")
    db.session.commit()
    entries = count(audit.AuditEntry)
    removed = retention.forget(LIMITS)
    assert removed == {"stack_event": 90, "job_step": 30, "plan": 30, "job": 30}
    assert ids(Job) == {newest.id} == ids(Plan, Plan.job_id) == ids(JobStep, JobStep.job_id)
    assert (count(StackEvent), count(audit.AuditEntry)) == (3, entries)
    page = sign_in(make.person("dana"))
    for address in ("/", "/jobs", f"/stacks/{stack.ref}", f"/jobs/{newest.ref}", "/catalog/sqs-queue"):
        assert page.get(address).status_code == 200, address
    assert page.get(f"/jobs/{old[0]}").status_code == 404
    assert retention.forget(LIMITS) == {}


def test_events_go_before_their_jobs(make, aged):
    stack = make.stack()
    between, newest = aged(stack, 100), aged(stack, 1)
    db.session.commit()
    assert retention.forget(LIMITS) == {"stack_event": 3}
    assert ids(Job) == {between.id, newest.id}


def test_nothing_of_an_unfinished_job_goes(make, aged):
    stack = make.stack()
    stopped = aged(stack, 500, finished_at=None, status=JobStatus.NEEDS_ATTENTION)
    later = aged(make.stack(), 500, finished_at=None, status=JobStatus.RUNNING)
    db.session.add(Outbox(job_id=later.id, created_at=clock.now() - timedelta(days=1)))
    db.session.commit()
    assert retention.forget(LIMITS) == {}
    assert ids(Job) == {stopped.id, later.id}
    assert (count(StackEvent), count(Outbox)) == (6, 1)


def test_a_job_that_last_touched_a_resource_stays(make, aged):
    stack = make.stack()
    touched, _other, newest = aged(stack, 500), aged(stack, 499), aged(stack, 1)
    db.session.add(
        Resource(
            stack_id=stack.id, job_id=touched.id, logical_id="Queue", type="AWS::SQS::Queue", status="CREATE_COMPLETE"
        )
    )
    db.session.commit()
    retention.forget(LIMITS)
    assert ids(Job) == {touched.id, newest.id}


def test_the_newest_event_of_a_stack_stays_with_its_job(make, aged):
    """The newest job may have none; without any, the next one would take the stack's whole history for its own."""
    stack = make.stack()
    aged(stack, 501)
    last = aged(stack, 500)
    newest = make.job(stack, kind="update")
    db.session.commit()
    retention.forget(LIMITS)
    assert list(db.session.scalars(select(StackEvent.event_id))) == [f"{last.ref}-2"]
    assert ids(Job) == {last.id, newest.id}


def test_forecasts_say_the_same_as_before(make):
    template, at = make.template(), clock.now()
    for run in range(130):
        for logical_id in ("", *(f"R{number}" for number in range(20))):
            db.session.add(
                Duration(
                    template_id=template.id, kind="create", logical_id=logical_id, type="T", seconds=run % 17, at=at
                )
            )
    db.session.commit()
    before = forecasts.usual(template.id, "create"), paces.pace_of(template.id)
    db.session.commit()
    removed = retention.forget(LIMITS)
    assert (forecasts.usual(template.id, "create"), paces.pace_of(template.id)) == before
    # 800 newest of all, and of whole jobs as many as a pace is made of.
    assert removed == {"duration": 130 * 21 - forecasts.ROWS - (paces.NEWEST - forecasts.ROWS // 21)}


def test_wake_ups_workers_and_orphans_nobody_needs_go(make, app):
    done = make.job()
    db.session.add_all(
        [
            Outbox(job_id=done.id, created_at=db.now()),
            Outbox(job_id=10**6, created_at=db.now()),
            WorkerSeen(name="old", started_at=db.now(-9999), seen_at=db.now(-9999)),
            WorkerSeen(name="new", started_at=db.now(), seen_at=db.now()),
        ]
    )
    for name, settled_at in (("open", None), ("lately", db.now(-60)), ("long-ago", db.now(-YEAR))):
        db.session.add(
            Orphan(
                place="1/eu", cloud_id=name, name=name, ref="stk_1", status="CREATE_COMPLETE", tags={}, reason="",
                first_seen_at=db.now(), last_seen_at=db.now(), settled_at=settled_at,
            )
        )  # fmt: skip
    db.session.commit()
    assert retention.forget(LIMITS) == {"outbox": 2, "worker_seen": 1, "orphan": 1}
    assert ids(Orphan, Orphan.name) == {"open", "lately"}


def test_a_round_ends_in_time_and_the_next_goes_on(make, aged, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 5)
    stack = make.stack()
    for number in range(23):
        aged(stack, 600 - number)
    db.session.commit()
    assert retention.forget(LIMITS, seconds=-1) == {}
    retention.forget(LIMITS)
    assert count(Job) == 1
    assert not Round(-1).has_time


def test_after_forgetting_everything_the_next_job_reads_only_its_own_events(ready, update, work, dana):
    stack = ready()
    for seconds in ("90", "91"):
        job = work(update(stack, VisibilityTimeoutSeconds=seconds))
        deciding.confirm_plan(plan_of(job), plan_of(job).digest, Request(dana))
        assert work(job).status == "succeeded", job.failure
        own = count_events(job)
        retention.forget(ALL)
        db.session.expire_all()
        assert count_events(job) == own > 0
    assert own < 8
    assert work(actions.request_delete(stack, stack.name, Request(dana))).status == "succeeded"


def count_events(job):
    return db.session.scalar(select(func.count()).where(StackEvent.job_id == job.id))


@pytest.mark.parametrize("days", ["0", "-1", "inf"])
def test_limits_that_would_forget_what_is_new_are_refused(tmp_path, days):
    with pytest.raises(SystemExit, match="EVENT_DAYS must be more than 0"):
        retention.limits(settings("sqlite://", tmp_path, EVENT_DAYS=days))
