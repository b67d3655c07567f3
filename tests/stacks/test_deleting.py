"""Deleting: the typed name, what is kept on purpose, and what resists."""

import pytest

from app import db
from app.errors import Conflict, Invalid
from app.stacks import actions, deciding, queries
from app.stacks.lifecycle import StackStatus
from app.stacks.requests import Request

RETAINED = """
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Archive: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}
"""


@pytest.fixture
def delete(dana):
    def ask(stack, typed=None):
        job = actions.request_delete(stack, typed, Request(dana))
        db.session.commit()
        return job

    return ask


def test_a_deleted_stack_is_gone_and_leaves_its_history(ready, delete, work, cloud):
    stack = ready()
    job = delete(stack, "refunds")
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.DELETED
    assert stack.deleted_at is not None
    assert cloud.find(stack) is None
    assert queries.resources_of(stack) == []
    assert {job.kind for job in queries.jobs_of(stack)} == {"create", "delete"}
    assert {event.status for event in queries.events_of(job)} >= {"DELETE_IN_PROGRESS", "DELETE_COMPLETE"}


def test_the_name_becomes_free_again(ready, delete, work, launch):
    work(delete(ready()))
    stack, job = launch()
    assert work(job).status == "succeeded"
    assert stack.status == StackStatus.READY


def test_another_name_is_refused(ready, delete):
    stack = ready()
    with pytest.raises(Invalid, match="Type refunds to delete it"):
        delete(stack, "refund")
    assert queries.find_active_job(stack) is None


def test_a_protected_stack_is_refused_until_protection_is_off(ready, delete, work, dana, cloud):
    stack = ready()
    actions.set_protection(stack, True, Request(dana))
    with pytest.raises(Conflict, match="protected from deletion"):
        delete(stack, "refunds")
    actions.set_protection(stack, False, Request(dana))
    assert work(delete(stack, "refunds")).status == "succeeded"


def test_production_is_protected_in_the_cloud_too(make, launch, work, cloud, dana, delete):
    make.environment("payments-staging", stage="prod")
    stack, job = launch()
    assert work(job).status == "succeeded"
    assert cloud.find(stack)["EnableTerminationProtection"] is True
    actions.set_protection(stack, False, Request(dana))
    assert work(delete(stack)).status == "succeeded"
    assert cloud.find(stack) is None


def test_what_is_kept_on_purpose_is_named(make, ready, delete, work, cloud):
    stack = ready(make.version(body=RETAINED))
    topic = next(row.physical_id for row in queries.resources_of(stack) if row.logical_id == "Archive")
    job = delete(stack)
    assert work(job).status == "succeeded"
    assert [(row.logical_id, row.status) for row in queries.resources_of(stack)] == [("Archive", "DELETE_SKIPPED")]
    assert job.steps[-1].note.endswith("1 kept on purpose")
    assert topic in [each["TopicArn"] for each in cloud.client("sns").list_topics()["Topics"]]


def test_a_deletion_that_fails_names_what_blocks_it_and_can_be_repeated(ready, delete, work, cloud):
    stack = ready()
    cloud.faults({"logical_id": "Queue", "operation": "delete", "reason": "The queue is not empty."})
    job = delete(stack)
    assert work(job).status == "failed"
    assert (stack.status, stack.cloud_status) == (StackStatus.DELETE_FAILED, "DELETE_FAILED")
    assert (job.failure["logical_id"], job.failure["reason"]) == ("Queue", "The queue is not empty.")
    assert job.failure["sentence"] == "Queue could not be deleted. It still holds data."

    cloud.faults()
    again = delete(stack)
    assert work(again).status == "succeeded"
    assert stack.status == StackStatus.DELETED
    assert cloud.find(stack) is None


def test_a_stack_that_is_gone_already_is_deleted_without_a_word(ready, delete, work, cloud):
    stack = ready()
    cloud.client().delete_stack(StackName=stack.cloud_name)
    assert work(delete(stack)).status == "succeeded"
    assert stack.status == StackStatus.DELETED


def test_deleting_twice_is_told_apart(ready, delete, work):
    stack = ready()
    job = delete(stack)
    with pytest.raises(Conflict, match=f"Job {job.ref}"):
        delete(stack)
    work(job)
    with pytest.raises(Conflict, match="deleted already"):
        delete(stack)


def test_a_deletion_that_has_begun_cannot_be_stopped(ready, delete, work, dana, cloud):
    cloud.faults({"logical_id": "Queue", "operation": "delete", "seconds": 0.3})
    job = work.until(delete(ready()), "follow")
    with pytest.raises(Conflict, match="cannot be stopped"):
        deciding.request_cancel(job, Request(dana))


def test_a_deletion_is_cancelled_before_it_has_begun(ready, delete, work, dana, cloud):
    stack = ready()
    job = delete(stack)
    deciding.request_cancel(job, Request(dana))
    assert work(job).status == "cancelled"
    assert stack.status == StackStatus.READY
    assert cloud.status(stack) == "CREATE_COMPLETE"
