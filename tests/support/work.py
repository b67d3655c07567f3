"""A worker driven by hand: it runs in the test's own process, as far as the test says."""

import time
from contextlib import suppress
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from flask import Flask
from sqlalchemy import update

from app import clock, db
from app.jobs import engine
from app.jobs.decisions import Begin, Request
from app.jobs.engine import Worker
from app.jobs.flows import Flow
from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import EPOCH, Job
from app.jobs.run import Run
from app.stacks import watching


class Stopped(BaseException):
    """Ends a worker in the middle of its work, as a signal would."""


class Work:
    """`work(job)` runs a job until it ends or waits for a person; `work.once(job)` claims it a single time."""

    def __init__(self, app: Flask, name: str = "a worker of the tests"):
        self.app = app
        self.worker = Worker(name, lease_seconds=30)

    def __call__(self, job: Job, seconds: float = 20) -> Job:
        deadline = time.monotonic() + seconds
        while True:
            self.once(job)
            if job.status not in RUNNABLE:
                return job
            self.watch(job)
            assert time.monotonic() < deadline, f"{job.kind} is still {job.status}, at {describe(job)}"
            time.sleep(0.01)

    def once(self, job: Job) -> bool:
        """Let the worker try to claim the job, as another process would; say whether there was anything to claim."""
        job_id = job.id
        db.session.commit()
        try:
            with self.app.app_context():
                return self.worker.run(job_id)
        finally:
            db.session.expire_all()

    def watch(self, job: Job) -> None:
        """If the job waits for news, let a watcher look once."""
        if job.watch_topic is not None:
            watching.watch_place(job.watch_topic)
            db.session.expire_all()

    def up_to(self, job: Job, key: str) -> None:
        """Run the job up to a step, and end the worker there as a signal would; its lease has run out since."""
        real = engine._perform

        def perform(run: Run, flow: Flow, request: Request) -> Any:
            # The intent is written with the end of the step before, so a worker dies between the two of them.
            if isinstance(request, Begin) and request.act.step.key == key:
                raise Stopped
            return real(run, flow, request)

        with patch.object(engine, "_perform", perform), suppress(Stopped):
            while job.status in RUNNABLE:
                self.once(job)
                self.watch(job)
                time.sleep(0.01)
        self.expire(job)

    def expire(self, job: Job) -> None:
        """Let the job's lease run out, and its next look come due, at once."""
        db.session.commit()
        past = clock.now() - timedelta(seconds=1)
        db.session.execute(update(Job).where(Job.id == job.id).values(lease_until=EPOCH, next_run_at=past))
        db.session.commit()
        db.session.expire_all()

    def until(self, job: Job, key: str, seconds: float = 20) -> Job:
        """Run the job until the step is the one under way, so that something can happen meanwhile."""
        deadline = time.monotonic() + seconds
        while next(step.key for step in job.steps if step.status not in ("done", "skipped")) != key:
            self.once(job)
            self.watch(job)
            assert time.monotonic() < deadline, f"never came to {key}: {describe(job)}"
        return job


def describe(job: Job) -> str:
    """The steps with their notes, for the message of a failed test."""
    return ", ".join(f"{step.key}: {step.status} {step.note}".strip() for step in job.steps)
