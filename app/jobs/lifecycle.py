"""What states a job and its steps go through, and the one function that moves a job."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from app import db
from app.errors import Conflict

if TYPE_CHECKING:
    from app.jobs.models import Job


class JobStatus(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    NEEDS_ATTENTION = "needs_attention"


class StepStatus(StrEnum):
    TO_COME = "to_come"
    ACTIVE = "active"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


# A job that needs attention keeps its stack: nobody starts another until a person has looked.
UNFINISHED = (JobStatus.WAITING, JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.NEEDS_ATTENTION)
RUNNABLE = (JobStatus.QUEUED, JobStatus.RUNNING)


@dataclass(frozen=True)
class Transition:
    """A named move of a job from one of some states to another."""

    name: str
    sources: frozenset[JobStatus]
    target: JobStatus


def _move(name: str, sources: Iterable[JobStatus], target: JobStatus) -> Transition:
    return Transition(name, frozenset(sources), target)


START = _move("start", {JobStatus.QUEUED}, JobStatus.RUNNING)
WAIT = _move("wait", {JobStatus.RUNNING}, JobStatus.WAITING)
CONFIRM = _move("confirm", {JobStatus.WAITING}, JobStatus.QUEUED)
SUCCEED = _move("succeed", {JobStatus.RUNNING}, JobStatus.SUCCEEDED)
FAIL = _move("fail", {JobStatus.RUNNING}, JobStatus.FAILED)
CANCEL = _move("cancel", {JobStatus.WAITING, JobStatus.QUEUED, JobStatus.RUNNING}, JobStatus.CANCELLED)
STOP = _move("stop", {JobStatus.QUEUED, JobStatus.RUNNING}, JobStatus.NEEDS_ATTENTION)
RESUME = _move("resume", {JobStatus.NEEDS_ATTENTION}, JobStatus.QUEUED)
GIVE_UP = _move("give up", {JobStatus.NEEDS_ATTENTION}, JobStatus.FAILED)

TRANSITIONS = (START, WAIT, CONFIRM, SUCCEED, FAIL, CANCEL, STOP, RESUME, GIVE_UP)


class InvalidTransition(Conflict):
    """The job is no longer in a state from which this move is possible."""


def can(job: "Job", transition: Transition) -> bool:
    """Say whether the job's state permits the move."""
    return job.status in transition.sources


def apply(job: "Job", transition: Transition, *, fence: int | None = None, **values: object) -> None:
    """Move the job, only if its state (and fence, for a worker) permits it, and read it afresh.

    Raises InvalidTransition when it is not.
    """
    move(type(job), job.id, job.ref, transition, fence=fence, **values)
    db.session.refresh(job)


def move(
    model: "type[Job]", job_id: int, ref: str, transition: Transition, *, fence: int | None = None, **values: object
) -> None:
    """Move a job, only if its state (and fence, for a worker) permits it.

    Raises InvalidTransition when it does not. Sets `finished_at` on the way into a final state.
    """
    if transition.target not in UNFINISHED:
        values.setdefault("finished_at", db.now())
    query = update(model).where(model.id == job_id, model.status.in_(transition.sources))
    if fence is not None:
        query = query.where(model.fence == fence)
    moved = query.values(status=transition.target, **values).execution_options(synchronize_session=False)
    if db.count_changed(db.session.execute(moved)) == 0:
        status = db.session.scalar(select(model.status).where(model.id == job_id))
        raise InvalidTransition(f"This job can no longer {transition.name}: it is {status}.", job=ref)
