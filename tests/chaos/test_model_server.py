"""The model over HTTP: botocore, and the portal's own client on it, read it like the real service."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from app.aws import cloudformation as cfn
from app.aws.clients import Clients, Place
from app.aws.errors import Expired, NoAnswer, NotThere, RoleNotReady, WrongState
from tests.chaos.model import Behaviour, Fate, query
from tests.chaos.model.accounts import Caller
from tests.chaos.model.server import Server, serving

pytestmark = pytest.mark.chaos

PLACE = Place("111122223333", "arn:aws:iam::111122223333:role/slipway", "eu-west-1")
BODY = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\nOutputs:\n  Url:\n    Value: <a&b>\n"
QUICK = Behaviour(plan_seconds=(0, 0), resource_seconds=(0.05, 0.05), cleanup_seconds=(0, 0))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(1, QUICK) as server:
        yield server


@pytest.fixture
def portal(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The portal's client in its place, through the role it assumed."""
    return clients(server, monkeypatch).get("cloudformation", PLACE, "dana-job-1")


def clients(server: Server, monkeypatch: pytest.MonkeyPatch) -> Clients:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", PLACE.account)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    return Clients(server.url, "")


def raw(server: Server, **config: Any) -> Any:
    """A plain client that tries once."""
    return boto3.client(
        "cloudformation",
        endpoint_url=server.url,
        region_name=PLACE.region,
        aws_access_key_id=PLACE.account,
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, proxies={}, **config),
    )


def plan(portal: Any, kind: str = "CREATE", name: str = "plan-1", **tags: str) -> cfn.ChangeSet:
    return cfn.create_change_set(
        portal,
        stack_name="orders",
        name=name,
        kind=kind,
        body=BODY,
        parameters=[{"ParameterKey": "Name", "ParameterValue": "a <b> & true"}],
        tags=tags,
        capabilities=["CAPABILITY_IAM"],
        token=name,
    )


def settled(portal: Any, cloud_id: str) -> cfn.StackState:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        state = cfn.find_stack(portal, cloud_id)
        if state and not state.status.endswith("_IN_PROGRESS"):
            return state
        time.sleep(0.01)
    raise AssertionError("The stack did not settle.")


def test_the_portals_client_launches_changes_and_deletes(server: Server, portal: Any):
    made = plan(portal, owner="payments <b>")
    found = cfn.find_change_set(portal, made.cloud_id)
    assert found is not None
    assert [change["LogicalResourceId"] for change in found.changes] == ["Queue"]
    cfn.execute_change_set(portal, made.cloud_id, "launch")
    state = settled(portal, made.stack_cloud_id)
    assert (state.status, state.tags) == ("CREATE_COMPLETE", {"owner": "payments <b>"})
    assert [output["key"] for output in state.outputs] == ["Url"]
    assert cfn.resources(portal, state.cloud_id)[0]["status"] == "CREATE_COMPLETE"
    assert cfn.has_event_of(portal, state.cloud_id, "launch")
    events = cfn.events_since(portal, state.cloud_id, None)
    assert (events[0].status, events[-1].status) == ("REVIEW_IN_PROGRESS", "CREATE_COMPLETE")

    assert plan(portal, "UPDATE", "plan-2", owner="payments <b>").stack_cloud_id == state.cloud_id
    empty = cfn.find_change_set(portal, "plan-2", "orders")
    assert empty is not None
    assert empty.is_empty
    cfn.delete_change_set(portal, empty.cloud_id)

    cfn.protect(portal, state.cloud_id, True)
    protected = cfn.find_stack(portal, "orders")
    assert protected is not None
    assert protected.is_protected
    cfn.protect(portal, state.cloud_id, False)
    cfn.delete_stack(portal, state.cloud_id, "delete")
    assert settled(portal, state.cloud_id).status == "DELETE_COMPLETE"
    assert cfn.find_stack(portal, "orders") is None
    assert {call.actor for call in server.accounts.calls()} == {"dana-job-1"}


def test_refusals_arrive_as_the_errors_they_are(server: Server, portal: Any):
    assert cfn.find_stack(portal, "orders") is None
    assert cfn.find_change_set(portal, "plan-1", "orders") is None
    with pytest.raises(NotThere):
        cfn.execute_change_set(portal, "arn:aws:cloudformation:eu-west-1:111122223333:changeSet/x/1", "t")
    place(server).put_stack("orders", "UPDATE_ROLLBACK_FAILED")
    with pytest.raises(WrongState, match="UPDATE_ROLLBACK_FAILED state and can not be updated"):
        plan(portal, "UPDATE")
    with pytest.raises(ClientError, match=r"\(InvalidAction\)"):
        raw(server).list_exports()


def place(server: Server) -> Any:
    return server.accounts.place(PLACE.account, PLACE.region)


def test_what_failed_before_any_resource_is_told(server: Server, portal: Any):
    server.accounts.behave(Behaviour(plan_seconds=(0, 0), plan_fails=1))
    made = plan(portal)
    assert [check.logical_id for check in cfn.failed_checks(portal, ChangeSetName=made.cloud_id)] == ["Queue"]
    server.accounts.behave(Behaviour(has_describe_events=False))
    assert cfn.failed_checks(portal, ChangeSetName=made.cloud_id) == []


