"""What is known after a run, from four sides: the client, the cloud, the database's rows, the database's own log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.calls import Call
from tests.chaos.history import Entry


@dataclass(frozen=True)
class JobRow:
    """A job as it stands at the end."""

    id: int
    ref: str
    kind: str
    status: str
    stack_id: int
    key: str | None
    failure: Mapping[str, Any] | None
    lease_owner: str | None
    lease_until: datetime | None
    next_run_at: datetime | None


@dataclass(frozen=True)
class StackRow:
    """A stack as it stands at the end."""

    id: int
    ref: str
    status: str
    cloud_name: str
    cloud_id: str | None
    cloud_status: str | None = None
    status_reason: str = ""


@dataclass(frozen=True)
class AuditRow:
    """An entry about a stack, written since the watch began."""

    action: str
    ref: str


@dataclass(frozen=True)
class JobChange:
    """One write to a job, as a trigger saw it; `old_…` is empty for the row's first. `writer` is the connection."""

    id: int
    at: datetime
    job_id: int
    old_status: str | None
    new_status: str
    old_fence: int | None
    new_fence: int
    old_owner: str | None
    lease_owner: str | None
    old_lease_until: datetime | None
    writer: str


@dataclass(frozen=True)
class StackChange:
    """One change of a stack's status, as a trigger saw it."""

    id: int
    at: datetime
    stack_id: int
    old_status: str | None
    new_status: str


@dataclass(frozen=True)
class CloudEvent:
    """An event of a stack itself (not of its resources), in the cloud's order."""

    status: str
    token: str = ""


@dataclass(frozen=True)
class CloudStack:
    """A stack as the cloud knows it at the end, deleted ones included as far as it remembers them."""

    name: str
    id: str
    status: str
    tag_ref: str = ""
    events: tuple[CloudEvent, ...] = ()

    @property
    def is_live(self) -> bool:
        return self.status != "DELETE_COMPLETE"


@dataclass(frozen=True)
class Evidence:
    """All that the checker looks at. `now` is the database's time; `foreign` names stacks that are not Slipway's."""

    now: datetime
    history: Sequence[Entry] = ()
    calls: Sequence[Call] = ()
    cloud: Sequence[CloudStack] = ()
    jobs: Sequence[JobRow] = ()
    stacks: Sequence[StackRow] = ()
    audit: Sequence[AuditRow] = ()
    job_log: Sequence[JobChange] = ()
    stack_log: Sequence[StackChange] = ()
    foreign: frozenset[str] = frozenset()
    canaries: Sequence[str] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    # How long a runnable job may lie, at the end of a run, before it counts as stuck.
    grace_seconds: float = 60
