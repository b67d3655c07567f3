"""The first cause of a failure where it lies in a nested stack, whose events only the nested stack itself has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.aws import cloudformation as cfn
from app.aws.errors import CloudProblem
from app.stacks import causes
from app.stacks.causes import Nestable

DEEPEST = 5
MOST_STACKS = 20


@dataclass(frozen=True)
class Cause:
    """What failed first, the nested stacks it lies in (outermost first), and what our own stack shows of it."""

    event: Nestable
    inside: tuple[str, ...]
    seen_as: Nestable


def first_cause_of(client: Any, cloud_id: str, events: Iterable[Nestable]) -> Cause | None:
    """Return the earliest failure of a stack's job that explains the others, wherever it lies.

    `events` are the job's, of the stack with this id, oldest first. None when they hold only consequences. At most
    five levels and twenty stacks are looked into; of what cannot be read or lies deeper, the nested stack's own
    failure is told. Raises what waiting heals, such as Throttled: asking again later gives the better answer.
    """
    return _Search(client).through(events, cloud_id, ())


class _Search:
    """One search, depth first and in order of time, and how many nested stacks it has read."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.read = 0

    def through(self, events: Iterable[Nestable], cloud_id: str, inside: tuple[str, ...]) -> Cause | None:
        """Return the first suspect that is a cause; a nested stack that tells nothing only when nobody else does."""
        silent: Cause | None = None
        for event in causes.suspects(events, cloud_id):
            if not causes.is_nested_failure(event):
                return Cause(event, inside, event)
            within = self.through(self._events_in(event, inside), event.physical_id, (*inside, event.logical_id))
            if within and not causes.is_nested_failure(within.event):
                return Cause(within.event, within.inside, event)
            silent = silent or Cause(within.event if within else event, within.inside if within else inside, event)
        return silent

    def _events_in(self, event: Nestable, inside: tuple[str, ...]) -> Sequence[cfn.Event]:
        if len(inside) == DEEPEST or self.read == MOST_STACKS:
            return []
        self.read += 1
        try:
            found = cfn.events_since(self.client, event.physical_id, None)
        except CloudProblem as problem:
            if problem.patience:
                raise
            return []
        return _of_the_operation(found, event)


def _of_the_operation(events: Sequence[cfn.Event], failed: Nestable) -> Sequence[cfn.Event]:
    """Leave out what earlier operations on the nested stack wrote; the way back afterwards comes later anyhow."""
    begun = failed.status.removesuffix("_FAILED") + "_IN_PROGRESS"
    starts = [
        position
        for position, event in enumerate(events)
        if event.status == begun and causes.is_about(event, failed.physical_id)
    ]
    return events[starts[-1] :] if starts else events
