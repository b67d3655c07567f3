"""Launches that fail: the first cause by name, what is left, and launching again."""

import secrets

import pytest
from sqlalchemy import select

from app import db
from app.errors import Conflict, Invalid
from app.jobs.models import Job
from app.stacks import actions
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Duration, StackEvent
from app.stacks.requests import Request

QUEUE_LIMIT = {"logical_id": "Queue", "reason": "The maximum number of queues is reached."}

CHAIN = """
Parameters: {Name: {Type: String, Default: ""}}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Queue: {Type: AWS::SQS::Queue}
  Table: {Type: AWS::SSM::Parameter, DependsOn: [Topic, Queue], Properties: {Type: String, Value: x}}
"""

BUCKET = """
Parameters: {Name: {Type: String}}
Resources:
  Bucket: {Type: AWS::S3::Bucket, Properties: {BucketName: !Ref Name}}
"""

OPTIONAL = """
Parameters: {Wanted: {Type: String, AllowedValues: ["yes", "no"]}}
Conditions: {IsWanted: !Equals [!Ref Wanted, "yes"]}
Resources:
  Queue: {Type: AWS::SQS::Queue, Condition: IsWanted}
"""


@pytest.fixture
def retry(dana):
    def ask(stack, version=None, **answers):
        job = actions.request_retry(stack, version or stack.version, {**stack.answers, **answers}, Request(dana))
        db.session.commit()
        return job

    return ask


def test_the_first_cause_is_named_and_not_its_consequences(launch, work, cloud):
    cloud.faults(QUEUE_LIMIT)
    stack, job = launch()
    assert work(job).status == "failed"
    assert stack.status == StackStatus.FAILED
    assert stack.cloud_status == "ROLLBACK_COMPLETE"
    assert job.failure["logical_id"] == "Queue"
    assert job.failure["reason"] == QUEUE_LIMIT["reason"]
    assert job.failure["sentence"] == "Queue could not be created. The account has reached a limit."
    assert job.failure["next_action"] == "Change the answers and try again, or delete it."
    assert stack.status_reason == job.failure["sentence"]
    assert db.session.scalar(select(Duration)) is None


def test_a_failure_late_in_a_chain_is_named_as_well(make, launch, work, cloud):
    cloud.faults({"logical_id": "Table", "reason": "Value is not valid."})
    _, job = launch(make.version(body=CHAIN))
    assert work(job).status == "failed"
    assert job.failure["logical_id"] == "Table"


def test_a_taken_bucket_name_is_found_though_the_stack_only_speaks_of_validation(make, launch, work, cloud):
    name = f"seabright-{secrets.token_hex(4)}"
    cloud.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    _, job = launch(make.version(body=BUCKET), Name=name)
    assert work(job).status == "failed"
    assert job.failure["logical_id"] == "Bucket"
    assert "The name is taken." in job.failure["sentence"]
    assert "already exists" in job.failure["reason"]


def test_answers_that_create_nothing_end_with_a_sentence_and_leave_nothing(make, launch, work, cloud):
    stack, job = launch(make.version(body=OPTIONAL), Wanted="no")
    assert work(job).status == "failed"
    assert job.failure["sentence"] == "With these answers the template creates nothing."
    assert stack.status == StackStatus.FAILED
    assert cloud.find(stack) is None


def test_launching_again_with_other_answers_removes_what_was_left(launch, retry, work, cloud):
    cloud.faults(QUEUE_LIMIT | {"times": 1})
    stack, job = launch()
    assert work(job).status == "failed"
    first = stack.cloud_id
    assert cloud.status(stack) == "ROLLBACK_COMPLETE"

    again = retry(stack, VisibilityTimeoutSeconds="90")
    assert stack.status == StackStatus.CREATING
    assert work(again).status == "succeeded"
    assert stack.status == StackStatus.READY
    assert stack.cloud_id != first
    assert cloud.parameters(stack)["VisibilityTimeoutSeconds"] == "90"
    assert stack.running_answers["VisibilityTimeoutSeconds"] == "90"


