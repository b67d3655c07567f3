"""AWS error codes turned into ours, in one place."""

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

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
    """The role may not do this. Denied a look, nothing is known about what was to be looked at."""


class Expired(Denied):
    """The credentials are no longer good; the client that held them is forgotten, so asking again takes fresh ones.

    Every worker process has its own, so a job that goes from one to the next may meet several that are too old.
    """

    patience = 5


class RoleNotReady(Denied):
    """The role cannot be assumed; a new one takes up to half a minute until every part of AWS knows it."""

    patience = 5


class NotThere(CloudProblem):
    """The thing does not exist: any more, or as far as this part of AWS has heard yet."""


class AlreadyThere(CloudProblem):
    """What was asked for exists already, by name or by token."""


class NameTaken(AlreadyThere):
    """A stack or change set of this name exists: whether it is ours has to be looked at."""


class AskedBefore(AlreadyThere):
    """A call with this token was taken before. Tokens are ours alone: an earlier try of the same step has won."""


class NothingToDo(CloudProblem):
    """The request would change nothing."""


class WrongState(CloudProblem):
    """The thing is in a state that does not permit this."""


class Protected(CloudProblem):
    """Termination protection is on: deleting takes switching it off first."""


class Outdated(WrongState):
    """The change set no longer fits the stack: a new plan is needed, and a new yes to it."""


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
# Also what makes a client slow down: see `aws.pace`. The first of these is CloudFormation's.
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    "SlowDown",
}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "SignatureDoesNotMatch"}
_NOT_THERE = {"ChangeSetNotFound", "StackNotFoundException", "ResourceNotFoundException", "NoSuchEntity"}
_WRONG_STATE = {"InvalidChangeSetStatus", "InvalidOperationException", "OperationInProgressException"}
_NO_ANSWER = {"InternalFailure", "InternalError", "ServiceUnavailable", "RequestTimeout", "RequestTimeoutException"}
_LOST_ON_THE_WAY = (ConnectionError, HTTPClientError, IncompleteReadError, ResponseParserError)


@dataclass(frozen=True)
class _Rule:
    """What an answer is known by, its code or words of its message, and what it means to us."""

    meaning: type[CloudProblem]
    codes: Collection[str] = ()
    words: Collection[str] = ()
    sentence: str = "{}"

    def fits(self, code: str, message: str) -> bool:
        return code in self.codes or any(words in message for words in self.words)


# The first that fits counts. CloudFormation has one code, ValidationError, for much of this: hence the words.
_RULES = (
    _Rule(Throttled, THROTTLED, sentence="The cloud asks for fewer calls."),
    _Rule(Expired, EXPIRED, sentence="The launch role's credentials are not accepted: {}"),
    _Rule(RoleNotReady, words={"cannot be assumed"}, sentence="The launch role cannot be assumed: {}"),
    _Rule(Denied, _DENIED, sentence="The launch role may not do this: {}"),
    _Rule(NotThere, _NOT_THERE, {"does not exist"}),
    _Rule(AskedBefore, {"TokenAlreadyExistsException"}),
    _Rule(NameTaken, {"AlreadyExistsException"}),
    _Rule(Protected, words={"TerminationProtection is enabled"}),
    _Rule(Outdated, words={"[OBSOLETE]"}),
    _Rule(WrongState, _WRONG_STATE, {" state and can", "current stack status", "cannot be deleted while in status"}),
    _Rule(NothingToDo, words={"No updates are to be performed", "didn't contain changes"}),
    _Rule(NoAnswer, _NO_ANSWER, sentence="The cloud failed to answer."),
    _Rule(Refused, words={""}),
)


def translate(error: ClientError) -> CloudProblem:
    """Return our word for an AWS error."""
    details = error.response.get("Error", {})
    code, message = str(details.get("Code", "")), str(details.get("Message", "")) or "no reason given"
    if code in _DENIED and error.operation_name == "AssumeRole":
        return RoleNotReady(f"The launch role cannot be assumed: {message}", code)
    rule = next(rule for rule in _RULES if rule.fits(code, message))
    if rule.meaning is Refused and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return NoAnswer("The cloud failed to answer.", code)
    return rule.meaning(rule.sentence.replace("{}", message), code)


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
