"""AWS error codes turned into ours, in one place."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
)
from botocore.parsers import ResponseParserError

from app.errors import Problem


class CloudProblem(Problem):
    """The cloud said no; `code` is its word for it."""

    status = 502
    title = "The cloud refused"

    def __init__(self, sentence: str, code: str = ""):
        super().__init__(sentence)
        self.code = code


class Throttled(CloudProblem):
    """Too many calls; wait and ask again."""

    patience = math.inf


class NoAnswer(CloudProblem):
    """Nothing came back, so whether the call happened is not known: look before acting again."""

    patience = math.inf


class Denied(CloudProblem):
    """The role may not do this."""


class Expired(Denied):
    """The credentials are no longer good; the client that held them is forgotten, so asking again takes fresh ones."""

    patience = 1


class RoleNotReady(Denied):
    """The role cannot be assumed; a new one takes up to half a minute until every part of AWS knows it."""

    patience = 5


class NotThere(CloudProblem):
    """The thing does not exist (any more)."""


class AlreadyThere(CloudProblem):
    """A thing of this name or a call with this token exists already."""


class NothingToDo(CloudProblem):
    """The request would change nothing."""


class WrongState(CloudProblem):
    """The thing is in a state that does not permit this."""


class Refused(CloudProblem):
    """The request itself is wrong: the sentence is the cloud's own."""


# Also what makes a client drop its credentials: see `aws.clients`.
EXPIRED = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "RequestExpired",
}
_THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "SignatureDoesNotMatch",
}
_NOT_THERE = {"ChangeSetNotFound", "StackNotFoundException", "ResourceNotFoundException", "NoSuchEntity"}
_ALREADY = {"AlreadyExistsException", "TokenAlreadyExistsException"}
_WRONG_STATE = {"InvalidChangeSetStatus", "InvalidOperationException", "OperationInProgressException"}
# CloudFormation has no code for these: "Stack … is in X state and can not be updated", "… cannot be called from current
# stack status".
_WRONG_STATE_WORDS = (" state and can", "current stack status")
_NO_ANSWER = {"InternalFailure", "InternalError", "ServiceUnavailable", "RequestTimeout", "500", "502", "503", "504"}
_LOST_ON_THE_WAY = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)


def translate(error: ClientError) -> CloudProblem:
    """Return our word for an AWS error; ValidationError hides several and is told apart by its message."""
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", "")) or "no reason given"
    if code in _THROTTLED:
        return Throttled("The cloud asks for fewer calls.", code)
    if code in EXPIRED:
        return Expired(f"The launch role's credentials are not accepted: {message}", code)
    if "cannot be assumed" in message or (code in _DENIED and error.operation_name == "AssumeRole"):
        return RoleNotReady(f"The launch role cannot be assumed: {message}", code)
    if code in _DENIED:
        return Denied(f"The launch role may not do this: {message}", code)
    if code in _NOT_THERE or "does not exist" in message:
        return NotThere(message, code)
    if code in _ALREADY:
        return AlreadyThere(message, code)
    if code in _WRONG_STATE or any(words in message for words in _WRONG_STATE_WORDS):
        return WrongState(message, code)
    if "No updates are to be performed" in message or "didn't contain changes" in message:
        return NothingToDo(message, code)
    if code in _NO_ANSWER or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return NoAnswer("The cloud failed to answer.", code)
    return Refused(message, code)


@contextmanager
def translated() -> Iterator[None]:
    """Raise our errors for boto3's."""
    try:
        yield
    except ClientError as error:
        raise translate(error) from error
    except _LOST_ON_THE_WAY as error:
        raise NoAnswer(f"The cloud cannot be reached ({type(error).__name__}).", type(error).__name__) from error
    except NoCredentialsError as error:
        raise Denied("Slipway has no AWS credentials of its own to assume the launch role with.") from error
    except BotoCoreError as error:
        # Refused before anything was sent: no use in asking again.
        raise Refused(str(error), type(error).__name__) from error
