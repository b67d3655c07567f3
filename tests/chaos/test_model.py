"""The model of CloudFormation behaves as the documents say: launches, changes, deletions, each way to fail."""

import pytest

from tests.chaos.model import Behaviour, Fate
from tests.chaos.model.world import WITHOUT_TOPIC, World, refusal

pytestmark = pytest.mark.chaos


@pytest.fixture
def world() -> World:
    return World()


def test_launch(world: World):
    made = world.plan()
    assert world.status() == "REVIEW_IN_PROGRESS"
    planned = world.client.describe_change_set(ChangeSetName=made["Id"])
    assert (planned["Status"], planned["ExecutionStatus"]) == ("CREATE_PENDING", "UNAVAILABLE")
    world.wait(1)
    planned = world.client.describe_change_set(ChangeSetName="plan-1", StackName="orders")
    changes = [each["ResourceChange"]["LogicalResourceId"] for each in planned["Changes"]]
    assert (planned["ExecutionStatus"], changes) == ("AVAILABLE", ["Queue", "Topic"])
    world.client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="launch")
    assert world.status() == "CREATE_IN_PROGRESS"
    assert world.resources() == {"Queue": "CREATE_IN_PROGRESS", "Topic": "CREATE_IN_PROGRESS"}
    world.wait()
    stack = world.client.describe_stacks(StackName=made["StackId"])["Stacks"][0]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert [output["OutputKey"] for output in stack["Outputs"]] == ["QueueUrl"]
    assert stack["Tags"] == [{"Key": "slipway:stack", "Value": "stk_1"}]
    ran = world.client.describe_change_set(ChangeSetName=made["Id"])
    assert (ran["Status"], ran["ExecutionStatus"]) == ("CREATE_COMPLETE", "EXECUTE_COMPLETE")


def test_events_carry_the_token_of_their_operation(world: World):
    stack_id = world.launch()
    world.client.delete_stack(StackName=stack_id, ClientRequestToken="delete")
    world.wait()
    events = world.client.describe_stack_events(StackName=stack_id)["StackEvents"]
    tokens = [each.get("ClientRequestToken", "") for each in events][::-1]
    assert tokens == sorted(tokens, key=["", "launch", "delete"].index)
    assert set(tokens) == {"", "launch", "delete"}
    assert len({each["EventId"] for each in events}) == len(events)


def test_update_and_its_cleanup(world: World):
    world.launch()
    change_set = world.change(body=WITHOUT_TOPIC)
    planned = world.client.describe_change_set(ChangeSetName=change_set)["Changes"]
    acts = {each["ResourceChange"]["LogicalResourceId"]: each["ResourceChange"]["Action"] for each in planned}
    assert acts == {"Queue": "Modify", "Table": "Add", "Topic": "Remove"}
    world.wait(5.5)
    assert world.status() == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    world.wait()
    assert world.path()[-3:] == ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"]
    assert world.resources() == {"Queue": "UPDATE_COMPLETE", "Table": "CREATE_COMPLETE"}


def test_delete(world: World):
    stack_id = world.launch()
    world.client.delete_stack(StackName="orders", ClientRequestToken="delete")
    assert world.status() == "DELETE_IN_PROGRESS"
    world.wait()
    assert world.status(stack_id) == "DELETE_COMPLETE"
    assert refusal(world.client.describe_stacks, StackName="orders") == (
        "ValidationError",
        "Stack with id orders does not exist",
    )
    assert world.client.describe_stacks()["Stacks"] == []
    # Gone is gone: asking again is no error and changes nothing.
    world.client.delete_stack(StackName="orders", ClientRequestToken="other")
    world.client.delete_stack(StackName=stack_id, ClientRequestToken="other")
    assert [call.happened for call in world.cloud.calls[-2:]] == [False, False]


