"""The first cause of a failure: the earliest event that is not merely a consequence of another."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class Eventlike(Protocol):
    """What both the cloud's events and our rows of them have."""

    @property
    def logical_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Nestable(Eventlike, Protocol):
    """An event that also says which thing it is about: of a nested stack, the stack's id."""

    @property
    def physical_id(self) -> str: ...


STACK_TYPE = "AWS::CloudFormation::Stack"
_CANCELLED = ("Resource creation cancelled", "Resource update cancelled", "Resource deletion cancelled")
# What CloudFormation says of resources and stacks that failed because something else did.
_CONSEQUENCES = (
    *_CANCELLED,
    "Rollback requested",
    "The following resource(s) failed",
    "Embedded stack",
    "Delete requested",
    # Said by the stack; what it was that failed is told by the operation's own events.
    "Call DescribeEvents",
    "Validation failure detected",
)


@dataclass(frozen=True)
class Advice:
    """Words that a kind of reason is known by, what it means here and what to do about it."""

    pattern: re.Pattern[str]
    meaning: str
    advice: str


def _advice(pattern: str, meaning: str, advice: str) -> Advice:
    return Advice(re.compile(pattern, re.IGNORECASE), meaning, advice)


_WRONG_VALUE = "The cloud does not accept one of the values."
_CORRECT_IT = "Correct the answer that leads to it, and try again."

ADVICE = (
    _advice(
        r"already exists|AlreadyExists|BucketAlreadyOwned|name is not available|already in use",
        "The name is taken.",
        "Choose another name, or leave the name empty so that the cloud makes one.",
    ),
    _advice(
        r"not authorized|AccessDenied|UnauthorizedOperation|access denied|is not permitted",
        "The launch role may not do this.",
        "Ask the platform team to extend the launch role; trying again will not help before.",
    ),
    # Before those that look for a word: the value at fault may be called a timeout or a subnet.
    _advice(
        r"failed to satisfy constraint|validation failed",
        _WRONG_VALUE,
        _CORRECT_IT,
    ),
    _advice(
        r"limit ?exceeded|quota|maximum number of|too many",
        "The account has reached a limit.",
        "Delete what is no longer used, or ask the platform team to raise the limit.",
    ),
    _advice(
        r"capacity|InsufficientInstance",
        "The region has no room for this size right now.",
        "Try again in some minutes, or choose another size.",
    ),
    _advice(
        r"availability zone|zones|subnet",
        "The network answers do not fit together.",
        "Choose subnets of one VPC that lie in different zones.",
    ),
    _advice(
        r"\btimed out\b|\btime-?out\b|did not stabilize|failed to stabilize|exceeded attempts to wait",
        "It did not become healthy in time.",
        "Look at its own logs for the reason; then change the answers and try again.",
    ),
    _advice(
        r"no export named|not found|does not exist|cannot be found|NoSuch",
        "Something it refers to does not exist in this account and region.",
        "Check the names and ids among the answers, or launch what is missing first.",
    ),
    _advice(
        r"not empty",
        "It still holds data.",
        "Empty it first, then delete again.",
    ),
    _advice(
        r"invalid|validation|must be|malformed|not valid|constraint|out of range",
        _WRONG_VALUE,
        _CORRECT_IT,
    ),
)
NO_ADVICE = "Read the reason; if it says nothing to you, ask the template's support contact."


def is_consequence(event: Eventlike) -> bool:
    """Say whether an event failed only because something else did."""
    return any(words in event.reason for words in _CONSEQUENCES) or (event.type == STACK_TYPE and not event.reason)


def is_about(event: Nestable, cloud_id: str) -> bool:
    """Say whether an event is about this stack itself and not about one of its resources."""
    return event.type == STACK_TYPE and event.physical_id == cloud_id


def is_nested_failure(event: Nestable) -> bool:
    """Say whether a nested stack failed for a reason that only its own events tell."""
    is_stack = event.type == STACK_TYPE and event.physical_id.startswith("arn:")
    return is_stack and is_consequence(event) and not any(words in event.reason for words in _CANCELLED)


def suspects(events: Iterable[Nestable], cloud_id: str) -> list[Nestable]:
    """Return what may have failed first, in order: failures that are no consequence, and failed nested stacks.

    `cloud_id` is the stack the events, oldest first, belong to; what it says of itself is about its resources.
    """
    failed = [event for event in events if event.status.endswith("_FAILED") and not is_about(event, cloud_id)]
    return [event for event in failed if is_nested_failure(event) or not is_consequence(event)]


def first_cause(events: Iterable[Eventlike]) -> Eventlike | None:
    """Return the earliest failed event that explains the others. Events come oldest first."""
    failed = [event for event in events if event.status.endswith("_FAILED")]
    causes = [event for event in failed if not is_consequence(event)]
    return next(iter(causes or failed), None)


def explain(event: Eventlike | None, fallback: str = "", inside: Sequence[str] = ()) -> dict[str, Any]:
    """Return a failure in plain words: sentence, meaning, advice, and the raw reason with where it comes from.

    `inside` names the nested stacks it lies in, outermost first.
    """
    if event is None:
        reason = fallback or "CloudFormation gave no reason."
        return {**_words(reason), "sentence": reason, "reason": reason, "logical_id": "", "type": ""}
    verb = {"CREATE": "created", "UPDATE": "changed", "DELETE": "deleted"}.get(event.status.split("_")[0], "finished")
    words = _words(event.reason)
    name = " in ".join((event.logical_id, *reversed(inside)))
    sentence = f"{name} could not be {verb}. {words['meaning']}".strip()
    return {
        **words,
        "sentence": sentence,
        "reason": event.reason or fallback,
        "logical_id": event.logical_id,
        "type": event.type,
    }


def _words(reason: str) -> dict[str, str]:
    for known in ADVICE:
        if known.pattern.search(reason):
            return {"meaning": known.meaning, "advice": known.advice}
    return {"meaning": "", "advice": NO_ADVICE}


def others_failed(events: Sequence[Eventlike], cause: Eventlike | None) -> int:
    """Count the resources that failed after and because of the first cause."""
    return len(
        {
            event.logical_id
            for event in events
            if event.status.endswith("_FAILED") and cause and event.logical_id != cause.logical_id
        }
    )
