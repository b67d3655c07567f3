"""What is forgotten after a while, so that no table grows for ever. Stacks and the audit record stay for ever.

What a stack's own page shows is kept whatever its age: the newest job with its events, and the jobs that last touched
a resource. So is the newest event of each stack: the next job reads on from there. Success rates are counted by day
beside the jobs, and forecasts read the newest durations only, so neither changes.
"""

import math
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from app import db
from app.config import Config
from app.jobs.models import Job, JobStep, Outbox
from app.jobs.retention import BATCH, Round, forget_wake_ups, forget_workers
from app.logs import log
from app.stacks import forecasts, paces
from app.stacks.models import Duration, Orphan, Plan, Resource, StackEvent

# A job has tens of events, so that many jobs make a batch.
JOBS_WITH_EVENTS = 50
_Newer = aliased(Job)
_IS_NEWEST = ~exists().where(_Newer.stack_id == Job.stack_id, _Newer.id > Job.id)


@dataclass(frozen=True)
class Limits:
    """How many seconds finished jobs, and their events, are kept."""

    jobs: float
    events: float


def limits(config: Config) -> Limits:
    """Return the limits the settings say. Events never stay longer than their job."""
    jobs, events = (_days(config, name) * 86400 for name in ("JOB_DAYS", "EVENT_DAYS"))
    return Limits(jobs, min(jobs, events))


def _days(config: Config, name: str) -> float:
    days = config.number(name)
    if not 0 < days < math.inf:
        raise SystemExit(f"{name} must be more than 0, not {config[name]!r}.")
    return days


def forget(limits: Limits, seconds: float | None = None) -> dict[str, int]:
    """Remove what is too old, batch by batch, each committed; return how many rows of each table.

    Stops after a while with what is left for the next time. May be done by two at once.
    """
    round_ = Round() if seconds is None else Round(seconds)
    _forget_events(round_, limits.events)
    _forget_jobs(round_, limits.jobs)
    _forget_durations(round_)
    _forget_orphans(round_, limits.events)
    forget_wake_ups(round_)
    forget_workers(round_)
    if round_.removed:
        log.info("forgotten", **round_.removed)
    return round_.removed


def _ended_before(seconds: float) -> ColumnElement[bool]:
    # Only what has ended has a `finished_at`.
    return Job.finished_at < db.now(-seconds)


def _forget_events(round_: Round, seconds: float) -> None:
    """Delete events of jobs that ended so long ago, but for those a stack's page or its next job needs."""

    def one(after: int) -> int | None:
        query = (
            select(StackEvent.job_id, Job.stack_id)
            .join(Job, Job.id == StackEvent.job_id)
            .where(StackEvent.job_id > after, _ended_before(seconds), ~_IS_NEWEST)
            .group_by(StackEvent.job_id, Job.stack_id)
            .order_by(StackEvent.job_id)
            .limit(JOBS_WITH_EVENTS)
        )
        rows = db.session.execute(query).all()
        newest = select(func.max(StackEvent.id)).where(StackEvent.stack_id.in_({row.stack_id for row in rows}))
        kept = list(db.session.scalars(newest.group_by(StackEvent.stack_id)))
        old = select(StackEvent.id).where(StackEvent.job_id.in_([row.job_id for row in rows]))
        round_.remove(StackEvent, StackEvent.id, old.where(StackEvent.id.not_in(kept)))
        return rows[-1].job_id if len(rows) == JOBS_WITH_EVENTS else None

    round_.in_batches(one)


def _forget_jobs(round_: Round, seconds: float) -> None:
    """Delete jobs that ended so long ago with their steps and plans, unless something that is kept points to them."""

    def one(after: int) -> int | None:
        query = (
            select(Job.id)
            .where(Job.id > after, _ended_before(seconds), ~_IS_NEWEST)
            .where(~exists().where(Resource.job_id == Job.id), ~exists().where(StackEvent.job_id == Job.id))
            .order_by(Job.id)
            .limit(BATCH)
        )
        ids = list(db.session.scalars(query))
        for model, column in ((JobStep, JobStep.job_id), (Plan, Plan.job_id), (Outbox, Outbox.job_id), (Job, Job.id)):
            round_.remove(model, column, ids)
        return ids[-1] if len(ids) == BATCH else None

    round_.in_batches(one)


def _forget_durations(round_: Round) -> None:
    """Delete durations beyond those that forecasts and usual lengths are made of."""
    pairs = db.session.execute(select(Duration.template_id, Duration.kind).distinct()).all()
    db.session.commit()
    for template_id, kind in pairs:
        of_pair = (Duration.template_id == template_id) & (Duration.kind == kind)
        whole = of_pair & (Duration.logical_id == "")
        first, first_whole = _nth_newest(of_pair, forecasts.ROWS), _nth_newest(whole, paces.NEWEST)
        old = of_pair & (Duration.id < first) & ((Duration.logical_id != "") | (Duration.id < first_whole))
        _forget_all(round_, Duration, old)


def _nth_newest(which: Any, nth: int) -> int:
    """Return the id of the nth newest duration of these; 0 where there are fewer."""
    query = select(Duration.id).where(which).order_by(Duration.id.desc()).offset(nth - 1).limit(1)
    return db.session.scalar(query) or 0


def _forget_orphans(round_: Round, seconds: float) -> None:
    """Delete orphans settled so long ago."""
    _forget_all(round_, Orphan, Orphan.settled_at < db.now(-seconds))


def _forget_all(round_: Round, model: Any, which: Any) -> None:
    def one(after: int) -> int | None:
        removed = round_.remove(model, model.id, select(model.id).where(which).limit(BATCH))
        return 1 if removed == BATCH else None

    round_.in_batches(one)
