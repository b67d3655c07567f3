"""What states a stack goes through, and what each of CloudFormation's 23 statuses means for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import update

from app import audit, clock, db
from app.errors import Conflict

if TYPE_CHECKING:
    from app.identity.models import Person
    from app.stacks.models import Stack


class StackStatus(StrEnum):
    CREATING = "creating"
    READY = "ready"
    UPDATING = "updating"
    TAINTED = "tainted"
    DEGRADED = "degraded"
    FAILED = "failed"
    DELETING = "deleting"
    DELETE_FAILED = "delete_failed"
    LOST = "lost"
    DELETED = "deleted"


# The worse the higher; what moves comes after what needs somebody, healthy and gone come last.
RANK = {
    status: position
    for position, status in enumerate(
        (
            StackStatus.DELETED,
            StackStatus.READY,
            StackStatus.DELETING,
            StackStatus.UPDATING,
            StackStatus.CREATING,
            StackStatus.LOST,
            StackStatus.TAINTED,
            StackStatus.DEGRADED,
            StackStatus.DELETE_FAILED,
            StackStatus.FAILED,
        )
    )
}

IN_TROUBLE = (
    StackStatus.FAILED,
    StackStatus.DELETE_FAILED,
    StackStatus.DEGRADED,
    StackStatus.TAINTED,
    StackStatus.LOST,
)
MOVING = (StackStatus.CREATING, StackStatus.UPDATING, StackStatus.DELETING)
LIVE = tuple(status for status in StackStatus if status is not StackStatus.DELETED)


@dataclass(frozen=True)
class Transition:
    """A named move of a stack from one of some states to another."""

    name: str
    sources: frozenset[StackStatus]
    target: StackStatus


def _move(name: str, sources: Iterable[StackStatus], target: StackStatus) -> Transition:
    return Transition(name, frozenset(sources), target)


_STEADY = {StackStatus.READY, StackStatus.TAINTED, StackStatus.DEGRADED}

RETRY = _move("be launched again", {StackStatus.FAILED}, StackStatus.CREATING)
COME_UP = _move("come up", {StackStatus.CREATING, StackStatus.UPDATING}, StackStatus.READY)
BREAK = _move("fail", {StackStatus.CREATING}, StackStatus.FAILED)
UPDATE = _move("be changed", _STEADY, StackStatus.UPDATING)
TAINT = _move("be tainted", {StackStatus.UPDATING}, StackStatus.TAINTED)
DEGRADE = _move("be degraded", {StackStatus.UPDATING}, StackStatus.DEGRADED)
DELETE = _move("be deleted", set(StackStatus) - {StackStatus.DELETED, StackStatus.DELETING}, StackStatus.DELETING)
GONE = _move("be gone", {StackStatus.DELETING, StackStatus.CREATING}, StackStatus.DELETED)
STICK = _move("resist deletion", {StackStatus.DELETING}, StackStatus.DELETE_FAILED)
LOSE = _move(
    "be lost", {*_STEADY, StackStatus.UPDATING, StackStatus.CREATING, StackStatus.DELETE_FAILED}, StackStatus.LOST
)

ACCEPT = _move("be accepted as it runs", {StackStatus.TAINTED}, StackStatus.READY)

# What somebody else did in the cloud, as far as it makes our status untrue. An update that was tried elsewhere and
# rolled back leaves what we asked for running, so a ready stack stays ready. A launch that was given up, or that an
# older backup began again, may have come up all the same.
FIND_READY = _move("be found ready", {StackStatus.LOST, StackStatus.FAILED}, StackStatus.READY)
FIND_TAINTED = _move("be found tainted", {StackStatus.LOST, StackStatus.DEGRADED}, StackStatus.TAINTED)
FIND_DEGRADED = _move(
    "be found degraded", {StackStatus.LOST, StackStatus.READY, StackStatus.TAINTED}, StackStatus.DEGRADED
)
FIND_UNDELETED = _move("be found half deleted", {StackStatus.LOST, *_STEADY}, StackStatus.DELETE_FAILED)
FINDS = {move.target: move for move in (FIND_READY, FIND_TAINTED, FIND_DEGRADED, FIND_UNDELETED)}

TRANSITIONS = (ACCEPT, RETRY, COME_UP, BREAK, UPDATE, TAINT, DEGRADE, DELETE, GONE, STICK, LOSE, *FINDS.values())


class InvalidTransition(Conflict):
    """The stack is no longer in a state from which this move is possible."""


def can(stack: "Stack", transition: Transition) -> bool:
    """Say whether the stack's state permits the move."""
    return stack.status in transition.sources


