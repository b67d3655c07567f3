"""The watch over stacks that move: one page of a listing tells of a hundred of them which have settled.

A watcher changes nothing but when a job looks. What a stack has become is for the job itself to find out, by the
stack's own id.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, update

from app import db
from app.aws import inventory
from app.aws.clients import Place, client
from app.aws.errors import CloudProblem
from app.environments.models import Account
from app.jobs import duties
from app.jobs.chores import Shift
from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import Job
from app.logs import log
from app.stacks.models import Stack

SESSION = "slipway-watch"
# Moving stacks whose jobs look closer in one round, for the progress of their resources: those not seen longest first.
CLOSER_LOOKS = 10
# Jobs woken in one round: as many as the workers get through before the next.
MOST_WOKEN = 100
# A moving stack is noted as seen no more often than this.
SEEN_SECONDS = 60


@dataclass(frozen=True)
class Watched:
    """A job that waits for news of a stack; `is_urgent`: somebody cancelled it, or its time is over."""

    job_id: int
    cloud_id: str
    is_urgent: bool


def watch(shift: Shift) -> None:
    """Look once at every place where a job waits and that no other worker watches; wake the jobs that have news."""
    woken = 0
    for topic in _topics():
        if duties.take(f"watch:{topic}", shift.worker.name, shift.worker.lease_seconds) is not None:
            woken += watch_place(topic)
    if woken:
        shift.poke()


def _topics() -> list[str]:
    query = select(Job.watch_topic).where(Job.watch_topic.is_not(None)).distinct()
    topics = [topic for topic in db.session.scalars(query) if topic]
    db.release()
    return sorted(topics)


def watch_place(topic: str) -> int:
    """Wake the jobs of a place that have news, and some others for a closer look; return how many were woken."""
    watched = _watched(topic)
    moving = _moving(topic)
    # Where nothing can be listed every job looks for itself, some in each round.
    settled = [each for each in watched if moving is not None and each.cloud_id not in moving]
    others = [each for each in watched if moving is None or each.cloud_id in moving]
    urgent = [each for each in others if each.is_urgent]
    closer = [each for each in others if not each.is_urgent][:CLOSER_LOOKS]
    wake([each.job_id for each in (urgent + settled)[:MOST_WOKEN] + closer])
    _note_seen([each.cloud_id for each in others] if moving is not None else [])
    return min(len(urgent) + len(settled), MOST_WOKEN) + len(closer)


def _watched(topic: str) -> Sequence[Watched]:
    query = (
        select(Job.id, Job.watch_key, Job.cancel_requested_at, (Job.deadline_at < db.now()).label("is_late"))
        .where(Job.watch_topic == topic, Job.status.in_(RUNNABLE), Job.lease_owner.is_(None))
        .order_by(Job.next_run_at)
    )
    rows = db.session.execute(query).all()
    db.release()
    return [
        Watched(row.id, row.watch_key or "", row.cancel_requested_at is not None or bool(row.is_late)) for row in rows
    ]


def _moving(topic: str) -> set[str] | None:
    """Return the ids of all stacks that move in a place, or None where that cannot be had."""
    place = _place(topic)
    db.release()
    if place is None:
        return None
    try:
        return {each.cloud_id for each in inventory.moving_stacks(client("cloudformation", place, SESSION))}
    except CloudProblem as problem:
        log.info("watch_blind", place=topic, reason=problem.sentence)
        return None


def _place(topic: str) -> Place | None:
    number, region = topic.split("/")
    role = db.session.scalar(select(Account.role_arn).where(Account.number == number))
    return Place(number, role, region) if role else None


def wake(job_ids: Collection[int]) -> None:
    """Let waiting jobs look now. Whoever holds one looks anyhow."""
    if job_ids:
        due = update(Job).where(Job.id.in_(job_ids), Job.lease_owner.is_(None)).values(next_run_at=db.now())
        db.session.execute(due, execution_options={"synchronize_session": False})
        db.session.commit()


def _note_seen(cloud_ids: Sequence[str]) -> None:
    """Note that these stacks were seen moving just now; rows say it once a minute."""
    for start in range(0, len(cloud_ids), 500):
        seen = (
            update(Stack)
            .where(Stack.cloud_id.in_(cloud_ids[start : start + 500]))
            .where(func.coalesce(Stack.observed_at, Stack.created_at) < db.now(-SEEN_SECONDS))
            .values(observed_at=db.now())
        )
        db.session.execute(seen, execution_options={"synchronize_session": False})
    db.session.commit()
