"""How the queue stands: what is due, held, resting, waiting or stopped. Only reads, and knows no feature.

Every query begins with the statuses of unfinished jobs, so it costs what is under way and not what ever ran.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select

from app import db
from app.identity.models import Person
from app.jobs import workers
from app.jobs.lifecycle import RUNNABLE, UNFINISHED, JobStatus, StepStatus
from app.jobs.models import Job, JobStep, Outbox, WorkerSeen

# A job that has been due for this long has been overlooked: workers look every second or so.
STUCK_SECONDS = 60


class Part(StrEnum):
    """Where in the queue an unfinished job is."""

    NEEDS_ATTENTION = "needs_attention"
    DUE = "due"
    HELD = "held"
    RESTING = "resting"
    WAITING = "waiting"


_IS_RUNNABLE = Job.status.in_(RUNNABLE)
_IS_HELD = and_(_IS_RUNNABLE, Job.lease_until >= db.now())
_IS_DUE = and_(_IS_RUNNABLE, Job.lease_until < db.now(), Job.next_run_at <= db.now())
_IS_LOST = and_(_IS_RUNNABLE, Job.lease_owner.is_not(None), Job.lease_until < db.now())
_CONDITIONS: dict[Part, ColumnElement[bool]] = {
    Part.NEEDS_ATTENTION: Job.status == JobStatus.NEEDS_ATTENTION,
    Part.WAITING: Job.status == JobStatus.WAITING,
    Part.HELD: _IS_HELD,
    Part.RESTING: and_(_IS_RUNNABLE, Job.lease_until < db.now(), Job.next_run_at > db.now()),
    Part.DUE: _IS_DUE,
}
_PART = case(
    (_CONDITIONS[Part.NEEDS_ATTENTION], Part.NEEDS_ATTENTION.value),
    (_CONDITIONS[Part.WAITING], Part.WAITING.value),
    (_IS_HELD, Part.HELD.value),
    (_IS_DUE, Part.DUE.value),
    else_=Part.RESTING.value,
)
# A job whose worker died became due when the lease ran out, not when it was last put into the queue.
_DUE_SINCE = case((Job.lease_until > Job.next_run_at, Job.lease_until), else_=Job.next_run_at)
_IS_STUCK = and_(_IS_DUE, db.now(-STUCK_SECONDS) > _DUE_SINCE)


def now() -> datetime:
    """Return the database's time: the one leases are measured by."""
    return db.session.scalars(select(db.now())).one()


@dataclass(frozen=True)
class Standing:
    """How many unfinished jobs there are of each status and in each part of the queue, and since when.

    `lost`: leases that ran out on the worker that held them, before anybody has taken the job over.
    """

    by_status: dict[JobStatus, int]
    by_part: dict[Part, int]
    since: dict[Part, datetime]
    holders: int
    stuck: int
    lost: int
    most_attempts: int

    @property
    def total(self) -> int:
        return sum(self.by_part.values())

    @property
    def moves(self) -> bool:
        """Say whether anything changes by itself: what waits for people does not."""
        return any(self.by_part[part] for part in (Part.DUE, Part.HELD, Part.RESTING))


_STANDING: Select[Any] = (
    select(
        Job.status,
        _PART.label("part"),
        func.count().label("jobs"),
        func.min(_DUE_SINCE).label("due_since"),
        func.min(Job.created_at).label("created_at"),
        func.max(Job.attempts).label("attempts"),
        func.count(case((_IS_STUCK, 1))).label("stuck"),
        func.count(case((_IS_LOST, 1))).label("lost"),
    )
    .where(Job.status.in_(UNFINISHED))
    .group_by(Job.status, "part")
)
_HOLDERS = select(Job.lease_owner, func.count()).where(_IS_HELD).group_by(Job.lease_owner)


def standing() -> Standing:
    """Count the unfinished jobs."""
    rows = db.session.execute(_STANDING).all()
    by_status, by_part = dict.fromkeys(UNFINISHED, 0), dict.fromkeys(Part, 0)
    since: dict[Part, datetime] = {}
    for row in rows:
        part = Part(row.part)
        by_status[row.status] += row.jobs
        by_part[part] += row.jobs
        at = row.due_since if part is Part.DUE else row.created_at
        since[part] = min(since.get(part, at), at)
    return Standing(
        by_status,
        by_part,
        since,
        holders=len(_held_by()),
        stuck=sum(row.stuck for row in rows),
        lost=sum(row.lost for row in rows),
        most_attempts=max((row.attempts for row in rows), default=0),
    )


def _held_by() -> dict[str | None, int]:
    """Return how many jobs each worker holds."""
    return dict(db.session.execute(_HOLDERS).all())


class QueuedJob(NamedTuple):
    """An unfinished job as the queue shows it. `holder_is_silent`: held, by a worker that is not seen any more."""

    id: int
    ref: str
    kind: str
    status: JobStatus
    part: str
    stack_id: int
    lease_owner: str | None
    lease_until: datetime
    fence: int
    attempts: int
    next_run_at: datetime
    due_since: datetime
    created_at: datetime
    cancel_requested_at: datetime | None
    failure: dict[str, Any] | None
    asked_by: str
    username: str
    holder_is_silent: bool

    def lease_seconds(self, at: datetime) -> int:
        """Return how long the lease still runs at a moment of the database's clock; 0 where nobody holds the job."""
        return max(0, round((self.lease_until - at).total_seconds())) if self.part == Part.HELD else 0


