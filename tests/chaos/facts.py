"""The evidence of a run, looked up from several sides."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from functools import cached_property
from typing import TypeVar

from tests.chaos.calls import Call
from tests.chaos.evidence import CloudStack, Evidence, JobRow, StackRow
from tests.chaos.history import Request, requests_of

Item = TypeVar("Item")
Key = TypeVar("Key", bound=Hashable)

# p-<job ref>-<step>-<generation>, the underscore of the ref written as a hyphen.
TOKEN = re.compile(r"p-([a-z]+-\w+)-(.+)-(\d+)")
# The calls that begin something in the cloud, each under a token.
BEGINNINGS = {
    "CreateChangeSet",
    "ExecuteChangeSet",
    "DeleteStack",
    "CancelUpdateStack",
    "ContinueUpdateRollback",
    "RollbackStack",
    "CreateStack",
    "UpdateStack",
}
UNFINISHED = ("waiting", "queued", "running", "needs_attention")


class Facts:
    """Evidence with its indexes, each made when first asked for."""

    def __init__(self, run: Evidence):
        self.run = run

    @cached_property
    def requests(self) -> list[Request]:
        return requests_of(self.run.history)

    @cached_property
    def stack_by_ref(self) -> dict[str, StackRow]:
        return {stack.ref: stack for stack in self.run.stacks}

    @cached_property
    def stack_by_id(self) -> dict[int, StackRow]:
        return {stack.id: stack for stack in self.run.stacks}

    @cached_property
    def job_by_ref(self) -> dict[str, JobRow]:
        return {job.ref: job for job in self.run.jobs}

    @cached_property
    def job_by_id(self) -> dict[int, JobRow]:
        return {job.id: job for job in self.run.jobs}

    @cached_property
    def jobs_by_key(self) -> dict[str, list[JobRow]]:
        return grouped((job for job in self.run.jobs if job.key), lambda job: job.key or "")

    @cached_property
    def jobs_by_stack(self) -> dict[int, list[JobRow]]:
        """A stack's jobs, oldest first."""
        return grouped(sorted(self.run.jobs, key=lambda job: job.id), lambda job: job.stack_id)

    @cached_property
    def live_by_ref(self) -> dict[str, list[CloudStack]]:
        """Stacks the cloud holds now, by the ref in their tag."""
        return grouped((each for each in self.run.cloud if each.is_live and each.tag_ref), lambda each: each.tag_ref)

    @cached_property
    def beginnings(self) -> list[Call]:
        """What really began in the cloud, in order. The same call under the same token again begins nothing."""
        seen: set[tuple[str, str]] = set()
        found = []
        for call in sorted(self.run.calls, key=lambda call: call.t):
            if call.operation not in BEGINNINGS or not call.happened:
                continue
            if not call.token or (call.operation, call.token) not in seen:
                found.append(call)
            seen.add((call.operation, call.token))
        return found

    def job_of(self, token: str) -> str:
        """Return the ref of the job a token names, or nothing where no job of the run is named."""
        found = TOKEN.fullmatch(token)
        ref = found.group(1).replace("-", "_", 1) if found else ""
        return ref if ref in self.job_by_ref else ""

    def is_foreign(self, call: Call) -> bool:
        return bool({call.stack, call.stack_id, name_of(call)} & self.run.foreign)

    def has_unfinished_job(self, stack: StackRow) -> bool:
        return any(job.status in UNFINISHED for job in self.jobs_by_stack.get(stack.id, []))


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """Return the items by their key, in the order given."""
    found: dict[Key, list[Item]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return dict(found)


def name_of(call: Call) -> str:
    """Return the name of the stack a call is about, as far as it is known."""
    known = call.stack_id or call.stack
    return known.split("/")[1] if known.startswith("arn:") else known
