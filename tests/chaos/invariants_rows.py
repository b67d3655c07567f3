"""What must hold among the database's own rows and the log its triggers kept."""

import base64
import urllib.parse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from app.jobs.lifecycle import TRANSITIONS as JOB_TRANSITIONS
from app.stacks.lifecycle import TRANSITIONS as STACK_TRANSITIONS
from tests.chaos.evidence import JobChange, JobRow, StackChange
from tests.chaos.facts import Facts, grouped

FIRST_OF_JOB = ("queued",)
FIRST_OF_STACK = ("creating",)
MOVING = ("creating", "updating", "deleting")
# A claim moves a queued job, and takes over a running one whose owner fell silent.
_CLAIMS = {("queued", "running"), ("running", "running")}
_JOB_MOVES = _CLAIMS | {(str(source), str(move.target)) for move in JOB_TRANSITIONS for source in move.sources}
_STACK_MOVES = {(str(source), str(move.target)) for move in STACK_TRANSITIONS for source in move.sources}


def states_are_paths(facts: Facts) -> Iterator[str]:
    """I5: the statuses each job and each stack went through are a path of its lifecycle, without a gap."""
    for job_id, job_changes in grouped(facts.run.job_log, lambda change: change.job_id).items():
        job = facts.job_by_id.get(job_id)
        yield from _path(job.ref if job else f"job {job_id}", job_changes, FIRST_OF_JOB, _JOB_MOVES)
    for stack_id, stack_changes in grouped(facts.run.stack_log, lambda change: change.stack_id).items():
        stack = facts.stack_by_id.get(stack_id)
        yield from _path(stack.ref if stack else f"stack {stack_id}", stack_changes, FIRST_OF_STACK, _STACK_MOVES)


def _path(
    name: str, changes: Sequence[JobChange | StackChange], first: Iterable[str], moves: set[tuple[str, str]]
) -> Iterator[str]:
    last: str | None = None
    for change in sorted(changes, key=lambda change: change.id):
        old, new = change.old_status, change.new_status
        if old is None and new not in first:
            yield f"{name} began as {new}."
        elif old is not None and old != new and (old, new) not in moves:
            yield f"{name} went from {old} to {new}, which its lifecycle does not know."
        if last is not None and old != last:
            yield f"{name} was {last} and then changed from {old}."
        last = new


def fences_hold(facts: Facts) -> Iterator[str]:
    """I6: fences never fall; what a worker holds, no other claims and no other writes to.

    Which worker wrote is known on PostgreSQL only, by its connection.
    """
    owners = _owners(facts.run.job_log)
    for job_id, changes in grouped(facts.run.job_log, lambda change: change.job_id).items():
        job = facts.job_by_id.get(job_id)
        yield from _fences(job.ref if job else f"job {job_id}", sorted(changes, key=lambda each: each.id), owners)


def _fences(name: str, changes: Sequence[JobChange], owners: dict[str, str]) -> Iterator[str]:
    highest = 0
    for change in changes:
        if change.new_fence < max(highest, change.old_fence or 0):
            yield f"{name}: a write under fence {change.new_fence} was accepted after fence {highest}."
        highest = max(highest, change.new_fence)
        is_held = change.old_lease_until is not None and change.old_lease_until > change.at
        if is_held and _is_claim(change):
            yield f"{name}: {change.lease_owner} claimed it while {change.old_owner} held it."
        elif is_held and owners.get(change.writer, change.old_owner) != change.old_owner:
            yield f"{name}: {owners[change.writer]} wrote to it while {change.old_owner} held it."


def _is_claim(change: JobChange) -> bool:
    """A fence that rises without an owner is a person's release."""
    return change.old_fence is not None and change.new_fence > change.old_fence and change.lease_owner is not None


def _owners(changes: Iterable[JobChange]) -> dict[str, str]:
    """Return which worker a connection belongs to, where it claimed jobs for one alone; others may be anybody's."""
    claims = grouped((each for each in changes if each.writer and _is_claim(each)), lambda each: each.writer)
    owners = {writer: {each.lease_owner or "" for each in found} for writer, found in claims.items()}
    return {writer: found.pop() for writer, found in owners.items() if len(found) == 1}


def changes_are_recorded(facts: Facts) -> Iterator[str]:
    """I7: there is one audit entry for each change of a stack's status, none missing and none made up."""
    changed: Counter[tuple[str, str]] = Counter()
    for change in facts.run.stack_log:
        stack = facts.stack_by_id.get(change.stack_id)
        ref = stack.ref if stack else f"stack {change.stack_id}"
        if change.old_status is None:
            changed[ref, "stack:launched"] += 1
        elif change.old_status != change.new_status:
            changed[ref, f"stack:{change.new_status}"] += 1
    actions = {f"stack:{target}" for _, target in _STACK_MOVES} | {"stack:launched"}
    recorded = Counter((entry.ref, entry.action) for entry in facts.run.audit if entry.action in actions)
    for ref, action in sorted(changed.keys() | recorded.keys()):
        happened, written = changed[ref, action], recorded[ref, action]
        if happened != written:
            yield f"{ref}: {action} happened {happened} times and is recorded {written} times."


def nothing_is_stuck(facts: Facts) -> Iterator[str]:
    """I8: whatever is active has a live lease or a time to run; whatever moves has a job that moves it."""
    for job in facts.run.jobs:
        if job.lease_until is None:
            yield f"{job.ref} has an empty lease, which nobody can ever claim."
        elif job.status in ("queued", "running") and not _will_run(facts, job):
            yield f"{job.ref} is {job.status} since {job.next_run_at} and nobody holds it."
    for stack in facts.run.stacks:
        if stack.status in MOVING and not facts.has_unfinished_job(stack):
            yield f"{stack.ref} is {stack.status}, and no job moves it."


def _will_run(facts: Facts, job: JobRow) -> bool:
    now, grace = facts.run.now, timedelta(seconds=facts.run.grace_seconds)
    is_held = job.lease_owner is not None and job.lease_until is not None and job.lease_until > now
    return is_held or (job.next_run_at is not None and job.next_run_at > now - grace)


def secrets_stay_secret(facts: Facts) -> Iterator[str]:
    """I10: no canary is found anywhere, neither as it is nor in the usual wrappings."""
    for canary in facts.run.canaries:
        forms = {canary, urllib.parse.quote(canary), base64.b64encode(canary.encode()).decode().rstrip("=")}
        for place, text in facts.run.texts.items():
            if any(form in text for form in forms):
                yield f"A canary secret lies in {place}."
