"""How long a job lies after its worker was killed, until another has claimed it; with the usual lease of 30 s.

`python -m bench.takeover [--workers 4] [--jobs 8]`: workers on PostgreSQL, each killed while it holds so many jobs. The
times are the database's own, from the log its triggers keep.
"""

import argparse
import random
import time

from sqlalchemy import Engine, func, select

from app import db
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from bench import _chaos
from bench._figures import emit, machine, percentile
from tests.chaos import watch
from tests.chaos.cage import Cage
from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import launch
from tests.chaos.crash.stage import Stage, stage
from tests.chaos.processes import Worker

LEASE_SECONDS = 30
FOR_EVER = 3600
LONGEST_SECONDS = 120


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=8)
    given = parser.parse_args()
    began = time.monotonic()
    with _chaos.ground("postgresql") as (directory, template, cloud), template.copy(directory) as database:
        (place := directory / "stage").mkdir()
        # As many jobs again come by message as the worker's own timer finds.
        settings = {"LEASE_SECONDS": str(LEASE_SECONDS), "WORKER_THREADS": str(given.jobs // 2)}
        with stage(database, cloud, place, **settings) as here, Cage() as cage:
            seconds = _measure(here, cage, given.workers, given.jobs)
    emit(
        bench="takeover", machine=machine(), lease_s=LEASE_SECONDS, n=len(seconds), p50_s=percentile(seconds, 50),
        p99_s=percentile(seconds, 99), most_s=round(max(seconds), 1), seconds=round(time.monotonic() - began),
    )  # fmt: skip


def _measure(here: Stage, cage: Cage, workers: int, jobs: int) -> list[float]:
    """Return for each job the seconds from its worker's end to the next claim."""
    engine, config = here.app.extensions["engine"], here.app.extensions["config"]
    # Claimed, kept alive by its worker's heartbeat, and going nowhere.
    holds = ",".join(f"create/check/intent/before:{number + 1}:sleep={FOR_EVER}" for number in range(4 * jobs))
    victims = [Worker(cage, config, name=f"victim-{each}", env={"FAILPOINTS": holds}) for each in range(workers)]
    cage.start(*victims)
    for number in range(workers * jobs):
        launch().play(Play(here, f"job-{number}", f"job-{number}"), [])
    _wait_until_held(engine, workers * jobs)
    # With room for everything at once: how many jobs a worker has threads for is not the question here.
    Worker(cage, config, name="heir", env={"WORKER_THREADS": str(2 * jobs)}).start()
    killed_at: dict[str, float] = {}
    for victim in victims:
        # Anywhere between two heartbeats.
        time.sleep(random.uniform(0, LEASE_SECONDS / 6))
        owned = _owned(engine, victim.pid)
        victim.kill9()
        killed_at |= dict.fromkeys(owned, _now(engine))
    return _until_claimed(engine, killed_at)


def _wait_until_held(engine: Engine, jobs: int) -> None:
    query = select(func.count()).select_from(Job).where(Job.status == JobStatus.RUNNING)
    until = time.monotonic() + LONGEST_SECONDS
    while _scalar(engine, query) < jobs:
        if time.monotonic() > until:
            raise SystemExit("The workers did not take the jobs.")
        time.sleep(0.1)


def _owned(engine: Engine, pid: int) -> list[str]:
    """Return the jobs the worker with this process id holds."""
    with engine.connect() as connection:
        return list(connection.scalars(select(Job.ref).where(Job.lease_owner.like(f"%:{pid}"))))


def _now(engine: Engine) -> float:
    return float(_scalar(engine, select(db.now())).timestamp())


def _scalar(engine: Engine, query):
    with engine.connect() as connection:
        return connection.scalar(query)


def _until_claimed(engine: Engine, killed_at: dict[str, float]) -> list[float]:
    """Wait until each job has another owner, and return how long it had none."""
    until = time.monotonic() + LONGEST_SECONDS
    while True:
        with engine.connect() as connection:
            refs = {row.id: row.ref for row in connection.execute(select(Job.id, Job.ref))}
            claims = {
                refs[change.job_id]: change.at.timestamp()
                for change in watch.job_log(connection)
                if change.new_fence == 2 and change.old_fence == 1
            }
        if claims.keys() >= killed_at.keys():
            return [claims[ref] - at for ref, at in killed_at.items()]
        if time.monotonic() > until:
            raise SystemExit(f"{len(killed_at.keys() - claims.keys())} jobs were never taken over.")
        time.sleep(0.5)


if __name__ == "__main__":
    main()
