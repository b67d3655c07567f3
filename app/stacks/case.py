"""What a step is told before it decides: a job, its stack and its plan, as they stood when the step began."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.jobs.flows import Again, Watch
from app.stacks.lifecycle import StackStatus

# A stack nobody brought news of for this long is looked at anyhow.
UNWATCHED_SECONDS = 600.0


@dataclass(frozen=True)
class PlanFacts:
    """The change set somebody may have said yes to."""

    change_set_id: str
    is_confirmed: bool = False
    loses_data: bool = False


@dataclass(frozen=True)
class Case:
    """One look at one job. `job` and `stack` are refs; `looks` counts how often this step has begun.

    `tries`: how often something that stood in the way has been tried to remove. `refused`: why the cloud will not undo.
    `place`: account and region. `pace`: seconds between two looks at a moving stack.
    """

    job: str
    kind: str
    stack: str
    cloud_name: str
    cloud_id: str | None
    status: StackStatus
    is_protected: bool = False
    plan: PlanFacts | None = None
    generation: int = 1
    is_repeat: bool = False
    looks: int = 1
    wants_cancel: bool = False
    tries: int = 0
    is_undoing: bool = False
    refused: str = ""
    is_confirmed: bool = False
    retains: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    place: str = ""
    pace: float = 1.0

    @property
    def where(self) -> str:
        """The stack's id, which stays its own for ever, or its name where the id is not known yet."""
        return self.cloud_id or self.cloud_name

    @property
    def is_to_be_undone(self) -> bool:
        """Whether an end as it was before is what was asked for, heard or not; a refusal ends that wish."""
        return self.is_undoing or (self.wants_cancel and not self.refused)

    @property
    def change_set_name(self) -> str:
        return self.token("plan")

    @property
    def watch(self) -> Watch | None:
        """What brings news of the stack; without its id nothing does."""
        return Watch(self.place, self.cloud_id) if self.cloud_id else None

    def wait(self, note: str = "") -> Again:
        """Wait until the cloud has moved on. Whoever watches the place looks at all its stacks at once."""
        if self.watch is None:
            return Again(self.pace, note)
        return Again(max(self.pace, UNWATCHED_SECONDS), note, self.watch)

    def token(self, step: str) -> str:
        return token(self.job, step, self.generation)

    def is_ours(self, tags: Mapping[str, str]) -> bool:
        return is_ours(self.stack, tags)

    def with_(self, **changes: Any) -> "Case":
        return replace(self, **changes)


def token(job: str, step: str, generation: int = 1) -> str:
    """Return the client request token of a step: the same after a crash, so that a repeated call changes nothing."""
    return f"p-{job.replace('_', '-')}-{step}-{generation}"


def is_ours(stack: str, tags: Mapping[str, str]) -> bool:
    """Say whether a stack found in the cloud carries this stack's mark; nothing else is ever touched."""
    return tags.get("slipway:stack") == stack
