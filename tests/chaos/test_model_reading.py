"""What the model answers: stale reads, pages, and no field the real service does not have."""

import random
from dataclasses import replace
from typing import Any

import botocore.session
import pytest

from tests.chaos.model import Behaviour
from tests.chaos.model.world import STATUSES, World, refusal

pytestmark = pytest.mark.chaos


@pytest.fixture
def world() -> World:
    return World()


def test_stale_reads_show_the_past_but_never_change_it():
    world = World(behaviour=Behaviour(stale=0.5, stale_seconds=10))
    made = world.plan()
    world.wait(20)
    world.client.execute_change_set(ChangeSetName=made["Id"])
    seen = [world.status() for _ in range(50)]
    assert set(seen) == {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS"}
    executions = {world.client.describe_change_set(ChangeSetName=made["Id"])["ExecutionStatus"] for _ in range(50)}
    assert executions == {"AVAILABLE", "EXECUTE_IN_PROGRESS"}
    counts = {len(world.client.describe_stack_events(StackName="orders")["StackEvents"]) for _ in range(50)}
    assert counts == {1, 4}
    world.wait(6)
    assert {frozenset(world.resources().values()) for _ in range(50)} == {
        frozenset(),
        frozenset({"CREATE_IN_PROGRESS"}),
        frozenset({"CREATE_COMPLETE"}),
    }
    stacks = [world.client.describe_stacks(StackName="orders")["Stacks"][0] for _ in range(50)]
    assert {stack["StackStatus"] for stack in stacks if "Outputs" in stack} == {"CREATE_COMPLETE"}
    world.wait(100)
    assert {world.status() for _ in range(50)} == {"CREATE_COMPLETE"}


def test_right_after_its_making_a_stack_may_not_be_seen_yet():
    world = World(behaviour=Behaviour(stale=1))
    world.plan()
    assert "does not exist" in refusal(world.client.describe_stacks, StackName="orders")[1]
    assert world.client.list_stacks()["StackSummaries"] == []


def test_the_world_does_not_depend_on_how_often_somebody_looks():
    def fare(looks: int) -> list[tuple[float, str]]:
        world = World(7, replace(Behaviour.drawn(random.Random(3)), unreachable=0, throttled=0, server_errors=0))
        world.cloud.behave(
            replace(world.cloud.behaviour, stale=0.5, lost_answers=0, role_ready_after=0, credentials_seconds=1e9)
        )
        made = world.plan()
        for _ in range(looks):
            world.client.list_stacks()
        world.wait(100)
        world.client.execute_change_set(ChangeSetName=made["Id"])
        world.wait(5000)
        world.cloud.settle()
        return [(at, status) for at, status, _ in world.cloud.ids[made["StackId"]].history]

    assert fare(0) == fare(100)


def test_lists_come_in_pages_and_by_status():
    world = World(behaviour=Behaviour(page=3))
    for number in range(8):
        world.cloud.put_stack(f"s{number}", "CREATE_COMPLETE" if number % 2 else "UPDATE_IN_PROGRESS")
    assert pages(world.client.describe_stacks, "Stacks") == [3, 3, 2]
    assert pages(world.client.list_stacks, "StackSummaries", StackStatusFilter=["UPDATE_IN_PROGRESS"]) == [3, 1]
    first = world.client.list_stacks()["StackSummaries"]
    assert [each["StackName"] for each in first] == ["s7", "s6", "s5"]


def test_a_page_of_events_is_not_moved_by_new_events():
    world = World(behaviour=Behaviour(page=2))
    world.launch()
    first = world.client.describe_stack_events(StackName="orders")
    world.change()
    second = world.client.describe_stack_events(StackName="orders", NextToken=first["NextToken"])
    ids = [each["EventId"].rsplit("-", 1)[1] for page in (first, second) for each in page["StackEvents"]]
    assert ids == ["8", "7", "6", "5"]
    assert pages(world.client.list_stack_resources, "StackResourceSummaries", StackName="orders") == [2]
    assert pages(world.client.describe_change_set, "Changes", StackName="orders", ChangeSetName="plan-1") == [2]


def pages(call: Any, key: str, **request: Any) -> list[int]:
    sizes: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = call(**request, **token)
        sizes.append(len(page[key]))
        if "NextToken" not in page:
            return sizes
        token = {"NextToken": page["NextToken"]}


def test_answers_have_the_fields_of_the_real_ones(world: World):
    """The model invents no field: every key of every answer is in botocore's description of it."""
    service = botocore.session.get_session().get_service_model("cloudformation")
    stack_id = world.launch()
    change_set = world.change()
    world.wait()
    asked: dict[str, dict[str, Any]] = {
        "DescribeStacks": {"StackName": stack_id},
        "ListStacks": {},
        "DescribeChangeSet": {"ChangeSetName": change_set},
        "DescribeStackEvents": {"StackName": stack_id},
        "DescribeEvents": {"StackName": stack_id},
        "ListStackResources": {"StackName": stack_id},
        "GetTemplate": {"StackName": stack_id},
        "UpdateTerminationProtection": {"StackName": stack_id, "EnableTerminationProtection": True},
    }
    for operation, request in asked.items():
        answer = getattr(world.client, botocore.xform_name(operation))(**request)
        check_shape(answer, service.operation_model(operation).output_shape, operation)
    check_shape(world.plan("UPDATE", ChangeSetName="x"), service.shape_for("CreateChangeSetOutput"), "CreateChangeSet")


def check_shape(value: Any, shape: Any, path: str) -> None:
    if shape.type_name == "structure":
        assert set(value) <= set(shape.members), path
        for name, member in value.items():
            check_shape(member, shape.members[name], f"{path}.{name}")
    elif shape.type_name == "list":
        for each in value:
            check_shape(each, shape.member, path)
    elif getattr(shape, "enum", None):
        # The description of events leaves out what the stack itself goes through; recordings of the service have it.
        assert value in shape.enum or shape.name == "ResourceStatus" and value in STATUSES, path
