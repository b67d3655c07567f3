"""What can happen to the model: other people, broken wires, and all of it again from the same seed."""

import random
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos.model import Behaviour
from tests.chaos.model.world import BODY, STATUSES, WITHOUT_TOPIC, World, refusal

pytestmark = pytest.mark.chaos


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_can_be_laid_there(world: World, status: str):
    stack = world.cloud.put_stack("orders", status, {"slipway:stack": "stk_1"})
    assert world.status(stack.id) == status
    listed = world.client.list_stacks(StackStatusFilter=[status])["StackSummaries"]
    assert [each["StackId"] for each in listed] == [stack.id]
    world.wait()
    assert world.status(stack.id) == status


def test_a_stack_laid_there_can_move_on(world: World):
    world.cloud.put_stack(
        "orders", "UPDATE_IN_PROGRESS", then=[(5, "UPDATE_ROLLBACK_IN_PROGRESS"), (9, "UPDATE_FAILED")]
    )
    world.wait(6)
    assert world.status() == "UPDATE_ROLLBACK_IN_PROGRESS"
    world.wait(6)
    assert world.status() == "UPDATE_FAILED"


def test_somebody_else_at_work(world: World):
    world.launch()
    assert world.cloud.interfere("orders", "protect")
    assert not world.cloud.interfere("orders", "delete")
    assert world.cloud.interfere("orders", "unprotect")
    assert world.cloud.interfere("orders", "update")
    assert world.cloud.interfere("orders", "cancel")
    assert not world.cloud.interfere("orders", "update")
    world.wait()
    assert world.cloud.interfere("orders", "delete")
    console = [call for call in world.cloud.calls if call.actor == "console"]
    assert [call.operation for call in console if call.token.startswith("Console-")] == [
        "UpdateStack",
        "CancelUpdateStack",
        "DeleteStack",
    ]


def test_troubles_of_the_wire():
    world = World(behaviour=Behaviour(throttled=1))
    assert refusal(world.client.list_stacks) == ("Throttling", "Rate exceeded")
    world.cloud.behave(Behaviour(server_errors=1))
    assert refusal(world.client.list_stacks)[0] in ("InternalFailure", "ServiceUnavailable")
    world.cloud.behave(Behaviour(unreachable=1))
    with pytest.raises(BotoCoreError):
        world.plan()
    assert world.cloud.stacks == []
    assert [call.happened for call in world.cloud.calls] == [False, False, False]


def test_done_but_an_error_was_read():
    world = World(behaviour=Behaviour(lost_answers=1))
    with pytest.raises((ClientError, BotoCoreError)):
        world.plan()
    call = world.cloud.calls[-1]
    assert call.happened
    assert call.error
    world.cloud.behave(Behaviour())
    assert world.status() == "REVIEW_IN_PROGRESS"
    # The same call again finds what the first one did.
    assert world.plan()["StackId"] == world.cloud.stacks[0].id


def test_credentials_run_out_once_and_are_taken_afresh():
    world = World(behaviour=Behaviour(credentials_seconds=60))
    world.client.list_stacks()
    world.wait(61)
    assert refusal(world.client.list_stacks)[0] == "ExpiredToken"
    assert world.client.list_stacks()["StackSummaries"] == []


def test_a_new_role_cannot_be_assumed_at_once():
    world = World(behaviour=Behaviour(role_ready_after=20))
    with pytest.raises(ClientError) as caught:
        world.client.list_stacks()
    assert caught.value.operation_name == "AssumeRole"
    world.wait(21)
    assert world.client.list_stacks()["StackSummaries"] == []


def story(seed: int) -> World:
    """Sixty calls somebody and somebody else make at random, under a drawn behaviour, until everything has settled."""
    rng = random.Random(seed)
    world = World(seed, Behaviour.drawn(rng))
    client, plans = world.client, [""]
    for number in range(60):
        world.wait(rng.choice((0, 0.1, 3, 60)))
        token = f"token-{rng.randrange(30)}"
        try:
            match rng.randrange(8):
                case 0 | 1:
                    kind, body = rng.choice(("CREATE", "UPDATE", "UPDATE")), rng.choice((BODY, WITHOUT_TOPIC))
                    more = {"OnStackFailure": rng.choice(("ROLLBACK", "ROLLBACK", "DO_NOTHING"))}
                    plans.append(world.plan(kind, ChangeSetName=f"p{number}", TemplateBody=body, **more)["Id"])
                case 2 | 3:
                    client.execute_change_set(ChangeSetName=plans[-1], ClientRequestToken=token)
                case 4:
                    client.delete_stack(StackName="orders", ClientRequestToken=token)
                case 5:
                    client.continue_update_rollback(StackName="orders", ClientRequestToken=token)
                case 6:
                    world.cloud.interfere("orders", rng.choice(("update", "cancel", "protect", "unprotect")))
                case 7:
                    client.describe_stack_events(StackName="orders")
        except (ClientError, BotoCoreError):
            continue
    world.wait(100_000)
    world.cloud.settle()
    return world


def told(world: World) -> list[tuple[Any, ...]]:
    return [*world.cloud.calls, *(event for stack in world.cloud.stacks for event in stack.events)]


@pytest.mark.parametrize("seed", range(40))
def test_a_seed_replays_exactly(seed: int):
    assert told(story(seed)) == told(story(seed))
    assert told(story(seed)) != told(story(seed + 1))


def test_every_story_leaves_a_world_that_makes_sense():
    passed = set()
    for seed in range(600):
        for stack in story(seed).cloud.stacks:
            assert not stack.is_moving, seed
            assert [event.at for event in stack.events] == sorted(event.at for event in stack.events), seed
            holds, names = {each.logical_id for each in stack.holds()}, set(stack.outline().types)
            if stack.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"):
                assert holds == names, seed
            if stack.status in ("ROLLBACK_COMPLETE", "DELETE_COMPLETE"):
                assert not holds, seed
            passed |= {status for _, status, _ in stack.history}
    # Nobody imports in these stories; every other status comes up by itself.
    assert passed == {status for status in STATUSES if not status.startswith("IMPORT")}
