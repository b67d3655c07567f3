"""Many jobs that do nothing through one worker process: does it, or any table, grow?

`./slipway bench soak [--jobs 50000] [--burst 500]`: PostgreSQL and a Redis-protocol broker, bursts one after the other,
and retention with limits so short that it has to keep up. The slope of the memory is taken after the first tenth, when
everything has been loaded that is loaded once.
"""

import argparse
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import linear_regression
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from app import db
from app.jobs.flows import register
from app.models import Base
from app.web import create_app
from bench import _noop_flow, _servers, _world
from bench._figures import emit, machine, resident
from bench._noop_work import ask, ready_stacks, wait_for_a_worker, wait_until_done

# Jobs are kept for a minute and looked through four times a minute; nothing here has a cloud.
SETTINGS = {
    "JOB_DAYS": str(60 / 86400),
    "EVENT_DAYS": str(60 / 86400),
    "RETENTION_SECONDS": "15",
    "RECONCILE_SECONDS": "0",
}


@dataclass
class Samples:
    """What a process holds after so many jobs: memory (MB) and open files."""

    pid: int
    jobs: list[int] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def take(self, jobs: int) -> None:
        self.jobs.append(jobs)
        self.memory.append(resident(self.pid)[0])
        self.files.append(len(os.listdir(f"/proc/{self.pid}/fd")))

    def at(self, share: float) -> int:
        """Return the number of the first sample after this share of the jobs."""
        return next(number for number, jobs in enumerate(self.jobs) if jobs >= share * self.jobs[-1])

    @property
    def slope(self) -> float:
        """How many MB the process grows by in 10,000 jobs."""
        first = min(self.at(0.1), len(self.jobs) - 2)
        return linear_regression(self.jobs[first:], self.memory[first:]).slope * 10_000


def measure(jobs: int, burst: int) -> None:
    with ExitStack() as servers:
        directory = servers.enter_context(_servers.scratch())
        url = servers.enter_context(_servers.database("postgresql", directory))
        broker_url = servers.enter_context(_servers.broker("redis"))
        config = _world.config_of(directory, url, CELERY_BROKER_URL=broker_url, **SETTINGS)
        # A tenth of the stacks is not ready.
        _world.build(config, burst * 2)
        register(_noop_flow.FLOW)
        app = create_app(config)
        worker = servers.enter_context(_servers.worker(config, module="bench._noop"))
        with app.app_context():
            wait_for_a_worker()
            began = time.monotonic()
            samples = _soak(Samples(worker.pid), ready_stacks()[:burst], jobs)
            seconds = time.monotonic() - began
            figures = _figures(app, samples)
        emit(bench="soak", jobs=samples.jobs[-1], burst=burst, seconds=round(seconds, 1), **figures)


def _soak(samples: Samples, stacks: list[int], jobs: int) -> Samples:
    done = 0
    while done < jobs:
        asked = [ask(stack_id) for stack_id in stacks[: jobs - done]]
        # A session keeps what it has read; a page's ends with the page.
        db.session.expunge_all()
        wait_until_done(asked, pause=0.2)
        done += len(asked)
        samples.take(done)
    return samples


def _figures(app: Flask, samples: Samples) -> dict[str, Any]:
    tables = {
        table.name: db.session.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables
    }
    with app.extensions["celery"].connection_for_read() as connection:
        waiting = connection.default_channel.client.llen("slipway")
    return {
        "rss_mb": {f"{share:.0%}": samples.memory[samples.at(share)] for share in (0.1, 0.5, 1)},
        "mb_per_10000_jobs": round(samples.slope, 2),
        "open_files": {f"{share:.0%}": samples.files[samples.at(share)] for share in (0.1, 0.5, 1)},
        "messages_waiting": waiting,
        "rows": {name: rows for name, rows in tables.items() if rows},
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=50_000)
    parser.add_argument("--burst", type=int, default=500)
    given = parser.parse_args()
    emit(bench="soak", machine=machine())
    measure(given.jobs, given.burst)


if __name__ == "__main__":
    main()