def _queued() -> Select[Any]:
    return select(
        Job.id, Job.ref, Job.kind, Job.status, _PART, Job.stack_id, Job.lease_owner,
        Job.lease_until, Job.fence, Job.attempts, Job.next_run_at, _DUE_SINCE, Job.created_at, Job.cancel_requested_at,
        Job.failure, Person.name, Person.username, _has_silent_holder(),
    ).join(Person, Person.id == Job.requested_by_id)  # fmt: skip


def _has_silent_holder() -> ColumnElement[bool]:
    lives = exists().where(WorkerSeen.name == Job.lease_owner, WorkerSeen.seen_at > db.now(-workers.silent_seconds()))
    return and_(_IS_HELD, ~lives)


def list_queue(part: Part | None, owner: str, after: int | None, limit: int) -> tuple[list[QueuedJob], int | None]:
    """Return one page of the unfinished jobs, oldest first, and the id the next page lies behind.

    `owner` narrows it to what one worker holds.
    """
    query = _queued().where(Job.status.in_(UNFINISHED))
    if part is not None:
        query = query.where(_CONDITIONS[part])
    if owner:
        query = query.where(_IS_HELD, Job.lease_owner == owner)
    if after is not None:
        query = query.where(Job.id > after)
    # Adding 0 hides the primary key: along it, the database would read all that ever ran to come to what runs now.
    rows = [QueuedJob(*row) for row in db.session.execute(query.order_by(Job.id + 0).limit(limit + 1))]
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


def needing_someone(most: int) -> list[QueuedJob]:
    """Return the jobs that go on only if somebody acts: stopped ones, and those held by a worker that is gone."""
    stopped = Job.status == JobStatus.NEEDS_ATTENTION
    query = _queued().where(Job.status.in_(UNFINISHED), or_(stopped, _has_silent_holder()))
    return [QueuedJob(*row) for row in db.session.execute(query.order_by(Job.id + 0).limit(most))]


class Holder(NamedTuple):
    """The worker that holds a job."""

    name: str
    is_silent: bool


def find_holder(job_id: int) -> Holder | None:
    """Return who holds the job, or None when nobody does."""
    query = select(Job.lease_owner, _has_silent_holder()).where(Job.id == job_id, _IS_HELD)
    row = db.session.execute(query).one_or_none()
    return Holder(row[0] or "a worker without a name", bool(row[1])) if row else None


def longest_stuck() -> tuple[str, datetime] | None:
    """Return the job that has been due for longest, by its ref, and since when; None if none is stuck."""
    query = select(Job.ref, _DUE_SINCE).where(_IS_STUCK).order_by(_DUE_SINCE).limit(1)
    row = db.session.execute(query).one_or_none()
    return (row[0], row[1]) if row else None


class CurrentStep(NamedTuple):
    """The step a job is at, counted from 1. `begun` says how often, `since` when first."""

    number: int
    key: str
    status: StepStatus
    note: str
    begun: int
    since: datetime | None


def current_steps(job_ids: Collection[int]) -> dict[int, CurrentStep]:
    """Return the first step of each job that is neither done nor skipped, by the job's id."""
    query = (
        select(
            JobStep.job_id, JobStep.position, JobStep.key, JobStep.status, JobStep.note, JobStep.attempt,
            JobStep.intent_at,
        )
        .where(JobStep.job_id.in_(job_ids), JobStep.status.not_in((StepStatus.DONE, StepStatus.SKIPPED)))
        .order_by(JobStep.job_id, JobStep.position.desc())
    )  # fmt: skip
    # The last one written for a job is the one of the lowest position.
    rows = db.session.execute(query)
    return {row.job_id: CurrentStep(row.position + 1, *row[2:]) for row in rows}


_ASKING = (
    select(func.count())
    .select_from(Job)
    .join(JobStep, JobStep.job_id == Job.id)
    .where(_IS_RUNNABLE, JobStep.status == StepStatus.WAITING, JobStep.output["asked_in_vain"].as_integer() > 0)
)


def asking_in_vain() -> int:
    """Return how many jobs ask the outside again, since it did not answer."""
    return db.session.scalar(_ASKING) or 0


@dataclass(frozen=True)
class SeenWorker:
    """A worker, when it was last seen (None: not since it began to hold something), and how many jobs it holds."""

    name: str
    started_at: datetime | None
    seen_at: datetime | None
    is_silent: bool
    held: int


def list_workers(at: datetime) -> Sequence[SeenWorker]:
    """Return the workers known, those that live first; whoever holds a job is among them, seen or not."""
    silent = workers.silent_seconds()
    held = _held_by()
    known = [
        SeenWorker(row.name, row.started_at, row.seen_at, _seconds(row.seen_at, at) > silent, held.pop(row.name, 0))
        for row in db.session.scalars(select(WorkerSeen))
    ]
    gone = [SeenWorker(owner or "", None, None, True, jobs) for owner, jobs in held.items()]
    return sorted([*known, *gone], key=lambda worker: (worker.is_silent, worker.name))


def _seconds(since: datetime, at: datetime) -> float:
    return (at - since).total_seconds()


def wake_ups() -> tuple[int, datetime | None]:
    """Return how many wake-ups nobody has acted on yet, and since when the oldest waits."""
    waiting = db.session.scalar(select(func.count()).select_from(Outbox)) or 0
    oldest = db.session.scalar(select(Outbox.created_at).order_by(Outbox.id).limit(1)) if waiting else None
    return waiting, oldest
