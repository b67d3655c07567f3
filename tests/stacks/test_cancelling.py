"""Cancelling: before anything runs, while it is made, while it changes."""

import pytest

from app import db, failpoints
from app.errors import Conflict
from app.identity.models import Person
from app.jobs.models import Job
from app.jobs.run import Run
from app.stacks import actions, deciding, queries
from app.stacks.lifecycle import StackStatus
from app.stacks.requests import Request

SLOW = {"logical_id": "Queue", "seconds": 0.4}


@pytest.fixture
def cancel(dana):
    def ask(job):
        deciding.request_cancel(job, Request(dana))
        db.session.commit()

    return ask


@pytest.mark.parametrize("step", ["check", "plan", "confirm", "execute"])
def test_a_launch_cancelled_before_it_runs_leaves_nothing(launch, cancel, work, cloud, step):
    stack, job = launch()
    work.up_to(job, step)
    cancel(job)
    assert work(job).status == "cancelled"
    assert stack.status == StackStatus.DELETED
    assert cloud.find(stack) is None


def test_a_launch_cancelled_while_it_runs_is_removed_entirely(launch, cancel, work, cloud):
    cloud.faults(SLOW)
    stack, job = launch()
    work.until(job, "follow")
    cancel(job)
    assert work(job).status == "cancelled"
    assert (stack.status, stack.cloud_status) == (StackStatus.DELETED, "DELETE_COMPLETE")
    assert cloud.find(stack) is None
    assert not [url for url in cloud.client("sqs").list_queues().get("QueueUrls", []) if stack.cloud_name in url]


def test_a_cancelled_launch_whose_removal_fails_is_failed_and_not_gone(launch, cancel, work, cloud, dana):
    cloud.faults(SLOW, {"logical_id": "DeadLetterQueue", "operation": "delete", "reason": "In use."})
    stack, job = launch()
    work.until(job, "follow")
    cloud.wait_for(stack, "DeadLetterQueue", "CREATE_COMPLETE")
    cancel(job)
    assert work(job).status == "failed"
    assert stack.status == StackStatus.FAILED
    assert cloud.status(stack) == "DELETE_FAILED"
    cloud.faults()
    assert work(actions.request_delete(stack, stack.name, Request(dana))).status == "succeeded"
    assert cloud.find(stack) is None


def test_a_change_cancelled_while_it_runs_goes_back(ready, update, cancel, work, cloud, dana):
    stack = ready()
    before = dict(stack.answers)
    job = update(stack, VisibilityTimeoutSeconds="90", OldestMessageAlarmSeconds="600")
    work(job)
    cloud.faults(SLOW | {"operation": "update", "seconds": 2})
    plan = queries.plan_of(job)
    deciding.confirm_plan(plan, plan.digest, Request(dana))
    work.until(job, "follow")
    assert stack.status == StackStatus.UPDATING
    cancel(job)
    assert work(job).status == "cancelled"
    assert (stack.status, stack.cloud_status) == (StackStatus.READY, "UPDATE_ROLLBACK_COMPLETE")
    assert stack.answers == stack.running_answers == before
    assert cloud.parameters(stack)["VisibilityTimeoutSeconds"] == "60"


@pytest.fixture
def break_off(work):
    """`break_off(job, place)` runs the job until it breaks at a failpoint, and lets its lease run out."""

    def run(job, place):
        failpoints.arm({"FAILPOINTS": f"{place}:1:raise"})
        try:
            while job.attempts == 0:
                work.once(job)
        finally:
            failpoints.arm({})
        work.expire(job)

    return run


def test_a_launch_whose_removal_was_asked_for_and_not_noted_is_cancelled(launch, cancel, work, cloud, break_off):
    """The worker died between the cloud's answer and its note of it, and the stack is gone when the next one looks."""
    cloud.faults(SLOW)
    stack, job = launch()
    work.until(job, "follow")
    cancel(job)
    break_off(job, "create/follow/note_undo/before")
    cloud.settle(stack)
    assert work(job).status == "cancelled", job.failure
    assert stack.status == StackStatus.DELETED


def test_a_change_turned_back_and_not_noted_is_cancelled(ready, update, cancel, work, cloud, dana, break_off):
    stack = ready()
    job = update(stack, VisibilityTimeoutSeconds="90", OldestMessageAlarmSeconds="600")
    work(job)
    cloud.faults(SLOW | {"operation": "update", "seconds": 1})
    plan = queries.plan_of(job)
    deciding.confirm_plan(plan, plan.digest, Request(dana))
    work.until(job, "follow")
    cancel(job)
    break_off(job, "update/follow/note_undo/before")
    assert cloud.settle(stack) == "UPDATE_ROLLBACK_COMPLETE"
    assert work(job).status == "cancelled", job.failure
    assert stack.status == StackStatus.READY


def test_a_cancel_that_comes_too_late_lets_the_change_end_well(ready, update, cancel, work, cloud, dana):
    stack = ready()
    job = update(stack, VisibilityTimeoutSeconds="90")
    work(job)
    plan = queries.plan_of(job)
    deciding.confirm_plan(plan, plan.digest, Request(dana))
    work.up_to(job, "follow")
    cloud.settle(stack)
    cancel(job)
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.READY
    assert stack.running_answers["VisibilityTimeoutSeconds"] == "90"


def test_a_cancel_in_the_moment_the_job_begins_to_wait_is_heard(ready, update, work, app, monkeypatch, dana):
    """The job holds for a yes just after somebody, who saw it running, asked to cancel."""
    stack = ready()
    job = update(stack, VisibilityTimeoutSeconds="90")
    real, who = Run.write, dana.id

    def write(run, decided):
        if decided.holds:
            db.release()
            with app.app_context():
                person = db.session.get(Person, who)
                deciding.request_cancel(db.session.get(Job, run.job_id), Request(person))
                db.session.commit()
        return real(run, decided)

    monkeypatch.setattr(Run, "write", write)
    assert work(job).status == "cancelled"


def test_what_has_ended_cannot_be_cancelled(ready, dana):
    stack = ready()
    job = queries.find_last_job(stack)
    with pytest.raises(Conflict, match="has ended already: succeeded"):
        deciding.request_cancel(job, Request(dana))


def test_a_retry_cancelled_at_once_removes_what_the_first_try_left(launch, cancel, work, cloud, dana):
    cloud.faults({"logical_id": "Queue", "reason": "No.", "times": 1})
    stack, job = launch()
    assert work(job).status == "failed"
    again = actions.request_retry(stack, stack.version, stack.answers, Request(dana))
    cancel(again)
    assert work(again).status == "cancelled"
    assert stack.status == StackStatus.DELETED
    assert cloud.find(stack) is None
