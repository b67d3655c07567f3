"""A queue in every state: what is due, held, resting, waiting and stopped."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app import clock, db
from app.jobs import workers
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep, WorkerSeen
from app.stacks.lifecycle import StackStatus
from tests.support.browser import Browser
from tests.support.factories import Make

LIVES, GONE = "host:1", "host:2"


@pytest.fixture
def petra(sign_in: Callable[..., Browser], make: Make) -> Browser:
    """Somebody who runs the platform."""
    return sign_in(make.person("petra"))


@pytest.fixture
def queued(make: Make) -> Callable[..., Job]:
    """`queued("refunds", status=…, lease=20, by=LIVES, due=-90)`: a job on a new stack, times in seconds from now."""

    def job(name: str, *, lease: float | None = None, holder: str | None = None, due: float = 0, **values: Any) -> Job:
        values.setdefault("status", JobStatus.QUEUED)
        if lease is not None:
            values |= {"lease_owner": holder or LIVES, "lease_until": clock.now() + timedelta(seconds=lease)}
            values |= {"status": JobStatus.RUNNING, "fence": values.get("fence", 1), "attempts": 1}
        values.setdefault("created_at", clock.now() - timedelta(hours=2, seconds=10))
        values["next_run_at"] = clock.now() + timedelta(seconds=due)
        made = make.job(make.stack(name, status=StackStatus.CREATING), **values)
        begun = clock.now() - timedelta(minutes=3)
        db.session.add(JobStep(job_id=made.id, position=0, key="check", status=StepStatus.DONE, attempt=1))
        db.session.add(
            JobStep(job_id=made.id, position=1, key="plan", status=StepStatus.ACTIVE, attempt=6, intent_at=begun)
        )
        db.session.flush()
        return made

    return job


@pytest.fixture
def stopped(queued: Callable[..., Job]) -> Callable[..., Job]:
    """A job that needs attention."""

    def job(name: str = "refunds", **values: Any) -> Job:
        told = {"sentence": "Slipway tried 5 times and did not get through this step.", "advice": "", "reason": ""}
        return queued(name, status=JobStatus.NEEDS_ATTENTION, **{"failure": told} | values)

    return job


@pytest.fixture
def everything(queued: Callable[..., Job], stopped: Callable[..., Job]) -> dict[str, Job]:
    """One job in each part of the queue, one held by a worker that is gone, and one that has ended."""
    seen(LIVES)
    seen(GONE, ago=25)
    return {
        "stopped": stopped("stopped"),
        "due": queued("due", due=-41),
        "held": queued("held", lease=20),
        "abandoned": queued("abandoned", lease=5, holder=GONE),
        "resting": queued("resting", due=30, status=JobStatus.RUNNING),
        "waiting": queued("waiting", status=JobStatus.WAITING, kind="update"),
        "ended": queued("ended", status=JobStatus.SUCCEEDED),
    }


def seen(name: str, ago: float = 0) -> None:
    """Note that a worker was seen so many seconds ago."""
    workers.note_alive(name)
    db.session.execute(update(WorkerSeen).where(WorkerSeen.name == name).values(seen_at=db.now(-ago)))
    db.session.commit()
