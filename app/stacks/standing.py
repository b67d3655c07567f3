"""What to do when a stack stands like this: one table of CloudFormation's statuses and everything a job may want.

Nothing here asks anybody. The table has no default: a status it does not list stops the job that met it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Start(StrEnum):
    """A new stack is wanted, and our own mark was found on what lies under its name."""

    CREATE = "create"
    # What an earlier try left and was never healthy: delete it, wait until it is gone, then create.
    CLEAR = "clear"
    # The same, but a deletion has failed before: only so many times.
    CLEAR_AGAIN = "clear_again"
    WAIT = "wait"
    # It is or was up: nothing that may hold data is removed to make room. A person decides.
    CAME_UP = "came_up"


class Change(StrEnum):
    """An existing stack is to become something else."""

    PLAN = "plan"
    # A rollback got stuck: continue it, on the root stack, wait, then plan.
    CONTINUE_ROLLBACK = "continue_rollback"
    # Somebody else is at it, or the last change is still being tidied up after.
    WAIT = "wait"
    # CloudFormation changes no stack that stands like this.
    REFUSE = "refuse"
    LOST = "lost"


class Delete(StrEnum):
    """The stack is to go."""

    DELETE = "delete"
    # A deletion has failed before: ask again; which resource is in the way is shown, retaining it is for a person.
    DELETE_AGAIN = "delete_again"
    # It goes already, whoever asked.
    FOLLOW = "follow"
    # CloudFormation refuses to delete it before it has settled.
    WAIT = "wait"
    GONE = "gone"


class Follow(StrEnum):
    """What a job that asked for something sees: after a look, a wait or a crash."""

    GOES_ON = "goes_on"
    # What was asked for is there; what it replaced is still being removed, so the next change has to wait.
    TIDIES = "tidies"
    # No end this job can have reached: the reading is older than the request, the request never arrived, or the cloud
    # took it back: a deletion whose exports are in use leaves the stack as it stood. The events tell which.
    STALE = "stale"
    # Not found. Soon after the request it may be too young to be known; told often enough, it is gone.
    UNSEEN = "unseen"
    # Ended as asked. Of an update this may be the end of the one before: its change set tells.
    DONE = "done"
    # Ended as it was before the job; whether that was asked for, the job knows.
    UNDONE = "undone"
    FAILED = "failed"
    # Deleted by somebody else.
    GONE = "gone"


class Cancel(StrEnum):
    """What this job's change set has begun is to be undone. Where nothing was executed, nothing needs undoing."""

    # Nothing has begun: the change set goes, and with it the empty stack of a create.
    DISCARD = "discard"
    DELETE = "delete"
    # Ask for the update to be cancelled. Readings lag behind, so the cloud's own "too late" is what counts.
    TURN_BACK = "turn_back"
    # It is on its way back or out by itself; look again.
    WAIT = "wait"
    # Nothing can be undone any more: follow the job to its own end.
    TOO_LATE = "too_late"
    NOTHING_LEFT = "nothing_left"


