"""What AWS says in its codes, said in ours. The answers are recorded: the local cloud cannot be made to give them."""

import math

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from app.aws import cloudformation as cfn
from app.aws.errors import (
    AlreadyThere,
    AskedBefore,
    Denied,
    Expired,
    NameTaken,
    NoAnswer,
    NothingToDo,
    NotThere,
    Outdated,
    Protected,
    Refused,
    RoleNotReady,
    Throttled,
    WrongState,
    translated,
)

# code, message, HTTP status, what it means
ANSWERS = [
    ("Throttling", "Rate exceeded", 400, Throttled),
    ("ThrottlingException", "Rate exceeded", 400, Throttled),
    ("RequestLimitExceeded", "Request limit exceeded.", 503, Throttled),
    ("TooManyRequestsException", "Too many", 429, Throttled),
    ("AccessDenied", "User is not authorized to perform: cloudformation:CreateChangeSet", 403, Denied),
    ("UnauthorizedOperation", "You are not authorized", 403, Denied),
    ("ExpiredToken", "The security token included in the request is expired", 403, Expired),
    ("InvalidClientTokenId", "The security token included in the request is invalid.", 403, Expired),
    ("ValidationError", "Role arn:aws:iam::1:role/r is invalid or cannot be assumed", 400, RoleNotReady),
    ("ValidationError", "Stack with id refunds does not exist", 400, NotThere),
    ("ChangeSetNotFound", "ChangeSet [p-1] does not exist", 404, NotThere),
    ("ThrottledException", "Slow down", 400, Throttled),
    ("ValidationError", "Stack [arn] does not exist", 400, NotThere),
    ("AlreadyExistsException", "Stack [refunds] already exists", 400, NameTaken),
    ("TokenAlreadyExistsException", "Token already exists", 400, AskedBefore),
    ("ValidationError", "Stack [refunds] cannot be deleted while TerminationProtection is enabled", 400, Protected),
    ("ValidationError", "Stack [refunds] cannot be deleted while in status UPDATE_IN_PROGRESS", 400, WrongState),
    ("InvalidChangeSetStatus", "ChangeSet [p-1] cannot run in its execution status of [OBSOLETE]", 400, Outdated),
    ("RequestTimeoutException", "Too slow", 400, NoAnswer),
    ("InvalidChangeSetStatus", "ChangeSet [p-1] cannot be executed in its current status of [FAILED]", 400, WrongState),
    ("OperationInProgressException", "Another operation is in progress", 409, WrongState),
    ("ValidationError", "Stack:refunds is in UPDATE_IN_PROGRESS state and can not be updated.", 400, WrongState),
    ("ValidationError", "CancelUpdateStack cannot be called from current stack status", 400, WrongState),
    ("ValidationError", "No updates are to be performed.", 400, NothingToDo),
    ("ValidationError", "Parameters: [Size] must have values", 400, Refused),
    ("ValidationError", "Template format error: the value is in a bad state of mind", 400, Refused),
    ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]", 400, Refused),
    ("LimitExceededException", "Limit for stack has been exceeded", 400, Refused),
    ("InternalFailure", "", 500, NoAnswer),
    ("ServiceUnavailable", "Service is unavailable", 503, NoAnswer),
    ("NobodyKnowsThisCode", "something inside", 500, NoAnswer),
]


@pytest.mark.parametrize(("code", "message", "status", "ours"), ANSWERS)
def test_every_answer_has_its_meaning(stubbed, code, message, status, ours):
    client, stubber = stubbed
    stubber.add_client_error("execute_change_set", code, message, status)
    with pytest.raises(ours) as raised:
        cfn.execute_change_set(client, "p-1", "p-1-execute")
    assert type(raised.value) is ours
    assert raised.value.code == code
    assert raised.value.sentence


LOST = [
    EndpointConnectionError(endpoint_url="http://x"),
    ConnectTimeoutError(endpoint_url="http://x"),
    ReadTimeoutError(endpoint_url="http://x"),
    ResponseParserError("not XML"),
]


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_what_was_lost_on_the_way_may_have_happened(error):
    with pytest.raises(NoAnswer), translated():
        raise error


def test_what_was_never_sent_is_refused_at_once():
    with pytest.raises(Refused, match="Missing required parameter"), translated():
        raise ParamValidationError(report="Missing required parameter")
    with pytest.raises(Denied, match="no AWS credentials"), translated():
        raise NoCredentialsError


def test_patience_is_for_what_time_heals():
    assert Throttled.patience == NoAnswer.patience == math.inf
    # Each of several workers may hold credentials that are too old.
    assert Expired.patience == 5
    assert 3 <= RoleNotReady.patience <= 6
    final = (Denied, NotThere, NameTaken, AskedBefore, Protected, NothingToDo, WrongState, Outdated, Refused)
    assert [each.patience for each in final] == [0] * len(final)


