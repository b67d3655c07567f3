"""Changing a stack: a plan, somebody's yes to exactly that plan, and where it ends."""

import secrets

import pytest
from sqlalchemy import select

from app import db
from app.errors import Conflict, Invalid
from app.stacks import actions, deciding, queries
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Duration, Plan
from app.stacks.requests import Request


@pytest.fixture
def confirm(dana):
    def say_yes(job, digest=None, by=None, typed=None):
        plan = queries.plan_of(job)
        deciding.confirm_plan(plan, digest or plan.digest, Request(by or dana), typed=typed)
        db.session.commit()

    return say_yes


@pytest.fixture
def planned(ready, update, work):
    """A stack whose change waits for a yes."""

    def plan(**answers):
        stack = ready()
        job = update(stack, **(answers or {"VisibilityTimeoutSeconds": "90"}))
        assert work(job).status == "waiting"
        return stack, job

    return plan


def test_the_plan_says_what_changes_and_nothing_does_before_the_yes(planned, cloud):
    stack, job = planned(VisibilityTimeoutSeconds="90")
    plan = queries.plan_of(job)
    change = next(change for change in plan.changes if change["logical_id"] == "Queue")
    assert (change["kind"], change["sentence"]) == ("modify", "Changes in place.")
    assert {"path": "VisibilityTimeout", "before": "60", "after": "90", "note": ""} in [
        {**each, "before": str(each["before"]), "after": str(each["after"])} for each in change["properties"]
    ]
    assert [(each["before"], each["after"]) for each in plan.answer_changes] == [("60", "90")]
    # The template's subscription was left out by its condition: it is not there to be left untouched.
    held = {resource.logical_id for resource in queries.resources_of(stack)}
    assert plan.untouched == len(held - {change["logical_id"] for change in plan.changes})
    assert held
    assert "TopicSubscription" not in held
    assert stack.status == StackStatus.READY
    assert cloud.parameters(stack)["VisibilityTimeoutSeconds"] == "60"


def test_a_confirmed_plan_is_carried_out(planned, confirm, work, cloud):
    stack, job = planned()
    confirm(job)
    assert work(job).status == "succeeded"
    assert (stack.status, stack.cloud_status) == (StackStatus.READY, "UPDATE_COMPLETE")
    assert cloud.parameters(stack)["VisibilityTimeoutSeconds"] == "90"
    assert stack.answers == stack.running_answers
    assert stack.running_answers["VisibilityTimeoutSeconds"] == "90"
    learnt = db.session.scalars(select(Duration.logical_id).where(Duration.kind == "update")).all()
    assert "" in learnt
    assert queries.plan_of(job).confirmed_by.username == "dana"


def test_protection_switched_on_later_reaches_the_cloud_with_the_next_change(planned, confirm, work, cloud, dana):
    stack, job = planned()
    actions.set_protection(stack, True, Request(dana))
    confirm(job)
    assert work(job).status == "succeeded"
    assert cloud.find(stack)["EnableTerminationProtection"] is True


def test_another_digest_is_refused(planned, confirm, cloud):
    stack, job = planned()
    with pytest.raises(Conflict, match="changed since you read it"):
        confirm(job, digest="0" * 64)
    assert queries.plan_of(job).confirmed_at is None


def test_a_late_yes_is_told_who_said_it_and_when(planned, confirm, make):
    _, job = planned()
    confirm(job)
    at = queries.plan_of(job).confirmed_at
    with pytest.raises(Conflict, match=f"Dana Reyes confirmed it already, at {at:%H:%M:%S} UTC"):
        confirm(job, by=make.person("petra"))


def test_a_yes_after_the_plan_was_withdrawn_is_refused(planned, confirm, dana, work):
    _, job = planned()
    deciding.request_cancel(job, Request(dana))
    with pytest.raises(Conflict, match="withdrawn"):
        confirm(job)
    assert work(job).status == "cancelled"
    with pytest.raises(Conflict, match="withdrawn"):
        confirm(job)


def test_withdrawing_leaves_everything_as_it_was(planned, dana, work, cloud):
    stack, job = planned()
    before = dict(stack.answers)
    deciding.request_cancel(job, Request(dana))
    assert work(job).status == "cancelled"
    assert (stack.status, stack.answers, stack.running_answers) == (StackStatus.READY, before, before)
    left = cloud.client().list_change_sets(StackName=stack.cloud_name)["Summaries"]
    assert not [each for each in left if each["ExecutionStatus"] == "AVAILABLE"]
    assert cloud.parameters(stack)["VisibilityTimeoutSeconds"] == "60"


def test_a_plan_that_waited_for_days_can_still_be_confirmed(planned, confirm, work):
    stack, job = planned()
    job.deadline_at = job.created_at
    db.session.flush()
    confirm(job)
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.READY


def test_another_version_is_an_upgrade(queue, ready, update, confirm, work):
    old, new = queue("1.0"), queue("1.1")
    stack = ready(old)
    job = update(stack, new)
    assert work(job).status == "waiting"
    assert {change["kind"] for change in queries.plan_of(job).changes} >= {"add"}
    assert stack.version_id == old.id
    confirm(job)
    assert work(job).status == "succeeded"
    assert stack.version_id == stack.running_version_id == new.id
    assert (
        "BacklogAlarm" in {row.logical_id for row in queries.resources_of(stack)}
        or len(queries.resources_of(stack)) > 6
    )


