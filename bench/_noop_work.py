"""Asking for jobs that do nothing, and waiting for their end."""

import time

from sqlalchemy import func, select

from app import db
from app.identity.models import Person
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job, WorkerSeen
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from app.stacks.requests import Request, start_job
from bench import _noop_flow


def wait_for_a_worker(seconds: float = 60) -> None:
    """Wait until a worker says that it lives."""
    until = time.monotonic() + seconds
    while not db.session.scalar(select(func.count()).select_from(WorkerSeen)):
        db.session.rollback()
        if time.monotonic() > until:
            raise SystemExit("The worker did not start.")
        time.sleep(0.1)
    db.session.rollback()


def ready_stacks() -> list[int]:
    """Return the ids of the stacks a job can be asked for on."""
    busy = select(Job.stack_id).where(Job.status.in_((JobStatus.RUNNING, JobStatus.QUEUED)))
    query = select(Stack.id).where(Stack.status == StackStatus.READY, Stack.id.not_in(busy))
    return list(db.session.scalars(query.order_by(Stack.id)))


def ask(stack_id: int) -> int:
    """Ask, as Dana, for a job that does nothing; return its id."""
    person = db.session.scalars(select(Person).where(Person.username == "dana")).one()
    job = start_job(db.session.get_one(Stack, stack_id), _noop_flow.KIND, Request(person))
    db.session.commit()
    return job.id


def wait_until_done(jobs: list[int], pause: float, seconds: float = 120) -> None:
    """Wait until all of the jobs have succeeded."""
    until = time.monotonic() + seconds
    query = select(func.count()).where(Job.id.in_(jobs), Job.status == JobStatus.SUCCEEDED)
    while db.session.scalar(query) != len(jobs):
        db.session.rollback()
        if time.monotonic() > until:
            raise SystemExit("Not all jobs ended.")
        time.sleep(pause)
    db.session.rollback()