# After this many looks in a row "not found" is believed, and a stale reading is asked about.
LOOKS_BEFORE_BELIEVING = 5


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One row: what is wanted, what a job of each kind sees, what undoing a create or an update takes."""

    start: Start
    change: Change
    delete: Delete
    creating: Follow
    updating: Follow
    deleting: Follow
    cancel_create: Cancel
    cancel_update: Cancel

    def seen_by(self, kind: str) -> Follow:
        """Return what a job of this kind sees: create, update or delete."""
        return {"create": self.creating, "update": self.updating, "delete": self.deleting}[kind]

    def cancelling(self, kind: str) -> Cancel:
        """Return how to undo a create or an update. A deletion knows no way back."""
        return {"create": self.cancel_create, "update": self.cancel_update}[kind]


class UnknownStatus(LookupError):
    """CloudFormation has a status this table does not list."""


def standing(status: str | None) -> Standing:
    """Return the row of a status; None is a stack that was not found. Raises UnknownStatus."""
    try:
        return STANDINGS[status]
    except KeyError:
        raise UnknownStatus(f"CloudFormation reports {status}, a state Slipway has no answer to.") from None


# Sources: the StackStatus enum of the CloudFormation API, and what AWS's own clients do in each state.
# fmt: off
STANDINGS: dict[str | None, Standing] = {
    # Not found. By id this is old history or too young to be known; by name it proves nothing.
    None: Standing(
        start=Start.CREATE, change=Change.LOST, delete=Delete.GONE,
        creating=Follow.UNSEEN, updating=Follow.UNSEEN, deleting=Follow.DONE,
        cancel_create=Cancel.NOTHING_LEFT, cancel_update=Cancel.NOTHING_LEFT,
    ),
    # No stack yet, only a change set of one. After its execution this is an old reading.
    "REVIEW_IN_PROGRESS": Standing(
        start=Start.CLEAR, change=Change.REFUSE, delete=Delete.DELETE,
        creating=Follow.STALE, updating=Follow.STALE, deleting=Follow.STALE,
        cancel_create=Cancel.DISCARD, cancel_update=Cancel.DISCARD,
    ),
    "CREATE_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.DELETE,
        creating=Follow.GOES_ON, updating=Follow.STALE, deleting=Follow.STALE,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.WAIT,
    ),
    "CREATE_COMPLETE": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.DONE, updating=Follow.STALE, deleting=Follow.STALE,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.TURN_BACK,
    ),
    "CREATE_FAILED": Standing(
        start=Start.CLEAR, change=Change.REFUSE, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.TOO_LATE,
    ),
    # Its own rollback first: then it can be deleted.
    "ROLLBACK_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.WAIT, cancel_update=Cancel.WAIT,
    ),
    "ROLLBACK_COMPLETE": Standing(
        start=Start.CLEAR, change=Change.REFUSE, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.TOO_LATE,
    ),
    "ROLLBACK_FAILED": Standing(
        start=Start.CLEAR, change=Change.REFUSE, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.TOO_LATE,
    ),
    # Somebody changes what a create has just made: it is up, and no longer the create's to remove.
    "UPDATE_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    # Good for the person, not yet free for the next change.
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.TIDIES, updating=Follow.TIDIES, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TOO_LATE,
    ),
    "UPDATE_COMPLETE": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.DONE, updating=Follow.DONE, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    # Only where rollback was switched off: it can be changed from here.
    "UPDATE_FAILED": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    "UPDATE_ROLLBACK_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.WAIT,
    ),
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.WAIT,
    ),
    "UPDATE_ROLLBACK_COMPLETE": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.UNDONE, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    "UPDATE_ROLLBACK_FAILED": Standing(
        start=Start.CAME_UP, change=Change.CONTINUE_ROLLBACK, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TOO_LATE,
    ),
    # Slipway imports nothing, so an import is somebody else's, or how the stack stood before our change.
    "IMPORT_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.WAIT,
    ),
    "IMPORT_COMPLETE": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.DONE, updating=Follow.STALE, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    "IMPORT_ROLLBACK_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.WAIT,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.WAIT,
    ),
    "IMPORT_ROLLBACK_COMPLETE": Standing(
        start=Start.CAME_UP, change=Change.PLAN, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.STALE, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TURN_BACK,
    ),
    "IMPORT_ROLLBACK_FAILED": Standing(
        start=Start.CAME_UP, change=Change.REFUSE, delete=Delete.DELETE,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.STALE,
        cancel_create=Cancel.TOO_LATE, cancel_update=Cancel.TOO_LATE,
    ),
    "DELETE_IN_PROGRESS": Standing(
        start=Start.WAIT, change=Change.WAIT, delete=Delete.FOLLOW,
        creating=Follow.GOES_ON, updating=Follow.GOES_ON, deleting=Follow.GOES_ON,
        cancel_create=Cancel.WAIT, cancel_update=Cancel.TOO_LATE,
    ),
    # Of a deletion asked for just now this may be how the one before ended.
    "DELETE_FAILED": Standing(
        start=Start.CLEAR_AGAIN, change=Change.REFUSE, delete=Delete.DELETE_AGAIN,
        creating=Follow.FAILED, updating=Follow.FAILED, deleting=Follow.FAILED,
        cancel_create=Cancel.DELETE, cancel_update=Cancel.TOO_LATE,
    ),
    # Only a look by id finds this; the name is free again.
    "DELETE_COMPLETE": Standing(
        start=Start.CREATE, change=Change.LOST, delete=Delete.GONE,
        creating=Follow.UNDONE, updating=Follow.GONE, deleting=Follow.DONE,
        cancel_create=Cancel.NOTHING_LEFT, cancel_update=Cancel.NOTHING_LEFT,
    ),
}
# fmt: on
