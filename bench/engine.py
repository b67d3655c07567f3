"""Jobs that do nothing, through the whole engine: request, outbox, broker, claim, step, end.

`./slipway bench engine [--rounds 100] [--burst 200]`: with PostgreSQL and a Redis-protocol broker, and with SQLite and
files as `./slipway up` has them. Times are the database's: from the job's row to its end.
"""

import argparse
import time
from contextlib import ExitStack

from sqlalchemy import func, select

from app import db
from app.identity.models import Person
from app.jobs.flows import register
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job, WorkerSeen
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from app.stacks.requests import Request, start_job
from app.web import create_app
from bench import _noop_flow, _servers, _world
from bench._figures import emit, machine, percentile


def measure(database: str, broker: str, rounds: int, burst: int) -> None:
    with ExitStack() as servers:
        directory = servers.enter_context(_servers.scratch())
        url = servers.enter_context(_servers.database(database, directory))
        broker_url = servers.enter_context(_servers.broker(broker))
        config = _world.config_of(directory, url, CELERY_BROKER_URL=broker_url)
        _world.build(config, max(rounds, burst) * 2)
        register(_noop_flow.FLOW)
        app = create_app(config)
        servers.enter_context(_servers.worker(config, module="bench._noop"))
        with app.app_context():
            _wait_for_a_worker()
            stacks = _ready_stacks()
            _one_by_one(stacks[:5])
            single = _one_by_one(stacks[:rounds])
            seconds = _burst(stacks[:burst])
        emit(
            bench="engine", database=database, broker=broker, n=rounds,
            p50_ms=percentile(single, 50), p95_ms=percentile(single, 95),
            burst=burst, burst_s=round(seconds, 2), jobs_per_s=round(burst / seconds, 1),
        )  # fmt: skip


def _wait_for_a_worker(seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not db.session.scalar(select(func.count()).select_from(WorkerSeen)):
        db.session.rollback()
        if time.monotonic() > until:
            raise SystemExit("The worker did not start.")
        time.sleep(0.1)
    db.session.rollback()


def _ready_stacks() -> list[int]:
    busy = select(Job.stack_id).where(Job.status.in_((JobStatus.RUNNING, JobStatus.QUEUED)))
    query = select(Stack.id).where(Stack.status == StackStatus.READY, Stack.id.not_in(busy))
    return list(db.session.scalars(query.order_by(Stack.id)))


def _ask(stack_id: int) -> int:
    person = db.session.scalars(select(Person).where(Person.username == "dana")).one()
    job = start_job(db.session.get_one(Stack, stack_id), _noop_flow.KIND, Request(person))
    db.session.commit()
    return job.id


def _one_by_one(stacks: list[int]) -> list[float]:
    """Return milliseconds from request to end, for one job after the other."""
    times = []
    for stack_id in stacks:
        began = time.perf_counter()
        job_id = _ask(stack_id)
        _wait_until_done([job_id], pause=0.002)
        times.append((time.perf_counter() - began) * 1000)
    return times


def _burst(stacks: list[int]) -> float:
    """Ask for all at once; return seconds from the first request to the last end, by the database."""
    jobs = [_ask(stack_id) for stack_id in stacks]
    _wait_until_done(jobs, pause=0.1)
    first, last = db.session.execute(
        select(func.min(Job.created_at), func.max(Job.finished_at)).where(Job.id.in_(jobs))
    ).one()
    db.session.rollback()
    return (last - first).total_seconds()


def _wait_until_done(jobs: list[int], pause: float, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    query = select(func.count()).where(Job.id.in_(jobs), Job.status == JobStatus.SUCCEEDED)
    while db.session.scalar(query) != len(jobs):
        db.session.rollback()
        if time.monotonic() > until:
            raise SystemExit("Not all jobs ended.")
        time.sleep(pause)
    db.session.rollback()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--burst", type=int, default=200)
    given = parser.parse_args()
    emit(bench="engine", machine=machine())
    measure("postgresql", "redis", given.rounds, given.burst)
    measure("sqlite", "files", given.rounds, given.burst)


if __name__ == "__main__":
    main()
