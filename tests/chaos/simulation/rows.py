"""Rows of the database in memory. Values are replaced and never changed in place, so that a row can be taken back."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from app.aws.cloudformation import Event
from app.jobs.decisions import JobFacts, StepFacts, in_vain_of
from app.jobs.lifecycle import JobStatus, StepStatus
from app.stacks.lifecycle import StackStatus

EPOCH = 0.0
# Column values that take a job out of a worker's hands: `app.jobs.run.FREE`.
FREE: dict[str, Any] = {"lease_owner": None, "lease_until": EPOCH, "attempts": 0}


class Step(NamedTuple):
    """One step of a job."""

    key: str
    status: StepStatus = StepStatus.TO_COME
    attempt: int = 0
    note: str = ""
    output: Mapping[str, Any] | None = None
    intent_at: float | None = None
    done_at: float | None = None


class Known(NamedTuple):
    """An event that was written down, and the job that did."""

    job: str
    event: Event


class Plan:
    """The change set a job will execute, and who said yes to what."""

    def __init__(self, change_set_id: str, digest: str, changes: Sequence[Mapping[str, Any]], loses_data: bool):
        self.change_set_id, self.digest = change_set_id, digest
        self.changes, self.loses_data = changes, loses_data
        self.confirmed_at: float | None = None
        self.confirmed_digest = ""


class Stack:
    """A launched version."""

    def __init__(self, ref: str, name: str, version: int, answers: Mapping[str, str], is_protected: bool):
        self.ref, self.name = ref, name
        self.cloud_name = f"{name}-{ref.split('_')[1].lower()}"
        self.cloud_id: str | None = None
        self.version, self.answers = version, answers
        self.running_version: int | None = None
        self.running_answers: Mapping[str, str] | None = None
        self.status = StackStatus.CREATING
        self.status_reason = ""
        self.cloud_status: str | None = None
        self.outputs: Sequence[Any] = ()
        self.is_protected = is_protected
        self.observed_at: float | None = None
        self.events: tuple[Known, ...] = ()
        self.resources: Mapping[str, str] = {}


class Job:
    """One provisioning run on a stack."""

    def __init__(self, ref: str, kind: str, stack: Stack, steps: Sequence[str], at: float, deadline_at: float):
        self.ref, self.kind, self.stack = ref, kind, stack
        self.status = JobStatus.QUEUED
        self.steps = tuple(Step(key) for key in steps)
        self.created_at = self.next_run_at = at
        self.deadline_at = deadline_at
        self.version: int | None = None
        self.payload: Mapping[str, Any] = {}
        self.failure: Mapping[str, Any] | None = None
        self.plan: Plan | None = None
        self.key: str | None = None
        self.lease_owner: str | None = None
        self.lease_until: float = EPOCH
        self.fence = 0
        self.attempts = 0
        # What the job waits for, besides its time. There is one place, so its topic goes without saying.
        self.watch_key: str | None = None
        self.cancel_requested_at: float | None = None
        self.started_at: float | None = None
        self.finished_at: float | None = None

    def facts(self, now: float) -> JobFacts:
        """Return what decisions need of the row: `app.jobs.run.facts_of`."""
        steps = tuple(
            StepFacts(
                step.key,
                step.status,
                step.intent_at is not None,
                step.attempt,
                *in_vain_of(step.output),
            )
            for step in self.steps
        )
        return JobFacts(self.kind, self.attempts, self.cancel_requested_at is not None, self.deadline_at < now, steps)


class Entry(NamedTuple):
    """One entry of the audit log."""

    at: float
    action: str
    subject: str
    before: str = ""
    after: str = ""


class Change(NamedTuple):
    """A change of a status that was committed, noted by the database itself and not by who made it."""

    at: float
    row: str
    ref: str
    before: str
    after: str


class Written(NamedTuple):
    """A worker's write that was accepted: under which fence, and which was the newest."""

    at: float
    job: str
    fence: int
    newest: int
    what: str


class Claimed(NamedTuple):
    """A claim that was granted, and until when the one before it held the job."""

    at: float
    job: str
    fence: int
    free_since: float
