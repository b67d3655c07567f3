"""What is truly known of one stack, each with its age: whether it is ready, current and lately observed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app import clock
from app.catalog.models import Version
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from app.status import look

# What was read longer ago than this is shown as old news, never as good news.
STALE = timedelta(days=1)


@dataclass(frozen=True)
class Condition:
    """One cell of the strip; `said` stands where an age means nothing."""

    name: str
    status: str
    href: str
    words: str | None = None
    at: datetime | None = None
    said: str | None = None
    stale: bool = False


def conditions_of(stack: Stack, newer: Version | None) -> list[Condition]:
    """Return the conditions of a stack that has been up; `newer` is a version it could move to."""
    return [_ready(stack), _current(stack, newer), _observed(stack)]


def is_stale(stack: Stack) -> bool:
    """Say whether what is known of the stack is old news."""
    return stack.observed_at is None or clock.now() - stack.observed_at > STALE


def _ready(stack: Stack) -> Condition:
    href = f"/stacks/{stack.ref}?tab=resources"
    if stack.status == StackStatus.READY and is_stale(stack):
        return Condition("Ready", "unknown", href, "Was ready", stack.observed_at, stale=True)
    if stack.status == StackStatus.READY:
        return Condition("Ready", "yes", href, at=stack.observed_at)
    return Condition("Ready", stack.status, href, look(stack.status).word, stack.observed_at, stale=is_stale(stack))


def _current(stack: Stack, newer: Version | None) -> Condition:
    href = f"/catalog/{stack.template.slug}?tab=versions"
    runs = f"runs v{(stack.running_version or stack.version).number}"
    if newer:
        return Condition("Current", "behind", href, f"v{newer.number} is out", said=runs)
    return Condition("Current", "yes", href, said=runs)


def _observed(stack: Stack) -> Condition:
    href = f"/stacks/{stack.ref}?tab=events"
    if stack.observed_at is None:
        return Condition("Observed", "unknown", href, "Not yet", said="the cloud was never asked", stale=True)
    if is_stale(stack):
        return Condition("Observed", "stale", href, at=stack.observed_at, stale=True)
    return Condition("Observed", "yes", href, at=stack.observed_at)