def test_failed_create_is_rolled_back(world: World):
    world.cloud.decree("orders", "CREATE", Fate("Queue", reason="The name is taken."))
    world.cloud.behave(Behaviour(resource_seconds=(1, 9)))
    world.launch()
    assert world.path() == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_COMPLETE"]
    events = world.client.describe_stack_events(StackName="orders")["StackEvents"][::-1]
    first = next(each for each in events if each["ResourceStatus"] == "CREATE_FAILED")
    assert (first["LogicalResourceId"], first["ResourceStatusReason"]) == ("Queue", "The name is taken.")
    assert refusal(world.plan, kind="UPDATE", ChangeSetName="x")[1].endswith(
        "is in ROLLBACK_COMPLETE state and can not be updated."
    )
    world.client.delete_stack(StackName="orders")
    world.wait()
    assert world.plan(ChangeSetName="again")["StackId"] != events[0]["StackId"]


def test_a_failure_cancels_what_was_still_under_way():
    for seed in range(30):
        world = World(seed, Behaviour(resource_seconds=(1, 9)))
        world.cloud.decree("orders", "CREATE", Fate("Queue"))
        world.launch()
        events = world.client.describe_stack_events(StackName="orders")["StackEvents"]
        reasons = {each.get("ResourceStatusReason") for each in events if each["LogicalResourceId"] == "Topic"}
        if "Resource creation cancelled" in reasons:
            rollback = next(each for each in events if each["ResourceStatus"] == "ROLLBACK_IN_PROGRESS")
            assert "failed to create: [Queue, Topic]" in rollback["ResourceStatusReason"]
            return
    pytest.fail("In no seed was the topic slower than the queue that failed.")


@pytest.mark.parametrize(
    ("act", "fate", "path"),
    [
        ("CREATE", Fate("Queue", "Topic"), ["ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"]),
        (
            "UPDATE",
            Fate("Queue"),
            [
                "UPDATE_ROLLBACK_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
                "UPDATE_ROLLBACK_COMPLETE",
            ],
        ),
        ("UPDATE", Fate("Queue", "Queue"), ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]),
        ("DELETE", Fate("Topic"), ["DELETE_IN_PROGRESS", "DELETE_FAILED"]),
    ],
)
def test_each_way_to_fail(world: World, act: str, fate: Fate, path: list[str]):
    world.cloud.decree("orders", act, fate)
    world.launch()
    if act == "UPDATE":
        world.change()
    if act == "DELETE":
        world.client.delete_stack(StackName="orders")
    world.wait()
    assert world.path()[-len(path) :] == path


def test_without_rollback_a_failure_stays_as_it_is_and_can_be_updated(world: World):
    world.cloud.decree("orders", "CREATE", Fate("Queue"))
    world.launch(OnStackFailure="DO_NOTHING")
    assert world.status() == "CREATE_FAILED"
    world.cloud.decree("orders", "UPDATE", Fate("Queue"))
    world.change(DisableRollback=True)
    world.wait()
    assert world.status() == "UPDATE_FAILED"
    world.change(token="again", days="5")
    world.wait()
    assert world.status() == "UPDATE_COMPLETE"


def test_a_failed_rollback_can_be_continued_by_skipping(world: World):
    world.launch()
    world.cloud.decree("orders", "UPDATE", Fate("Queue", "Queue"))
    world.change(body=WITHOUT_TOPIC)
    world.wait()
    skip = world.client.continue_update_rollback
    assert refusal(skip, StackName="orders", ResourcesToSkip=["Topic"])[0] == "ValidationError"
    world.cloud.decree("orders", "ROLLBACK", Fate("", "Queue"))
    skip(StackName="orders", ClientRequestToken="try")
    world.wait()
    assert world.status() == "UPDATE_ROLLBACK_FAILED"
    skip(StackName="orders", ClientRequestToken="skip", ResourcesToSkip=["Queue"])
    world.wait()
    assert world.status() == "UPDATE_ROLLBACK_COMPLETE"
    # What the update had added is gone again.
    assert set(world.resources()) == {"Queue", "Topic"}
    events = world.client.describe_stack_events(StackName="orders")["StackEvents"]
    assert ("Table", "DELETE_COMPLETE") in [(each["LogicalResourceId"], each["ResourceStatus"]) for each in events]
    assert "state and can" in refusal(skip, StackName="orders", ClientRequestToken="more")[1]


