"""Change sets and tokens in the model: nothing twice, nothing that no longer fits."""

import pytest

from tests.chaos.model import Behaviour
from tests.chaos.model.world import World, refusal

pytestmark = pytest.mark.chaos


@pytest.fixture
def world() -> World:
    return World()


def test_a_change_set_that_changes_nothing_fails(world: World):
    world.launch()
    made = world.plan("UPDATE", ChangeSetName="plan-2")
    world.wait(1)
    found = world.client.describe_change_set(ChangeSetName=made["Id"])
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in found["StatusReason"]
    world.client.delete_change_set(ChangeSetName=made["Id"])
    assert refusal(world.client.describe_change_set, ChangeSetName=made["Id"])[0] == "ChangeSetNotFound"


def test_new_tags_touch_every_resource_and_a_parameter_those_that_name_it(world: World):
    world.launch()
    world.plan("UPDATE", ChangeSetName="tags", Tags=[])
    world.plan("UPDATE", ChangeSetName="days", Parameters=[{"ParameterKey": "Days", "ParameterValue": "9"}])
    world.wait(1)
    assert [planned(world, "tags"), planned(world, "days")] == [["Queue", "Topic"], ["Queue"]]


def planned(world: World, name: str) -> list[str]:
    found = world.client.describe_change_set(ChangeSetName=name, StackName="orders")["Changes"]
    return [each["ResourceChange"]["LogicalResourceId"] for each in found]


def test_a_change_set_of_a_stack_that_changed_is_obsolete(world: World):
    world.launch()
    made = world.plan("UPDATE", ChangeSetName="plan-2", Tags=[])
    world.wait(1)
    assert world.cloud.interfere("orders", "update")
    world.wait()
    assert world.client.describe_change_set(ChangeSetName=made["Id"])["ExecutionStatus"] == "OBSOLETE"
    code, words = refusal(world.client.execute_change_set, ChangeSetName=made["Id"])
    assert code == "InvalidChangeSetStatus"
    assert "[OBSOLETE]" in words


def test_executing_removes_the_stacks_other_change_sets(world: World):
    world.launch()
    other = world.plan("UPDATE", ChangeSetName="plan-2", Tags=[])
    world.change()
    assert refusal(world.client.execute_change_set, ChangeSetName=other["Id"])[0] == "ChangeSetNotFound"


def test_a_change_set_cannot_be_executed_before_it_is_made(world: World):
    made = world.plan()
    code, words = refusal(world.client.execute_change_set, ChangeSetName=made["Id"])
    assert (code, words.split()[-1]) == ("InvalidChangeSetStatus", "[CREATE_PENDING]")
    assert refusal(world.client.delete_change_set, ChangeSetName=made["Id"])[0] == "InvalidChangeSetStatus"


def test_the_same_token_again_is_the_same_answer_and_nothing_twice(world: World):
    assert world.plan() == world.plan()
    assert refusal(world.plan, ClientToken="other")[0] == "AlreadyExistsException"
    world.wait(1)
    execute = world.client.execute_change_set
    execute(ChangeSetName="plan-1", StackName="orders", ClientRequestToken="go")
    execute(ChangeSetName="plan-1", StackName="orders", ClientRequestToken="go")
    code = refusal(execute, ChangeSetName="plan-1", StackName="orders", ClientRequestToken="other")[0]
    assert code == "InvalidChangeSetStatus"
    world.wait()
    execute(ChangeSetName="plan-1", StackName="orders", ClientRequestToken="go")
    assert world.path() == ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE"]
    writes = [call for call in world.cloud.calls if not call.operation.startswith("Describe")]
    assert [call.happened for call in writes] == [True, False, False, True, False, False, False]
    assert refusal(world.client.delete_stack, StackName="orders", ClientRequestToken="go")[0] == (
        "TokenAlreadyExistsException"
    )


def test_a_repeated_token_may_be_refused_instead():
    world = World(behaviour=Behaviour(refuses_tokens=1))
    world.launch()
    code = refusal(
        world.client.execute_change_set, ChangeSetName="plan-1", StackName="orders", ClientRequestToken="launch"
    )[0]
    assert code == "TokenAlreadyExistsException"


def test_a_change_set_that_ran_may_be_forgotten_but_not_its_token():
    world = World(behaviour=Behaviour(forgets_change_sets=1))
    made = world.plan()
    world.launch()
    assert refusal(world.client.describe_change_set, ChangeSetName=made["Id"])[0] == "ChangeSetNotFound"
    world.client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="launch")
    assert refusal(world.client.execute_change_set, ChangeSetName=made["Id"])[0] == "ChangeSetNotFound"


def test_create_on_a_stack_that_exists_and_update_on_one_that_does_not(world: World):
    assert refusal(world.plan, kind="UPDATE") == ("ValidationError", "Stack [orders] does not exist")
    world.launch()
    assert "already exists and cannot be created again" in refusal(world.plan, ChangeSetName="x")[1]


def test_a_plan_that_cannot_be_made_says_why():
    world = World(behaviour=Behaviour(plan_fails=1))
    made = world.plan()
    world.wait(1)
    assert world.client.describe_change_set(ChangeSetName=made["Id"])["Status"] == "FAILED"
    told = world.client.describe_events(ChangeSetName=made["Id"], Filters={"FailedEvents": True})["OperationEvents"]
    assert told[0]["LogicalResourceId"] == "Queue"
    world.cloud.behave(Behaviour(has_describe_events=False))
    assert refusal(world.client.describe_events, StackName="orders")[0] == "InvalidAction"
