"""What states a stack goes through, and what each of CloudFormation's 23 statuses means for it."""

from dataclasses import dataclass
from enum import StrEnum


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


# Worst first; what moves comes after what needs somebody, healthy and gone come last.
RANK = {
    status: position
    for position, status in enumerate(
        (
            StackStatus.FAILED,
            StackStatus.DELETE_FAILED,
            StackStatus.DEGRADED,
            StackStatus.TAINTED,
            StackStatus.LOST,
            StackStatus.CREATING,
            StackStatus.UPDATING,
            StackStatus.DELETING,
            StackStatus.READY,
            StackStatus.DELETED,
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
