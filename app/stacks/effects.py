"""What the steps of a stack's jobs may ask for: looks at the cloud, deeds there, notes in our own rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.aws.cloudformation import ChangeSet, Event, StackState
from app.jobs.flows import Deed, Look, Note

# --- looks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FindStack(Look):
    """A stack by id (also a deleted one) or by name (live only), or None."""

    where: str


@dataclass(frozen=True)
class FindChangeSet(Look):
    """A change set by id, or by name on a stack, or None."""

    change_set: str
    stack: str | None = None


@dataclass(frozen=True)
class HasEventOf(Look):
    """Whether the stack knows an operation begun under this token."""

    where: str
    token: str


@dataclass(frozen=True)
class ReadEvents(Look):
    """The events nobody has written down yet, oldest first; None where they cannot be had right now."""

    cloud_id: str | None


@dataclass(frozen=True)
class ListResources(Look):
    """What the stack holds: logical_id, physical_id, type, status, reason."""

    cloud_id: str


@dataclass(frozen=True)
class HasFailedToDelete(Look):
    """Whether this job has seen a deletion fail; how an earlier one ended does not count."""


@dataclass(frozen=True)
class Explain(Look):
    """A failure in plain words: why the stack did not become what was asked."""

    state: StackState


@dataclass(frozen=True)
class ExplainChangeSet(Look):
    """A failure in plain words: why there is no plan."""

    change_set: ChangeSet


# --- deeds --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CreateChangeSet(Deed):
    """Ask for the job's change set."""


@dataclass(frozen=True)
class ExecuteChangeSet(Deed):
    """Start what the change set says."""

    change_set_id: str
    token: str


@dataclass(frozen=True)
class DeleteChangeSet(Deed):
    """Remove a change set that will not run."""

    change_set_id: str


@dataclass(frozen=True)
class DeleteStack(Deed):
    """Delete a stack; `retain` names resources that resisted and are to be left where they are."""

    where: str
    token: str
    retain: tuple[str, ...] = ()


@dataclass(frozen=True)
class CancelUpdate(Deed):
    """Have an update under way undone."""

    where: str
    token: str


@dataclass(frozen=True)
class ContinueRollback(Deed):
    """Go on with a rollback that got stuck; `skip` names resources it is to leave as they are."""

    where: str
    token: str
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protect(Deed):
    """Switch the cloud's own deletion protection."""

    cloud_id: str
    is_protected: bool


# --- notes --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CountTry(Note):
    """Something in the way is to be removed once more."""

    tries: int


@dataclass(frozen=True)
class CountUnseen(Note):
    """What may have begun was looked for once more and not found."""

    times: int


@dataclass(frozen=True)
class NoteCloudId(Note):
    """The cloud has given the stack an id."""

    cloud_id: str


@dataclass(frozen=True)
class WritePlan(Note):
    """Write the change set down in plain words; answers how many changes there are."""

    change_set: ChangeSet


@dataclass(frozen=True)
class ConfirmAhead(Note):
    """The yes that came with the request counts for this plan."""


@dataclass(frozen=True)
class TakeOver(Note):
    """From here on the stack is asked to be what the job says; until now nothing of it had changed."""


@dataclass(frozen=True)
class Observe(Note):
    """Write down what was seen; may be repeated with the same events."""

    state: StackState | None
    events: Sequence[Event]


@dataclass(frozen=True)
class NoteUndo(Note):
    """How the cloud answered the request to undo: it does, or why it will not."""

    refused: str = ""


@dataclass(frozen=True)
class Settle(Note):
    """What came out of it: outputs, resources and their ids."""

    state: StackState
    resources: Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Lose(Note):
    """The stack is gone from the cloud without us."""


@dataclass(frozen=True)
class TakeLeave(Note):
    """The stack goes. Its id is noted before the call: by id alone a deleted stack can still be read."""

    cloud_id: str | None


@dataclass(frozen=True)
class Keep(Note):
    """Forget what was deleted; answers how many resources were kept on purpose."""

    resources: Sequence[dict[str, Any]]