def test_a_failed_launch_tells_its_reason(server: Server, portal: Any):
    place(server).decree("orders", "CREATE", Fate("Queue", reason="It is <taken>."))
    made = plan(portal)
    cfn.execute_change_set(portal, made.cloud_id, "launch")
    assert settled(portal, made.stack_cloud_id).status == "ROLLBACK_COMPLETE"
    reasons = [event.reason for event in cfn.events_since(portal, made.stack_cloud_id, None)]
    assert "It is <taken>." in reasons


def test_an_answer_that_got_lost_leaves_its_effect(server: Server):
    server.accounts.behave(Behaviour(lost_answers=1))
    client = raw(server)
    for _ in range(20):
        with pytest.raises((ClientError, BotoCoreError)):
            client.create_change_set(
                StackName="orders", ChangeSetName="p", ChangeSetType="CREATE", TemplateBody=BODY, ClientToken="p"
            )
    calls = server.accounts.calls()
    assert [call.happened for call in calls] == [True] + [False] * 19
    # Both kinds are met: an error that came back, and a connection that ended.
    assert {call.error for call in calls} >= {"InternalFailure", "ConnectionClosedError"}
    assert len(place(server).stacks) == 1


def test_the_portal_reads_a_lost_answer_as_no_answer(server: Server, portal: Any):
    server.accounts.behave(Behaviour(lost_answers=1))
    with pytest.raises(NoAnswer):
        cfn.find_stack(portal, "orders")


def test_expired_credentials_are_replaced(server: Server, monkeypatch: pytest.MonkeyPatch):
    made = clients(server, monkeypatch)
    cfn.find_stack(made.get("cloudformation", PLACE, "job-1"), "orders")
    monkeypatch.setattr(server.accounts, "now", lambda: time.time() + 3601)
    with pytest.raises(Expired):
        cfn.find_stack(made.get("cloudformation", PLACE, "job-1"), "orders")
    cfn.find_stack(made.get("cloudformation", PLACE, "job-1"), "orders")


def test_a_new_role_cannot_be_assumed_yet(server: Server, monkeypatch: pytest.MonkeyPatch):
    server.accounts.behave(Behaviour(role_ready_after=60))
    with pytest.raises(RoleNotReady):
        clients(server, monkeypatch).get("cloudformation", PLACE, "job-1")


def test_accounts_and_regions_are_apart(server: Server, monkeypatch: pytest.MonkeyPatch):
    made = clients(server, monkeypatch)
    plan(made.get("cloudformation", PLACE, "job-1"))
    other = Place("444455556666", "arn:aws:iam::444455556666:role/slipway", "eu-west-1")
    assert cfn.find_stack(made.get("cloudformation", PLACE, "job-1"), "orders") is not None
    assert cfn.find_stack(made.get("cloudformation", other, "job-1"), "orders") is None


def test_who_measures_can_lay_stacks_there_and_read_the_log(server: Server):
    rows = [{"account": PLACE.account, "region": PLACE.region, "name": "s1", "status": "UPDATE_IN_PROGRESS"}]
    assert len(ask(server, "/_model/stacks", rows)) == 1
    ask(server, "/_model/behaviour", {"resource_seconds": [1, 2]})
    assert place(server).behaviour.resource_seconds == (1, 2)
    summaries = raw(server).list_stacks(StackStatusFilter=["UPDATE_IN_PROGRESS"])["StackSummaries"]
    assert [each["StackName"] for each in summaries] == ["s1"]
    assert [call["operation"] for call in ask(server, "/_model/calls")] == ["ListStacks"]
    assert ask(server, "/_model/calls?since=1") == []


def ask(server: Server, address: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(server.url + address, data) as answer:
        return json.load(answer)


def test_paging_through_five_thousand_moving_stacks_is_quick(server: Server):
    """Fifty pages of a hundred while they move on; what the client needs to read them is not counted."""
    cloud = place(server)
    for number in range(5000):
        then = [(0.2, "UPDATE_ROLLBACK_IN_PROGRESS")] if number % 2 else []
        cloud.put_stack(f"s{number}", "UPDATE_IN_PROGRESS", then=then)
    names: list[str] = []
    for page in raw(server).get_paginator("list_stacks").paginate(StackStatusFilter=["UPDATE_IN_PROGRESS"]):
        assert len(page["StackSummaries"]) <= 100
        names += [each["StackName"] for each in page["StackSummaries"]]
    # Whatever moved on meanwhile, nobody who stayed was skipped or told twice.
    assert len(set(names)) == len(names)
    assert {f"s{number}" for number in range(0, 5000, 2)} <= set(names)
    caller = Caller(PLACE.account, PLACE.region, "cloudformation")
    took = [_seconds_of_a_page(server, caller) for _ in range(20)]
    # The best of them: the machine is shared.
    assert min(took) < 0.003, took


def _seconds_of_a_page(server: Server, caller: Caller) -> float:
    began = time.thread_time()
    found = server.accounts.answer(caller, "ListStacks", {"StackStatusFilter": ["UPDATE_IN_PROGRESS"]})
    query.answer("cloudformation", "ListStacks", found, "1")
    assert len(found["StackSummaries"]) == 100
    return time.thread_time() - began