def apply(
    stack: "Stack", transition: Transition, reason: str = "", *, by: "Person | None" = None, **values: object
) -> None:
    """Move the stack, only if its status is still what the caller believes, and record it in the same transaction.

    Raises InvalidTransition when it is not.
    """
    model, before = type(stack), stack.status
    query = update(model).where(model.id == stack.id, model.status.in_(transition.sources))
    target = transition.target
    if target is StackStatus.DELETED:
        values.setdefault("deleted_at", clock.now())
    query = query.values(status=target, rank=RANK[target], status_reason=reason[:500], **values)
    if db.count_changed(db.session.execute(query)) == 0:
        raise InvalidTransition(f"{stack.name} is {before} and can no longer {transition.name}.")
    db.session.refresh(stack)
    audit.record(
        f"stack:{target}",
        "stack",
        stack.ref,
        f"{stack.name} is {target}. {reason}".strip(),
        by=by,
        before={"status": before},
        after={"status": target},
    )


@dataclass(frozen=True)
class Meaning:
    """What a CloudFormation status means: our status, whether it still moves, and what a person should do next."""

    status: StackStatus
    moves: bool
    next_action: str


def _settled(status: StackStatus, next_action: str = "") -> Meaning:
    return Meaning(status, False, next_action)


def _moving(status: StackStatus) -> Meaning:
    return Meaning(status, True, "")


# Source: the StackStatus enum of the CloudFormation API (botocore service model) and shared design of the status map.
MEANINGS = {
    "REVIEW_IN_PROGRESS": _moving(StackStatus.CREATING),
    "CREATE_IN_PROGRESS": _moving(StackStatus.CREATING),
    "CREATE_COMPLETE": _settled(StackStatus.READY),
    "CREATE_FAILED": _settled(StackStatus.FAILED, "Try again, or delete it."),
    "ROLLBACK_IN_PROGRESS": _moving(StackStatus.FAILED),
    "ROLLBACK_COMPLETE": _settled(StackStatus.FAILED, "Change the answers and try again, or delete it."),
    "ROLLBACK_FAILED": _settled(StackStatus.FAILED, "Delete it; what blocks it is named below."),
    "UPDATE_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "UPDATE_COMPLETE": _settled(StackStatus.READY),
    "UPDATE_FAILED": _settled(StackStatus.DEGRADED, "Fix the cause and plan again."),
    "UPDATE_ROLLBACK_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "UPDATE_ROLLBACK_COMPLETE": _settled(StackStatus.TAINTED, "Fix the cause and plan again, or keep what runs."),
    "UPDATE_ROLLBACK_FAILED": _settled(StackStatus.DEGRADED, "Ask the platform team to continue the rollback."),
    "IMPORT_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "IMPORT_COMPLETE": _settled(StackStatus.READY),
    "IMPORT_ROLLBACK_IN_PROGRESS": _moving(StackStatus.UPDATING),
    "IMPORT_ROLLBACK_COMPLETE": _settled(StackStatus.TAINTED, "Fix the cause and plan again, or keep what runs."),
    "IMPORT_ROLLBACK_FAILED": _settled(StackStatus.DEGRADED, "Ask the platform team: this needs the AWS console."),
    "DELETE_IN_PROGRESS": _moving(StackStatus.DELETING),
    "DELETE_FAILED": _settled(StackStatus.DELETE_FAILED, "Remove what blocks it, then delete again."),
    "DELETE_COMPLETE": _settled(StackStatus.DELETED),
}
