"""Every step may be cut off at any call to the cloud, and done again: still one stack, in the right state."""

import functools
import secrets

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

from app import db
from app.jobs.lifecycle import RUNNABLE
from app.stacks import actions, deciding, queries
from app.stacks.lifecycle import StackStatus
from app.stacks.requests import Request
from tests.support.work import Stopped, describe

BODY = """
Parameters: {Seconds: {Type: Number, Default: 30}}
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Seconds}}
Outputs: {Address: {Value: !Ref Queue}}
"""


class Calls:
    """Counts the portal's calls to the cloud, and spoils the one it is told to, before or after it happened."""

    def __init__(self, monkeypatch):
        self.names, self.spoil, self.how = [], None, ""
        real = BaseClient._make_api_call

        @functools.wraps(real)
        def call(client, operation, arguments):
            # The test's own clients look at the cloud as well; theirs go through.
            if client.meta.config.user_agent_extra != "slipway":
                return real(client, operation, arguments)
            self.names.append(operation)
            if self.spoil != len(self.names):
                return real(client, operation, arguments)
            if self.how.startswith("after"):
                real(client, operation, arguments)
            raise self.accident(operation)

        monkeypatch.setattr(BaseClient, "_make_api_call", call)

    def accident(self, operation):
        throttled = ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, operation)
        silence = ReadTimeoutError(endpoint_url="http://the-cloud.example")
        return {"death": Stopped(), "timeout": silence, "throttle": throttled}[self.how.split()[1]]

    def arm(self, number, how):
        self.names, self.spoil, self.how = [], number, how


@pytest.fixture
def calls(monkeypatch):
    return Calls(monkeypatch)


@pytest.fixture
def run():
    """Part of the names of this test's stacks: the cloud keeps those of the tests before."""
    return secrets.token_hex(4)


@pytest.fixture
def body(make):
    return make.version(body=BODY)


def push(work, job):
    """Run the job to its end, however often its worker dies."""
    for _ in range(200):
        if job.status not in RUNNABLE:
            return job
        try:
            work.once(job)
        except Stopped:
            db.session.expire_all()
        work.expire(job)
    raise AssertionError(describe(job))


HOW = ("before death", "after death", "before timeout", "after timeout")


@pytest.mark.parametrize("how", [*HOW, "before throttle"])
def test_a_launch_cut_off_at_any_call_makes_one_stack(launch, body, work, calls, cloud, how, run):
    number, made = 0, set()
    while True:
        number += 1
        name = f"cut-{run}-{number}"
        calls.arm(number, how)
        stack, job = launch(body, name=name)
        assert push(work, job).status == "succeeded", (number, calls.names, job.failure)
        assert stack.status == StackStatus.READY
        made.add(stack.cloud_name)
        assert cloud.find(stack)["StackId"] == stack.cloud_id
        assert calls.names.count("ExecuteChangeSet") <= 2
        assert [output["key"] for output in stack.outputs] == ["Address"]
        assert len(queries.resources_of(stack)) == 1
        if number > len(calls.names):
            break
    assert number > 8
    assert set(cloud.named_like(run)) == made


@pytest.mark.parametrize("how", HOW)
def test_a_change_cut_off_at_any_call_is_made_once(ready, update, body, work, calls, cloud, dana, how):
    number, seconds = 0, 30
    stack = ready(body, name="changed")
    while True:
        number, seconds = number + 1, seconds + 1
        calls.arm(number, how)
        job = update(stack, Seconds=str(seconds))
        assert push(work, job).status == "waiting", (number, calls.names, job.failure)
        plan = queries.plan_of(job)
        deciding.confirm_plan(plan, plan.digest, Request(dana))
        assert push(work, job).status == "succeeded", (number, calls.names, job.failure)
        assert stack.status == StackStatus.READY
        assert stack.running_answers == {"Seconds": str(seconds)}
        assert cloud.parameters(stack) == {"Seconds": str(seconds)}
        if number > len(calls.names):
            break
    assert number > 8


@pytest.mark.parametrize("how", ["after death", "before timeout"])
def test_a_deletion_cut_off_at_any_call_leaves_nothing(launch, body, work, calls, cloud, dana, how, run):
    number = 0
    while True:
        number += 1
        name = f"gone-{run}-{number}"
        calls.arm(0, how)
        stack, job = launch(body, name=name)
        assert push(work, job).status == "succeeded"
        calls.arm(number, how)
        job = actions.request_delete(stack, None, Request(dana))
        assert push(work, job).status == "succeeded", (number, calls.names, job.failure)
        assert stack.status == StackStatus.DELETED
        if number > len(calls.names):
            break
    assert number > 4
    assert cloud.named_like(run) == []


@pytest.mark.parametrize("how", ["after death", "before timeout"])
def test_a_cancel_cut_off_at_any_call_leaves_nothing(launch, body, work, calls, cloud, dana, how, run):
    """Cancelled right after its start, when nobody can say whether it runs yet."""
    number = 0
    while True:
        number += 1
        name = f"stop-{run}-{number}"
        calls.arm(0, how)
        stack, job = launch(body, name=name)
        work.up_to(job, "follow")
        deciding.request_cancel(job, Request(dana))
        calls.arm(number, how)
        assert push(work, job).status == "cancelled", (number, calls.names, job.failure)
        assert stack.status == StackStatus.DELETED
        if number > len(calls.names):
            break
    assert cloud.named_like(run) == []


def test_a_start_nobody_heard_the_answer_of_can_still_be_cancelled(launch, body, work, calls, cloud, dana):
    stack, job = launch(body)
    cloud.faults({"logical_id": "Queue", "seconds": 0.3})
    work.up_to(job, "execute")
    calls.arm(2, "after timeout")
    work.once(job)
    # The worker before died over its intent, so this one looks first.
    assert calls.names == ["DescribeChangeSet", "ExecuteChangeSet"]
    deciding.request_cancel(job, Request(dana))
    assert push(work, job).status == "cancelled"
    assert stack.status == StackStatus.DELETED
    assert cloud.find(stack) is None


def test_the_stack_is_found_again_after_a_crash_between_the_change_set_and_its_row(launch, body, work, calls, cloud):
    stack, job = launch(body)
    calls.arm(3, "after death")
    with pytest.raises(Stopped):
        work.once(job)
    assert calls.names == ["AssumeRole", "DescribeStacks", "CreateChangeSet"]
    assert cloud.status(stack) == "REVIEW_IN_PROGRESS"
    work.expire(job)
    assert stack.cloud_id is None
    calls.arm(0, "")
    assert work(job).status == "succeeded"
    assert "CreateChangeSet" not in calls.names
    assert cloud.find(stack)["StackId"] == stack.cloud_id
