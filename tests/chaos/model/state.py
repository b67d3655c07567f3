"""What the cloud knows: stacks with their past and their future, resources, events, change sets."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.chaos.model.template import NOTHING, Change, Outline, outline

STACK_TYPE = "AWS::CloudFormation::Stack"
# From here on the stack is what was asked for, whatever is still to be cleaned up or mended.
_ARRIVED = {"CREATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE"}
_HALF_ARRIVED = {"CREATE_FAILED", "UPDATE_FAILED"}
# From here on the stack holds what its template names; what could not be removed is left behind, no longer its own.
_TIDY = {"UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"}


class Moment(NamedTuple):
    """Something that will happen: to a resource, or to the stack where no resource is named."""

    at: float
    logical_id: str
    status: str
    reason: str = ""


class Event(NamedTuple):
    """Something that has happened, as DescribeStackEvents tells it."""

    at: float
    event_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    token: str


@dataclass(slots=True)
class Resource:
    """A resource of a stack, also one that is gone."""

    logical_id: str
    type: str
    physical_id: str
    status: str
    reason: str
    at: float


@dataclass(slots=True, eq=False)
class ChangeSet:
    """A change set. What its statuses were at a time follows from the times."""

    id: str
    name: str
    stack: "Stack"
    kind: str
    token: str
    created_at: float
    ready_at: float
    body: str
    parameters: dict[str, str]
    tags: dict[str, str]
    changes: tuple[Change, ...]
    is_rolled_back: bool = True
    is_forgotten: bool = False
    failure: str = ""
    executed_at: float | None = None
    ended_at: float | None = None
    ended_well: bool = False
    obsolete_at: float | None = None
    deleted_at: float | None = None

    def is_there(self, at: float) -> bool:
        return self.created_at <= at and not is_past(self.deleted_at, at)

    def status(self, at: float) -> str:
        if at < self.ready_at:
            return "CREATE_PENDING" if at < (self.created_at + self.ready_at) / 2 else "CREATE_IN_PROGRESS"
        return "FAILED" if self.failure else "CREATE_COMPLETE"

    def execution_status(self, at: float) -> str:
        if is_past(self.ended_at, at):
            return "EXECUTE_COMPLETE" if self.ended_well else "EXECUTE_FAILED"
        if is_past(self.executed_at, at):
            return "EXECUTE_IN_PROGRESS"
        if is_past(self.obsolete_at, at):
            return "OBSOLETE"
        return "AVAILABLE" if self.status(at) == "CREATE_COMPLETE" else "UNAVAILABLE"

    def end(self, at: float, well: bool) -> None:
        """The operation it began is over; a forgotten one cannot be described from here on."""
        if self.ended_at is None:
            self.ended_at, self.ended_well = at, well
            self.deleted_at = at if self.is_forgotten else None


def is_past(moment: float | None, at: float) -> bool:
    return moment is not None and moment <= at


@dataclass(slots=True)
class Operation:
    """What is being done to a stack: under which token, and what it should become."""

    token: str
    changes: tuple[Change, ...] = ()
    body: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    change_set: ChangeSet | None = None


@dataclass(slots=True, eq=False)
class Stack:
    """A stack; `timeline` is what will happen to it, the next moment last."""

    id: str
    name: str
    created_at: float
    body: str = ""
    parameters: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    status: str = ""
    reason: str = ""
    is_protected: bool = False
    is_rolled_back: bool = True
    updated_at: float | None = None
    deleted_at: float | None = None
    outputs: dict[str, str] = field(default_factory=dict)
    outputs_at: float = float("inf")
    operation: Operation = field(default_factory=lambda: Operation(""))
    timeline: list[Moment] = field(default_factory=list)
    history: list[tuple[float, str, str]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def is_moving(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def status_at(self, at: float) -> tuple[str, str]:
        """Return status and reason as they were; before the stack was made both are empty."""
        for since, status, reason in reversed(self.history):
            if since <= at:
                return status, reason
        return "", ""

    def outline(self) -> Outline:
        return outline(self.body) if self.body else NOTHING

    def holds(self) -> list[Resource]:
        """Return the resources that exist."""
        return [each for each in self.resources.values() if each.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")]

    def advance(self, now: float) -> None:
        """Let everything happen whose time has come."""
        while self.timeline and self.timeline[-1].at <= now:
            moment = self.timeline.pop()
            if moment.logical_id:
                self._touch(moment)
            else:
                self.turn(moment.at, moment.status, moment.reason)

    def turn(self, at: float, status: str, reason: str = "") -> None:
        """Bring the stack itself into a status."""
        self.status, self.reason = status, reason
        self.history.append((at, status, reason))
        self._record(at, self.name, self.id, STACK_TYPE, status, reason)
        if status in _ARRIVED or status in _HALF_ARRIVED:
            self._take_over(at)
        if status in _TIDY:
            named = self.outline().types
            self.resources = {name: each for name, each in self.resources.items() if name in named}
        if status == "DELETE_COMPLETE":
            self.deleted_at = at
        if self.operation.change_set and (status in _ARRIVED or not status.endswith("_IN_PROGRESS")):
            self.operation.change_set.end(at, status in _ARRIVED)

    def _take_over(self, at: float) -> None:
        asked = self.operation
        if asked.body is not None:
            self.body, self.parameters, self.tags = asked.body, asked.parameters, asked.tags
        self.outputs = {name: f"{name} of {self.name}" for name in self.outline().outputs}
        self.outputs_at = at

    def _touch(self, moment: Moment) -> None:
        resource = self.resources[moment.logical_id]
        resource.status, resource.reason, resource.at = moment.status, moment.reason, moment.at
        if moment.status == "CREATE_IN_PROGRESS":
            # CloudFormation tells the start of a creation twice: before and after the resource has an id.
            resource.physical_id = f"{self.name}-{moment.logical_id}-{self.id[-12:]}" if moment.reason else ""
        self._record(moment.at, moment.logical_id, resource.physical_id, resource.type, moment.status, moment.reason)

    def _record(self, at: float, logical_id: str, physical_id: str, kind: str, status: str, reason: str) -> None:
        event_id = f"{logical_id}-{status}-{self.id[-12:]}-{len(self.events)}"
        self.events.append(Event(at, event_id, logical_id, physical_id, kind, status, reason, self.operation.token))