def test_a_failed_deletion_needs_a_new_token_and_may_retain(world: World):
    stack_id = world.launch()
    delete = world.client.delete_stack
    assert (
        "only when the stack is in the DELETE_FAILED state"
        in refusal(delete, StackName="orders", RetainResources=["Topic"])[1]
    )
    world.cloud.decree("orders", "DELETE", Fate("Topic"))
    delete(StackName="orders", ClientRequestToken="delete")
    world.wait()
    assert world.resources() == {"Queue": "DELETE_COMPLETE", "Topic": "DELETE_FAILED"}
    delete(StackName="orders", ClientRequestToken="delete")
    assert world.status() == "DELETE_FAILED"
    delete(StackName="orders", ClientRequestToken="delete-2", RetainResources=["Topic"])
    world.wait()
    assert world.status(stack_id) == "DELETE_COMPLETE"
    assert world.resources(stack_id) == {"Queue": "DELETE_COMPLETE", "Topic": "DELETE_SKIPPED"}


def test_a_deletion_can_be_forced_past_what_is_stuck(world: World):
    stack_id = world.launch()
    world.cloud.decree("orders", "DELETE", Fate("Topic"))
    world.client.delete_stack(StackName="orders")
    world.wait()
    world.client.delete_stack(StackName="orders", DeletionMode="FORCE_DELETE_STACK")
    world.wait()
    assert world.status(stack_id) == "DELETE_COMPLETE"
    assert world.resources(stack_id)["Topic"] == "DELETE_SKIPPED"


def test_cancelling(world: World):
    world.launch()
    cancel = world.client.cancel_update_stack
    assert refusal(cancel, StackName="orders") == (
        "ValidationError",
        "CancelUpdateStack cannot be called from current stack status",
    )
    world.change()
    assert (
        "cannot be deleted while in status UPDATE_IN_PROGRESS"
        in refusal(world.client.delete_stack, StackName="orders")[1]
    )
    world.wait(1)
    cancel(StackName="orders", ClientRequestToken="cancel")
    cancel(StackName="orders", ClientRequestToken="cancel")
    world.wait()
    assert world.path().count("UPDATE_ROLLBACK_IN_PROGRESS") == 1
    assert world.status() == "UPDATE_ROLLBACK_COMPLETE"
    # What was cancelled never became the stack's own.
    assert world.client.describe_stacks(StackName="orders")["Stacks"][0]["Parameters"][0]["ParameterValue"] == "3"


def test_a_create_under_way_can_be_deleted(world: World):
    made = world.plan()
    world.wait(1)
    world.client.execute_change_set(ChangeSetName=made["Id"])
    world.wait(1)
    world.client.delete_stack(StackName="orders")
    world.wait()
    assert world.path(made["StackId"])[-3:] == ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"]
    assert world.client.describe_change_set(ChangeSetName=made["Id"])["ExecutionStatus"] == "EXECUTE_FAILED"


def test_a_stack_under_review_can_be_deleted(world: World):
    stack_id = world.plan()["StackId"]
    world.client.delete_stack(StackName=stack_id)
    world.wait()
    assert world.status(stack_id) == "DELETE_COMPLETE"


def test_termination_protection(world: World):
    world.launch()
    protect = world.client.update_termination_protection
    protect(StackName="orders", EnableTerminationProtection=True)
    assert "while TerminationProtection is enabled" in refusal(world.client.delete_stack, StackName="orders")[1]
    protect(StackName="orders", EnableTerminationProtection=False)
    world.client.delete_stack(StackName="orders")
    assert world.status() == "DELETE_IN_PROGRESS"


@pytest.mark.parametrize(("fate", "ends"), [(Fate(), "IMPORT_COMPLETE"), (Fate("Queue"), "IMPORT_ROLLBACK_COMPLETE")])
def test_import(world: World, fate: Fate, ends: str):
    world.cloud.decree("orders", "IMPORT", fate)
    world.launch(kind="IMPORT")
    assert world.status() == ends
