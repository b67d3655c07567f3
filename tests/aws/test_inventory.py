"""What an account has, over all pages: on the local cloud, and with recorded answers for nested stacks."""

import json
from datetime import UTC, datetime

import pytest

from app.aws.errors import NotThere, Throttled
from app.aws.inventory import all_stacks, moving_stacks, template_of

QUEUE = "Resources: {Queue: {Type: AWS::SQS::Queue}}\n"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def summary(name, status="CREATE_IN_PROGRESS", **more):
    return {"StackId": f"arn:{name}", "StackName": name, "StackStatus": status, "CreationTime": NOON} | more


def test_only_what_moves_is_listed(cloud):
    client = cloud.client(region="eu-central-1")
    cloud.faults({"stack": "payments-slow", "seconds": 20})
    client.create_stack(StackName="payments-slow", TemplateBody=QUEUE)
    client.create_stack(StackName="payments-quick", TemplateBody=QUEUE)
    client.get_waiter("stack_create_complete").wait(StackName="payments-quick", WaiterConfig={"Delay": 0.05})
    assert [(each.name, each.status) for each in moving_stacks(client)] == [("payments-slow", "CREATE_IN_PROGRESS")]


def test_what_moves_is_listed_over_all_pages_and_without_nested_stacks(stubbed):
    client, stubber = stubbed
    moving = [each for each in statuses(client) if each.endswith("_IN_PROGRESS")]
    assert len(moving) == 10
    first = [summary("one"), summary("one-Network", ParentId="arn:one", RootId="arn:one")]
    stubber.add_response("list_stacks", {"StackSummaries": first, "NextToken": "more"}, {"StackStatusFilter": moving})
    second = [summary("two", "UPDATE_IN_PROGRESS", StackStatusReason="User Initiated")]
    stubber.add_response("list_stacks", {"StackSummaries": second}, {"StackStatusFilter": moving, "NextToken": "more"})
    assert list(moving_stacks(client)) == [
        ("arn:one", "one", "CREATE_IN_PROGRESS", ""),
        ("arn:two", "two", "UPDATE_IN_PROGRESS", "User Initiated"),
    ]
    stubber.assert_no_pending_responses()


def statuses(client):
    return client.meta.service_model.shape_for("StackStatus").enum


def test_a_page_that_is_refused_is_told_in_our_words(stubbed):
    client, stubber = stubbed
    stubber.add_response("list_stacks", {"StackSummaries": [summary("one")], "NextToken": "more"})
    stubber.add_client_error("list_stacks", "Throttling", "Rate exceeded")
    listed = moving_stacks(client)
    assert next(listed).name == "one"
    with pytest.raises(Throttled):
        next(listed)


def test_every_stack_is_found_with_its_tags(cloud):
    client = cloud.client(region="eu-central-1")
    names = [f"orders-{number}" for number in range(120)]
    for name in names:
        client.create_stack(StackName=name, TemplateBody=QUEUE, Tags=[{"Key": "slipway:stack", "Value": f"ref-{name}"}])
    found = {stack.name: stack for stack in all_stacks(client)}
    assert {found[name].tags["slipway:stack"] for name in names} == {f"ref-{name}" for name in names}
    assert not any(found[name].root_id for name in names)


def test_a_nested_stack_names_its_root(stubbed):
    client, stubber = stubbed
    tags = [{"Key": "slipway:stack", "Value": "stk-1"}]
    stacks = [summary("one", Tags=tags), summary("one-Network", Tags=tags, ParentId="arn:one", RootId="arn:one")]
    stubber.add_response("describe_stacks", {"Stacks": stacks})
    assert [(each.name, each.root_id) for each in all_stacks(client)] == [("one", ""), ("one-Network", "arn:one")]


@pytest.mark.parametrize("body", [QUEUE, json.dumps({"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}, indent=2)])
def test_the_body_comes_back_as_it_was_sent(cloud, body):
    client = cloud.client()
    name = f"bodies-{len(body)}"
    client.create_stack(StackName=name, TemplateBody=body)
    assert template_of(client, name) == body


def test_what_is_not_there_has_no_body(cloud):
    with pytest.raises(NotThere):
        template_of(cloud.client(), "nobody-made-this")