def test_a_change_that_changes_nothing_is_done_at_once(ready, update, work, cloud):
    stack = ready()
    job = update(stack)
    assert work(job).status == "succeeded"
    assert queries.plan_of(job) is None
    assert (stack.status, stack.cloud_status) == (StackStatus.READY, "CREATE_COMPLETE")


def test_a_version_that_only_differs_in_words_is_taken_over(make, ready, update, work):
    stack = ready(make.version("1.0.0", body=PLAIN))
    newer = make.version("1.1.0", template=stack.template, body=PLAIN.replace("First", "Second"))
    job = update(stack, newer)
    if work(job).status == "waiting":
        pytest.fail(f"the cloud sees a change: {queries.plan_of(job).changes}")
    assert stack.running_version_id == stack.version_id == newer.id
    assert queries.newer_version(stack) is None


PLAIN = """
Description: First words.
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""


@pytest.fixture
def tainted(planned, confirm, work, cloud):
    stack, job = planned()
    cloud.faults({"logical_id": "Queue", "operation": "update", "reason": "Value is not valid.", "times": 1})
    confirm(job)
    assert work(job).status == "failed"
    return stack, job


def test_a_rolled_back_change_taints(tainted, cloud):
    stack, job = tainted
    assert (stack.status, stack.cloud_status) == (StackStatus.TAINTED, "UPDATE_ROLLBACK_COMPLETE")
    assert job.failure["logical_id"] == "Queue"
    assert job.failure["sentence"].startswith("Queue could not be changed.")
    assert stack.answers["VisibilityTimeoutSeconds"] == "90"
    assert stack.running_answers["VisibilityTimeoutSeconds"] == "60"


def test_what_runs_can_be_kept(tainted, dana):
    stack, _ = tainted
    actions.accept_running(stack, Request(dana))
    db.session.commit()
    assert stack.status == StackStatus.READY
    assert stack.answers == stack.running_answers
    assert stack.answers["VisibilityTimeoutSeconds"] == "60"


def test_a_tainted_stack_can_be_planned_again(tainted, update, confirm, work):
    stack, _ = tainted
    job = update(stack, VisibilityTimeoutSeconds="95")
    assert work(job).status == "waiting"
    confirm(job)
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.READY
    assert stack.running_answers["VisibilityTimeoutSeconds"] == "95"


def test_planning_what_runs_heals_a_tainted_stack(tainted, update, work):
    stack, _ = tainted
    job = update(stack)
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.READY
    assert stack.answers == stack.running_answers


def test_a_change_set_made_obsolete_is_not_taken_for_done(planned, confirm, work, cloud):
    stack, job = planned()
    cloud.client().delete_change_set(ChangeSetName=queries.plan_of(job).change_set_id)
    confirm(job)
    assert work(job).status == "failed"
    assert job.failure["sentence"] == "The stack changed since this plan was made."
    assert stack.status == StackStatus.READY
    assert stack.running_answers["VisibilityTimeoutSeconds"] == stack.answers["VisibilityTimeoutSeconds"] == "60"


def test_a_stack_that_vanished_is_lost_and_can_be_deleted(ready, update, work, cloud, dana):
    stack = ready()
    cloud.client().delete_stack(StackName=stack.cloud_name)
    job = update(stack, VisibilityTimeoutSeconds="90")
    assert work(job).status == "failed"
    assert job.failure["sentence"] == "The stack is gone from the cloud."
    assert stack.status == StackStatus.LOST
    deletion = actions.request_delete(stack, stack.name, Request(dana))
    assert work(deletion).status == "succeeded"
    assert stack.status == StackStatus.DELETED


BUCKET = """
Parameters: {Suffix: {Type: String}}
Resources:
  Files: {Type: AWS::S3::Bucket, Properties: {BucketName: !Sub "seabright-${Suffix}"}}
"""


def test_losing_data_needs_the_name_typed(make, ready, update, confirm, work):
    one, two = secrets.token_hex(4), secrets.token_hex(4)
    stack = ready(make.version(body=BUCKET), name="invoices", Suffix=one)
    job = update(stack, Suffix=two)
    assert work(job).status == "waiting"
    (change,) = queries.plan_of(job).changes
    assert (change["kind"], change["holds_data"]) == ("replace", True)
    with pytest.raises(Invalid, match="Type invoices"):
        confirm(job, typed="invoice")
    confirm(job, typed="invoices")
    assert work(job).status == "succeeded"
    assert stack.running_answers == {"Suffix": two}


def test_only_a_settled_stack_can_be_changed(make, dana):
    for status in StackStatus:
        stack = make.stack(status=status)
        if status in (StackStatus.READY, StackStatus.TAINTED, StackStatus.DEGRADED):
            actions.request_update(stack, stack.version, stack.answers, Request(dana))
        else:
            with pytest.raises(Conflict, match="it can be changed once it is ready"):
                actions.request_update(stack, stack.version, stack.answers, Request(dana))


def test_every_job_has_at_most_one_plan(planned, work):
    _, job = planned()
    assert len(db.session.scalars(select(Plan).where(Plan.job_id == job.id)).all()) == 1
