"""What the operations pages and their JSON read: the queue with the names of what its jobs are about."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from app import db
from app.environments.models import Environment
from app.identity.models import Team
from app.jobs import queue
from app.jobs.lifecycle import JobStatus
from app.jobs.queue import CurrentStep, Part, QueuedJob, SeenWorker, Standing
from app.stacks.models import Stack
from app.stacks.progress import stage_name
from app.words import duration

PAGE = 50
# More than these nobody takes in at once; the others are one link away.
MOST_CARDS = 10


class About(NamedTuple):
    """The stack a job is on."""

    ref: str
    name: str
    environment: str
    team: str


@dataclass(frozen=True)
class Line:
    """A job of the queue, the stack it is on, and the step it is at."""

    job: QueuedJob
    stack: About
    step: CurrentStep | None

    @property
    def stage(self) -> str:
        """The words for the step: "2 Planning"."""
        return f"{self.step.number} {stage_name(self.job.kind, self.step.key)}" if self.step else ""

    @property
    def needs_someone(self) -> bool:
        return self.job.holder_is_silent or self.job.status == JobStatus.NEEDS_ATTENTION

    @property
    def why(self) -> str:
        """Why somebody has to act."""
        if self.job.holder_is_silent:
            return f"{self.job.lease_owner} took it and is not seen any more."
        return (self.job.failure or {}).get("sentence", "") or "It stopped, and left no reason."


@dataclass(frozen=True)
class Operations:
    """Everything the operations page shows, read at one moment of the database's clock."""

    at: datetime
    standing: Standing
    attention: Sequence[Line]
    lines: Sequence[Line]
    next: int | None
    workers: Sequence[SeenWorker]
    wake_ups: int
    oldest_wake_up: datetime | None

    @property
    def silent(self) -> int:
        return sum(worker.is_silent for worker in self.workers)

    @property
    def alive(self) -> int:
        return len(self.workers) - self.silent

    def ago(self, moment: datetime) -> str:
        """Say how long before this page was true something was, in whole seconds."""
        return duration(max(0, int((self.at - moment).total_seconds())))

    def until(self, moment: datetime) -> str:
        """Say how long after this page was true something comes, in whole seconds."""
        return duration(max(1, round((moment - self.at).total_seconds())))

    def is_late(self, job: QueuedJob) -> bool:
        """Say whether a job that is due has been overlooked."""
        return (self.at - job.due_since).total_seconds() > queue.STUCK_SECONDS


def operations(part: Part | None = None, owner: str = "", after: int | None = None, limit: int = PAGE) -> Operations:
    """Read how the engine stands, what needs somebody, and one page of the queue narrowed to a part or an owner."""
    at = queue.now()
    urgent = queue.needing_someone(MOST_CARDS)
    listed, following = queue.list_queue(part, owner, after, limit)
    lines = _lines([*urgent, *listed])
    wake_ups, oldest = queue.wake_ups()
    return Operations(
        at, queue.standing(), lines[: len(urgent)], lines[len(urgent) :], following, queue.list_workers(at),
        wake_ups, oldest,
    )  # fmt: skip


def _lines(jobs: Sequence[QueuedJob]) -> list[Line]:
    stacks = _stacks({job.stack_id for job in jobs})
    steps = queue.current_steps({job.id for job in jobs})
    return [Line(job, stacks[job.stack_id], steps.get(job.id)) for job in jobs]


def _stacks(ids: Collection[int]) -> dict[int, About]:
    query = (
        select(Stack.id, Stack.ref, Stack.name, Environment.slug, Team.slug)
        .join(Environment, Environment.id == Stack.environment_id)
        .join(Team, Team.id == Stack.team_id)
        .where(Stack.id.in_(ids))
    )
    return {row[0]: About(*row[1:]) for row in db.session.execute(query)}