def test_what_cannot_be_removed_is_told_instead_of_tried_for_ever(launch, work, cloud):
    stack, job = launch()
    tags = [{"Key": "slipway:stack", "Value": stack.ref}]
    cloud.client().create_stack(StackName=stack.cloud_name, TemplateBody=CHAIN, Tags=tags)
    cloud.settle(stack)
    cloud.faults({"logical_id": "Topic", "operation": "delete", "reason": "In use."})
    cloud.client().delete_stack(StackName=stack.cloud_name)
    cloud.settle(stack)
    assert work(job).status == "failed"
    assert job.failure["sentence"] == "What the last try left cannot be removed."
    assert stack.status == StackStatus.FAILED


def test_a_last_try_that_came_up_after_all_is_left_to_a_person(launch, work, cloud):
    stack, job = launch()
    tags = [{"Key": "slipway:stack", "Value": stack.ref}]
    cloud.client().create_stack(StackName=stack.cloud_name, TemplateBody=CHAIN, Tags=tags)
    assert work(job).status == "failed"
    assert job.failure["sentence"] == "The last try came up after all."
    assert cloud.status(stack) == "CREATE_COMPLETE"


def test_only_a_failed_stack_is_launched_again(ready, dana):
    stack = ready()
    with pytest.raises(Conflict, match="only a failed one"):
        actions.request_retry(stack, stack.version, stack.answers, Request(dana))


def test_a_version_nobody_may_launch_is_refused_when_launching_again(launch, work, cloud, make, queue, dana):
    cloud.faults(QUEUE_LIMIT)
    stack, job = launch()
    work(job)
    other = make.version("0.9.0", template=stack.template, status="retired", body=stack.version.body)
    with pytest.raises(Invalid, match="retired"):
        actions.request_retry(stack, other, stack.answers, Request(dana))


def test_a_failed_stack_can_be_deleted(launch, work, cloud, dana):
    cloud.faults(QUEUE_LIMIT)
    stack, job = launch()
    work(job)
    deletion = actions.request_delete(stack, stack.name, Request(dana))
    assert work(deletion).status == "succeeded"
    assert stack.status == StackStatus.DELETED
    assert cloud.find(stack) is None


def test_a_stack_of_somebody_else_under_the_same_name_is_left_alone(launch, work, cloud, dana):
    stack, job = launch()
    cloud.client().create_stack(StackName=stack.cloud_name, TemplateBody=CHAIN)
    assert work(job).status == "failed"
    assert "is not Slipway's" in job.failure["sentence"]
    deletion = actions.request_delete(stack, stack.name, Request(dana))
    assert work(deletion).status == "failed"
    assert "left alone" in deletion.failure["sentence"]
    assert cloud.status(stack) == "CREATE_COMPLETE"
    assert cloud.find(stack)["Tags"] == []


def test_a_body_the_cloud_does_not_take_is_explained_in_its_words(make, launch, work, cloud):
    version = make.version(body="Parameters: {A: {Type: String, Default: x}}\nResources: {Q: {Type: AWS::No::Such}}\n")
    stack, job = launch(version)
    assert work(job).status == "failed"
    assert "AWS::No::Such" in job.failure["reason"]
    assert job.failure["advice"]
    assert cloud.find(stack) is None or cloud.status(stack) == "ROLLBACK_COMPLETE"


def test_events_of_the_failed_try_are_not_taken_for_the_next_ones(launch, retry, work, cloud):
    cloud.faults(QUEUE_LIMIT | {"times": 1}, {"logical_id": "QueuePolicy", "reason": "Policy refused.", "times": 1})
    stack, first = launch()
    work(first)
    second = retry(stack)
    assert work(second).status == "failed"
    assert second.failure["logical_id"] == "QueuePolicy"
    rows = db.session.scalars(select(StackEvent.job_id).join(Job, Job.id == StackEvent.job_id)).all()
    assert set(rows) == {first.id, second.id}
