"""T5: the broker is disposable. Its messages may be doubled, dropped or flushed, or it may never have been there."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import valkey
from sqlalchemy import select

from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import Job
from bench._figures import percentile
from tests.chaos.storm.client import Driver
from tests.chaos.storm.installation import Installation
from tests.chaos.storm.waiting import wait_for_quiet
from tests.support.processes import free_port

COPIES = 10
MODES = ("doubled", "dropped", "flushed", "absent")


def run(mode: str, launches: int = 60, seed: int = 1, pause: float = 0.25) -> dict[str, Any]:
    """Launch at a steady pace under one way of being broken; return the figures, start delays among them."""
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    with Installation("postgresql", seed=seed, broker=nowhere if mode == "absent" else "redis") as it:
        if mode == "dropped":
            for worker in it.workers:
                # It hears nothing of what is sent, and nobody is told that a message was lost.
                worker.command += ["-Q", "unheard"]
        it.start_all()
        driver = Driver(it.client, it.history, seed)
        with _breaking(mode, it):
            for number in range(launches):
                driver.launch(f"broker-{number:03}")
                time.sleep(pause)
            wait_for_quiet(it, 60)
        return _figures(it, driver, mode)


@contextmanager
def _breaking(mode: str, it: Installation) -> Iterator[None]:
    acts = {"doubled": _send_again, "flushed": _flush}
    if mode not in acts:
        yield
        return
    over = threading.Event()
    thread = threading.Thread(target=_again_and_again, args=(acts[mode], it, over))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _again_and_again(act: Callable[[Installation], None], it: Installation, over: threading.Event) -> None:
    while not over.wait(0.3):
        act(it)


def _send_again(it: Installation) -> None:
    """Send ten more messages for every job under way."""
    with it.looking() as session:
        for job_id in session.scalars(select(Job.id).where(Job.status.in_(RUNNABLE))).all():
            for _ in range(COPIES):
                it.app.extensions["celery"].send_task("jobs.run", (job_id,))


def _flush(it: Installation) -> None:
    assert it.broker is not None
    with contextlib.suppress(valkey.ValkeyError):
        it.broker.flush()


def _figures(it: Installation, driver: Driver, mode: str) -> dict[str, Any]:
    found, delays = it.violations(), start_delays(it)
    return {
        "mode": mode,
        "violations": len(found),
        "found": [f"{each.invariant} {each.sentence}" for each in found[:5]],
        "stuck": it.unfinished(),
        "launches": driver.statuses.get(202, 0),
        "jobs": it.jobs_by_status(),
        "start_p50_s": round(percentile(delays, 50) / 1000, 2),
        "start_p95_s": round(percentile(delays, 95) / 1000, 2),
    }


def start_delays(it: Installation) -> list[float]:
    """Return, in milliseconds and by the database's clock, how long each job waited for its first claim."""
    with it.looking() as session:
        rows = session.execute(select(Job.created_at, Job.started_at).where(Job.started_at.is_not(None))).all()
    return [(started - created).total_seconds() * 1000 for created, started in rows]
