"""The calls for stacks that got stuck: on the local cloud, which keeps the real one's rules."""

import time

import pytest

from app.aws import cloudformation as cfn
from app.aws.errors import Protected, Refused, WrongState

BODY = """
Parameters: {{Seconds: {{Type: String, Default: "30"}}}}
Resources:
  Topic: {{Type: AWS::SNS::Topic}}
  Queue: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: !Ref Seconds}}}}
  Last: {{Type: AWS::SSM::Parameter, DependsOn: Queue, Properties: {{Type: String, Value: "{last}"}}}}
"""


@pytest.fixture
def settled(cloud):
    """`settled(name)` waits until nothing of the stack moves and returns how it stands."""
    client = cloud.client()

    def wait(name_or_id, seconds=20):
        deadline = time.monotonic() + seconds
        while (found := cfn.find_stack(client, name_or_id)) and found.status.endswith("_IN_PROGRESS"):
            assert time.monotonic() < deadline, found
            time.sleep(0.01)
        return found

    return wait


@pytest.fixture
def bring_up(cloud, settled):
    def make(name):
        cloud.client().create_stack(StackName=name, TemplateBody=BODY.format(last="first"))
        assert settled(name).status == "CREATE_COMPLETE"
        return cfn.find_stack(cloud.client(), name)

    return make


@pytest.fixture
def stuck(cloud, settled, bring_up):
    """A stack whose update failed at its last resource and whose way back failed at the queue."""

    def make(name):
        found = bring_up(name)
        cloud.faults(
            {"stack": name, "logical_id": "Last", "operation": "update", "reason": "no such value"},
            {"stack": name, "logical_id": "Queue", "operation": "rollback", "reason": "the queue is held"},
        )
        change = [{"ParameterKey": "Seconds", "ParameterValue": "60"}]
        cloud.client().update_stack(StackName=name, TemplateBody=BODY.format(last="second"), Parameters=change)
        assert settled(found.cloud_id).status == "UPDATE_ROLLBACK_FAILED"
        return found

    return make


def test_a_stuck_rollback_goes_on_once_its_cause_is_gone(cloud, settled, stuck):
    found = stuck("refunds-stuck")
    cloud.faults()
    cfn.continue_rollback(cloud.client(), found.cloud_id, "p-1-continue")
    assert settled(found.cloud_id).status == "UPDATE_ROLLBACK_COMPLETE"
    assert cfn.has_event_of(cloud.client(), found.cloud_id, "p-1-continue")


def test_a_stuck_rollback_leaves_out_what_a_person_names(cloud, settled, stuck):
    found = stuck("refunds-skipped")
    cfn.continue_rollback(cloud.client(), found.cloud_id, "p-1-continue", skip=["Queue"])
    assert settled(found.cloud_id).status == "UPDATE_ROLLBACK_COMPLETE"


def test_nothing_is_continued_where_nothing_is_stuck(cloud, bring_up):
    found = bring_up("refunds-fine")
    with pytest.raises(WrongState):
        cfn.continue_rollback(cloud.client(), found.cloud_id, "p-1-continue")


def test_a_deletion_that_failed_goes_through_without_what_is_in_the_way(cloud, settled, bring_up):
    found = bring_up("refunds-held")
    cloud.faults({"stack": "refunds-held", "logical_id": "Topic", "operation": "delete", "reason": "in use"})
    cfn.delete_stack(cloud.client(), found.cloud_id, "p-1-delete")
    assert settled(found.cloud_id).status == "DELETE_FAILED"
    cfn.delete_stack(cloud.client(), found.cloud_id, "p-2-delete", retain=["Topic"])
    assert settled(found.cloud_id).status == "DELETE_COMPLETE"


def test_nothing_is_retained_before_a_deletion_has_failed(cloud, bring_up):
    found = bring_up("refunds-early")
    with pytest.raises(Refused):
        cfn.delete_stack(cloud.client(), found.cloud_id, "p-1-delete", retain=["Topic"])


def test_a_protected_stack_says_so_when_it_is_to_go(cloud, bring_up):
    found = bring_up("refunds-protected")
    cfn.protect(cloud.client(), found.cloud_id, True)
    assert cfn.find_stack(cloud.client(), found.cloud_id).is_protected
    with pytest.raises(Protected):
        cfn.delete_stack(cloud.client(), found.cloud_id, "p-1-delete")
