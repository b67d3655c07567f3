"""The first cause inside nested stacks: recorded events, as the local cloud names no nested stack that failed."""

from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.stub import Stubber

from app.aws.cloudformation import Event
from app.aws.errors import Throttled
from app.stacks import nested
from app.stacks.causes import explain
from app.stacks.nested import first_cause_of

STACK = "AWS::CloudFormation::Stack"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EMBEDDED = "Embedded stack {} was not successfully created: The following resource(s) failed to create: [Database]."


def arn(name):
    return f"arn:aws:cloudformation:eu-west-1:111122223333:stack/{name}/1"


ROOT = arn("refunds")


def failed(name, reason, verb="CREATE", kind="AWS::SQS::Queue", physical_id=""):
    return Event(name, name, physical_id, kind, f"{verb}_FAILED", reason, "", NOON)


def nest(name, verb="CREATE", reason=None):
    """A nested stack that failed, as the stack around it tells."""
    return failed(name, EMBEDDED.format(arn(name)) if reason is None else reason, verb, STACK, arn(name))


def itself(name, status, reason=""):
    return Event(name, name, arn(name), STACK, status, reason, "", NOON)


class Answers:
    """The events each nested stack will be asked for, in this order."""

    def __init__(self):
        self.client = boto3.client(
            "cloudformation", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
        )
        self.stubber = Stubber(self.client)

    def of(self, name, *events):
        told = [recorded(name, number, event) for number, event in enumerate(events)]
        answer = {"StackEvents": told[::-1]}
        self.stubber.add_response("describe_stack_events", answer, {"StackName": arn(name)})

    def refused(self, code, message):
        self.stubber.add_client_error("describe_stack_events", code, message)


def recorded(stack, number, event):
    return {
        "StackId": arn(stack),
        "StackName": stack,
        "EventId": f"{stack}-{number}",
        "LogicalResourceId": event.logical_id,
        "PhysicalResourceId": event.physical_id,
        "ResourceType": event.type,
        "ResourceStatus": event.status,
        "ResourceStatusReason": event.reason,
        "Timestamp": NOON + timedelta(seconds=number),
    }


@pytest.fixture
def answers():
    found = Answers()
    with found.stubber:
        yield found
        found.stubber.assert_no_pending_responses()


def test_a_cause_in_a_nested_stack_is_told_with_the_way_to_it(answers):
    answers.of(
        "Nested",
        itself("Nested", "CREATE_IN_PROGRESS"),
        failed("Subnets", "Resource creation cancelled"),
        failed("Database", "The maximum number of databases is reached."),
        itself("Nested", "CREATE_FAILED", "The following resource(s) failed to create: [Database]."),
        itself("Nested", "DELETE_IN_PROGRESS"),
    )
    shown = nest("Nested")
    cause = first_cause_of(answers.client, ROOT, [failed("Queue", "Resource creation cancelled"), shown])
    assert (cause.event.logical_id, cause.inside, cause.seen_as) == ("Database", ("Nested",), shown)
    told = explain(cause.event, "", cause.inside)
    assert told["sentence"] == "Database in Nested could not be created. The account has reached a limit."


def test_a_cause_two_levels_down_is_found_past_what_failed_because_of_it(answers):
    answers.of("Outer", itself("Outer", "CREATE_IN_PROGRESS"), nest("Inner"))
    answers.of("Inner", itself("Inner", "CREATE_IN_PROGRESS"), failed("Database", "no room"))
    cause = first_cause_of(answers.client, ROOT, [nest("Other", reason="Resource creation cancelled"), nest("Outer")])
    assert explain(cause.event, "", cause.inside)["sentence"] == "Database in Inner in Outer could not be created."


def test_what_failed_before_the_nested_stack_needs_no_look_into_it(answers):
    cause = first_cause_of(answers.client, ROOT, [failed("Queue", "limit exceeded"), nest("Nested")])
    assert (cause.event.logical_id, cause.inside) == ("Queue", ())


def test_a_nested_stack_that_never_began_is_the_cause_itself(answers):
    cause = first_cause_of(answers.client, ROOT, [nest("Nested", reason="S3 error: Access Denied")])
    assert (cause.event.logical_id, cause.inside) == ("Nested", ())


def test_failures_of_earlier_operations_are_not_taken_for_this_ones(answers):
    answers.of(
        "Nested",
        itself("Nested", "CREATE_IN_PROGRESS"),
        itself("Nested", "UPDATE_IN_PROGRESS"),
        failed("Topic", "an old mistake", "UPDATE"),
        itself("Nested", "UPDATE_IN_PROGRESS"),
        failed("Database", "a new mistake", "UPDATE"),
        itself("Nested", "UPDATE_ROLLBACK_IN_PROGRESS"),
    )
    cause = first_cause_of(answers.client, ROOT, [nest("Nested", "UPDATE")])
    assert cause.event.reason == "a new mistake"


@pytest.mark.parametrize("refusal", [("AccessDenied", "not authorized"), ("ValidationError", "Stack does not exist")])
def test_a_nested_stack_that_cannot_be_read_is_told_itself(answers, refusal):
    answers.refused(*refusal)
    cause = first_cause_of(answers.client, ROOT, [nest("Nested")])
    assert (cause.event.logical_id, cause.inside) == ("Nested", ())


def test_a_cause_after_a_nested_stack_that_tells_nothing_counts(answers):
    answers.of("Nested", itself("Nested", "CREATE_IN_PROGRESS"))
    cause = first_cause_of(answers.client, ROOT, [nest("Nested"), failed("Queue", "limit exceeded")])
    assert cause.event.logical_id == "Queue"


def test_a_throttled_look_is_asked_for_again_later(answers):
    answers.refused("Throttling", "Rate exceeded")
    with pytest.raises(Throttled):
        first_cause_of(answers.client, ROOT, [nest("Nested")])


def test_only_so_many_levels_are_looked_into(answers):
    for level in range(nested.DEEPEST):
        answers.of(f"L{level}", nest(f"L{level + 1}"))
    cause = first_cause_of(answers.client, ROOT, [nest("L0")])
    assert (cause.event.logical_id, len(cause.inside)) == (f"L{nested.DEEPEST}", nested.DEEPEST)


def test_only_so_many_stacks_are_looked_into(answers):
    names = [f"N{number}" for number in range(nested.MOST_STACKS + 5)]
    for name in names[: nested.MOST_STACKS]:
        answers.of(name)
    assert first_cause_of(answers.client, ROOT, [nest(name) for name in names]).event.logical_id == "N0"


def test_without_a_failure_there_is_no_cause(answers):
    events = [itself("refunds", "ROLLBACK_IN_PROGRESS"), failed("Queue", "Resource creation cancelled")]
    assert first_cause_of(answers.client, ROOT, events) is None


def test_what_the_stack_says_of_itself_is_not_followed_in_a_circle(answers):
    shown = Event("1", "refunds", ROOT, STACK, "CREATE_FAILED", "", "", NOON)
    assert first_cause_of(answers.client, ROOT, [shown]) is None