def test_a_name_that_is_taken_and_a_call_that_won_are_two_things():
    assert issubclass(NameTaken, AlreadyThere)
    assert issubclass(AskedBefore, AlreadyThere)
    assert not issubclass(NameTaken, AskedBefore)
    assert not issubclass(AskedBefore, NameTaken)


def test_a_message_with_braces_is_told_as_it_is(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("execute_change_set", "AccessDenied", "no policy for {} and {0}")
    with pytest.raises(Denied, match=r"no policy for \{\} and \{0\}"):
        cfn.execute_change_set(client, "p-1", "p-1-execute")


def test_a_template_too_large_for_a_request_is_told_so_before_it_is_sent(stubbed):
    client, _ = stubbed
    with pytest.raises(Refused, match="60,000 bytes"):
        cfn.create_change_set(
            client, stack_name="a", name="b", kind="CREATE", body="x" * 60_000, parameters=[], tags={},
            capabilities=[], token="t",
        )  # fmt: skip


def test_change_sets_and_events_are_read_over_all_pages(stubbed):
    client, stubber = stubbed
    made = {"ChangeSetId": "arn:aws:cs", "StackId": "arn:aws:stack", "Status": "CREATE_COMPLETE"}
    for token, name in (("more", "One"), (None, "Two")):
        change = {"Type": "Resource", "ResourceChange": {"LogicalResourceId": name, "Action": "Add"}}
        stubber.add_response(
            "describe_change_set", made | {"Changes": [change]} | ({"NextToken": token} if token else {})
        )
    found = cfn.find_change_set(client, "p-1")
    assert [change["LogicalResourceId"] for change in found.changes] == ["One", "Two"]


def test_events_end_at_the_last_one_seen(stubbed):
    client, stubber = stubbed
    stubber.add_response("describe_stack_events", {"StackEvents": [event("3"), event("2")], "NextToken": "older"})
    stubber.add_response("describe_stack_events", {"StackEvents": [event("1"), event("0")]})
    assert [each.event_id for each in cfn.events_since(client, "arn", "1")] == ["2", "3"]


def test_a_stack_that_vanished_has_no_events(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("describe_stack_events", "ValidationError", "Stack [x] does not exist")
    assert cfn.events_since(client, "arn", None) == []


def test_an_operations_token_is_found_on_any_page(stubbed):
    client, stubber = stubbed
    for _ in range(2):
        stubber.add_response("describe_stack_events", {"StackEvents": [event("3")], "NextToken": "older"})
        stubber.add_response("describe_stack_events", {"StackEvents": [event("1", token="p-job-execute-1")]})
    assert cfn.has_event_of(client, "arn", "p-job-execute-1")
    assert not cfn.has_event_of(client, "arn", "another")


def test_reasons_that_cannot_be_had_are_none(stubbed):
    client, stubber = stubbed
    stubber.add_client_error("describe_events", "AccessDenied", "not authorized")
    assert cfn.failed_checks(client, StackName="arn") == []


def event(number, token=None):
    from datetime import UTC, datetime

    found = {
        "StackId": "arn", "EventId": number, "StackName": "s", "LogicalResourceId": "Queue",
        "Timestamp": datetime(2026, 11, 23, tzinfo=UTC),
    }  # fmt: skip
    return found | ({"ClientRequestToken": token} if token else {})


@pytest.mark.parametrize(
    "reason",
    ["The submitted information didn't contain changes. Submit different information to create a change set.",
     "No updates are to be performed."],
)  # fmt: skip
def test_an_empty_change_set_is_known_by_its_words(reason):
    assert cfn.ChangeSet("a", "b", "FAILED", "UNAVAILABLE", reason).is_empty
    assert not cfn.ChangeSet("a", "b", "FAILED", "UNAVAILABLE", "Transform failed").is_empty
    assert not cfn.ChangeSet("a", "b", "CREATE_COMPLETE", "AVAILABLE", "").is_empty


@pytest.mark.parametrize(
    ("status", "execution", "outdated"),
    [
        ("CREATE_COMPLETE", "AVAILABLE", False),
        ("CREATE_COMPLETE", "OBSOLETE", True),
        ("CREATE_COMPLETE", "UNAVAILABLE", True),
        ("CREATE_IN_PROGRESS", "UNAVAILABLE", False),
        ("CREATE_COMPLETE", "EXECUTE_IN_PROGRESS", False),
        ("CREATE_COMPLETE", "EXECUTE_COMPLETE", False),
    ],
)
def test_a_change_set_that_no_longer_fits_is_known(status, execution, outdated):
    assert cfn.ChangeSet("a", "b", status, execution, "").is_outdated == outdated
