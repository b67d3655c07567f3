"""A worker driven by hand: it runs in the test's own process, as far as the test says."""

import time

from flask import Flask

from app import db
from app.jobs.engine import Worker
from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import Job


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

    def until(self, job: Job, key: str, seconds: float = 20) -> Job:
        """Run the job until the step is the one under way, so that something can happen meanwhile."""
        deadline = time.monotonic() + seconds
        while next(step.key for step in job.steps if step.status not in ("done", "skipped")) != key:
            self.once(job)
            assert time.monotonic() < deadline, f"never came to {key}: {describe(job)}"
        return job


def describe(job: Job) -> str:
    """The steps with their notes, for the message of a failed test."""
    return ", ".join(f"{step.key}: {step.status} {step.note}".strip() for step in job.steps)
