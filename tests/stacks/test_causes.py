"""The first cause of a failure, and what CloudFormation's words mean to whoever reads them."""

from dataclasses import dataclass

import pytest

from app.stacks import causes
from app.stacks.causes import explain, first_cause, is_consequence, others_failed


@dataclass
class Event:
    logical_id: str
    status: str
    reason: str = ""
    type: str = "AWS::SQS::Queue"


STACK = "AWS::CloudFormation::Stack"
ROLLED_BACK = [
    Event("Queue", "CREATE_IN_PROGRESS"),
    Event("Topic", "CREATE_FAILED", "Resource creation cancelled"),
    Event("Queue", "CREATE_FAILED", "Resource handler returned message: limit exceeded"),
    Event("Alarm", "CREATE_FAILED", "Resource creation cancelled"),
    Event("refunds", "ROLLBACK_IN_PROGRESS", "The following resource(s) failed to create: [Queue].", STACK),
]


def test_the_earliest_failure_that_is_no_consequence_is_the_cause():
    cause = first_cause(ROLLED_BACK)
    assert (cause.logical_id, others_failed(ROLLED_BACK, cause)) == ("Queue", 2)


def test_of_two_causes_the_earlier_one_counts():
    events = [Event("One", "CREATE_FAILED", "first"), Event("Two", "CREATE_FAILED", "second")]
    assert first_cause(events).logical_id == "One"


def test_a_consequence_is_better_than_nothing():
    assert first_cause([ROLLED_BACK[1]]).logical_id == "Topic"
    assert first_cause([ROLLED_BACK[0]]) is None
    assert first_cause([]) is None


@pytest.mark.parametrize(
    "reason",
    [
        "Resource creation cancelled",
        "Resource update cancelled",
        "The following resource(s) failed to update: [Queue]. ",
        "Rollback requested by user.",
        "Embedded stack arn:aws:cloudformation:1 was not successfully created",
        "Validation failed with 1 error(s). Call DescribeEvents to retrieve the full list of issues",
        "Validation failure detected. See the operation's FAILED event for details.",
    ],
)
def test_consequences_are_known_by_their_words(reason):
    assert is_consequence(Event("X", "CREATE_FAILED", reason))


# What AWS services say when something fails, by the meaning that fits.
REASONS = {
    "The name is taken.": (
        "seabright-files already exists (Service: S3, Status Code: 0)",
        "Resource of type 'AWS::SQS::Queue' with identifier 'q' already exists.",
        "The requested bucket name is not available.",
    ),
    "The launch role may not do this.": (
        "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: rds:CreateDBInstance",
        "Access Denied (Service: Amazon S3; Status Code: 403)",
    ),
    "The account has reached a limit.": (
        "The maximum number of VPCs has been reached.",
        "You have exceeded your quota: LimitExceeded",
    ),
    "The region has no room for this size right now.": (
        "Cannot create a database instance because there is insufficient capacity",
    ),
    "The network answers do not fit together.": (
        "The DB subnet group does not meet Availability Zone (AZ) coverage requirement.",
    ),
    "It did not become healthy in time.": (
        "ECS Deployment Circuit Breaker was triggered; service did not stabilize",
        "WaitCondition timed out. Received 0 conditions when expecting 1",
        "Exceeded attempts to wait",
    ),
    "Something it refers to does not exist in this account and region.": (
        "No export named payments-vpc found",
        "The security group 'sg-1' does not exist",
    ),
    "It still holds data.": ("The bucket you tried to delete is not empty (Service: S3, Status Code: 409)",),
    "The cloud does not accept one of the values.": (
        "Value 400 at 'visibilityTimeout' failed to satisfy constraint",
        "1 validation error detected: Value '' at 'subnetId' failed to satisfy constraint",
        "Properties validation failed for resource Queue",
        "Invalid value for the parameter DelaySeconds.",
    ),
}


@pytest.mark.parametrize(("meaning", "reason"), [(meaning, each) for meaning in REASONS for each in REASONS[meaning]])
def test_a_reason_has_its_meaning_and_an_advice(meaning, reason):
    told = explain(Event("Queue", "CREATE_FAILED", reason))
    assert told["meaning"] == meaning
    assert told["sentence"] == f"Queue could not be created. {meaning}"
    assert told["reason"] == reason
    assert told["advice"] != causes.NO_ADVICE


def test_an_unknown_reason_is_given_as_it_is():
    told = explain(Event("Queue", "UPDATE_FAILED", "Grmpf."))
    assert told["sentence"] == "Queue could not be changed."
    assert (told["reason"], told["advice"]) == ("Grmpf.", causes.NO_ADVICE)


def test_without_an_event_the_stacks_own_reason_is_told():
    assert explain(None, "Transform failed")["sentence"] == "Transform failed"
    assert explain(None)["sentence"] == "CloudFormation gave no reason."


VERBS = {"CREATE": "created", "UPDATE": "changed", "DELETE": "deleted", "IMPORT": "finished"}


@pytest.mark.parametrize(("status", "verb"), VERBS.items())
def test_the_verb_follows_what_was_tried(status, verb):
    assert explain(Event("Queue", f"{status}_FAILED", "x"))["sentence"] == f"Queue could not be {verb}."
