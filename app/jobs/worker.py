"""The worker process: Celery brings hints, a timer finds what no hint announced, a heartbeat keeps the leases."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, worker_shutting_down
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app import db
from app.config import Config
from app.jobs import chores, duties, outbox, stalled, workers
from app.jobs.chores import Chore, Rota, Shift
from app.jobs.engine import Worker, due
from app.logs import log

# The share of a lease that may pass without a heartbeat before the worker stops itself: two beats missed, and time to
# notice. Half a lease after its last beat a worker does nothing any more.
LATEST_BEAT = 0.45
# After this long without a finished search for due jobs a worker is of no use to anybody.
DEAF_SECONDS = 30.0


def make_celery(config: Config) -> Celery:
    """Return the Celery application: hints only, acknowledged late, no results, no schedules, JSON alone."""
    celery = Celery("slipway", set_as_current=False)
    celery.conf.update(
        broker_url=config.broker_url,
        broker_transport="app.jobs.files:Transport" if config.broker_url.startswith("filesystem") else None,
        broker_transport_options=_transport_options(config),
        broker_connection_retry_on_startup=True,
        # The timer runs the jobs meanwhile: to give up would end it.
        broker_connection_max_retries=None,
        broker_connection_timeout=2,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_pool="threads",
        worker_concurrency=int(config.number("WORKER_THREADS")),
        worker_cancel_long_running_tasks_on_connection_loss=True,
        worker_hijack_root_logger=False,
        worker_soft_shutdown_timeout=6,
        worker_send_task_events=False,
        task_default_queue="slipway",
        enable_utc=True,
    )
    return celery


def _transport_options(config: Config) -> dict[str, Any]:
    if config.broker_url.startswith("filesystem"):
        folder = config.data / "broker"
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        messages = str(folder / "messages")
        return {
            "data_folder_in": messages,
            "data_folder_out": messages,
            "control_folder": str(folder / "control"),
            "polling_interval": 0.1,
        }
    if config.broker_url.startswith(("redis", "rediss")):
        return {"visibility_timeout": 60, "socket_connect_timeout": 1, "socket_timeout": 5, "socket_keepalive": True}
    return {}


class Loop:
    """Runs in each worker process beside Celery: every job runs even if no message ever arrives."""

    def __init__(self, app: Flask, worker: Worker):
        config: Config = app.extensions["config"]
        self.app = app
        self.worker = worker
        self.tick_seconds = config.number("TICK_SECONDS")
        self.stopping = threading.Event()
        self.poked = threading.Event()
        self.polled_at = time.monotonic()
        self.beat_at = time.monotonic()
        threads = int(config.number("WORKER_THREADS"))
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="job")
        self.room = threading.Semaphore(threads)
        self.rota = Rota(app, Shift(worker, self.poked.set), self.stopping)

    def start(self) -> None:
        for target in (self._tick_forever, self._beat_forever, self._watch_forever):
            threading.Thread(target=target, daemon=True, name=target.__name__.strip("_")).start()
        self.rota.start()

    def stop(self) -> None:
        self.stopping.set()
        self.pool.shutdown(wait=False, cancel_futures=True)
        with self.app.app_context(), suppress(SQLAlchemyError):
            duties.leave(self.worker.name)
            workers.note_gone(self.worker.name)

    def _tick_forever(self) -> None:
        while not self.stopping.is_set():
            self.poked.wait(self.tick_seconds)
            self.poked.clear()
            try:
                self.tick()
            except SQLAlchemyError as error:
                log.warning("tick_failed", error=type(error).__name__)
            self.polled_at = time.monotonic()

    def tick(self) -> None:
        """Start every due job there is room for; the others are found by the next tick or another worker."""
        with self.app.app_context():
            jobs = due()
        for job_id in jobs:
            if job_id in self.worker.held or not self.room.acquire(blocking=False):
                continue
            self.pool.submit(self._run, job_id)

    def _run(self, job_id: int) -> None:
        try:
            with self.app.app_context():
                self.worker.run(job_id)
        except SQLAlchemyError as error:
            log.warning("job_interrupted", job_id=job_id, error=type(error).__name__)
        except Exception:  # noqa: BLE001 - a thread of the pool keeps what it raises to itself; its lease runs out
            log.exception("job_interrupted", job_id=job_id)
        finally:
            self.room.release()

    def _beat_forever(self) -> None:
        pause = 0.0
        while not self.stopping.wait(pause):
            pause = self.worker.lease_seconds / 6
            began = time.monotonic()
            try:
                with self.app.app_context():
                    self.worker.heartbeat()
                    workers.note_alive(self.worker.name)
                self.beat_at = began
            except SQLAlchemyError as error:
                log.warning("heartbeat_missed", error=type(error).__name__)

    def _watch_forever(self) -> None:
        # A thread of its own: one that waits for a silent database cannot notice that it waits.
        while not self.stopping.wait(self.worker.lease_seconds / 30):
            # Another worker may take our jobs soon, or nobody runs what is due: act no more, at once, and let a
            # supervisor start us afresh.
            if self.is_past_saving():
                log.error("heartbeat_lost", held=len(self.worker.held))
                os._exit(75)
            if self.is_deaf():
                log.error("polls_lost", seconds=DEAF_SECONDS)
                os._exit(75)

    def is_past_saving(self) -> bool:
        """Say whether the leases of jobs held here could run out soon, since no heartbeat got through."""
        return bool(self.worker.held) and time.monotonic() - self.beat_at > self.worker.lease_seconds * LATEST_BEAT

    def is_deaf(self) -> bool:
        """Say whether the search for due jobs has hung: a database that answers with an error does answer."""
        return time.monotonic() - self.polled_at > max(DEAF_SECONDS, 3 * self.tick_seconds)


def resend(shift: Shift | None = None) -> None:
    """Send again the wake-ups nobody acted on."""
    waiting = outbox.pending()
    db.session.rollback()
    for job_id in waiting:
        if not outbox.send(job_id):
            break


def init_app(app: Flask, config: Config) -> None:
    """Give the web process and the worker the same Celery application and task."""
    celery = make_celery(config)
    worker = Worker(f"{socket.gethostname()}:{os.getpid()}", config.number("LEASE_SECONDS"))
    app.extensions["celery"] = celery
    app.extensions["worker"] = worker
    chores.add(app, Chore("resend", resend, 5.0))
    chores.add(app, Chore("revive", stalled.revive, 60.0))

    @celery.task(name="jobs.run", shared=False)
    def run(job_id: int) -> None:
        with app.app_context():
            worker.run(job_id)


def start_with(celery: Celery, app: Flask) -> None:
    """Start the loop when Celery's worker is set up and stop it when it shuts down."""
    loop = Loop(app, app.extensions["worker"])

    # Not with `worker_ready`: that waits for the broker, and jobs do not.
    @celeryd_after_setup.connect(weak=False)
    def ready(**kwargs: Any) -> None:
        loop.start()
        log.info("worker_ready", worker=loop.worker.name)

    @worker_shutting_down.connect(weak=False)
    def shutting_down(**kwargs: Any) -> None:
        loop.stop()
