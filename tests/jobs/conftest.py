"""A kind of job made for the test, so that the engine is seen without a feature."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app import db
from app.jobs import engine
from app.jobs.flows import FLOWS, Cancelled, Done, Flow, Step
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from tests.support.factories import Make
from tests.support.work import Work


@pytest.fixture
def work(app: Flask) -> Work:
    return Work(app)


@pytest.fixture
def rehearse(make: Make, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """`rehearse(first=…, second=…)` is a queued job whose steps are these functions."""

    def job(*, ended: Any = None, cancel: Any = None, handles_cancel: tuple[str, ...] = (), **steps: Any) -> Job:
        flow = Flow(
            "rehearse",
            tuple(
                Step(key, run, key in handles_cancel) for key, run in (steps or {"only": lambda run: Done()}).items()
            ),
            cancel or (lambda run: Cancelled()),
            ended or (lambda run, status: None),
        )
        monkeypatch.setitem(FLOWS, "rehearse", flow)
        made = make.job(kind="rehearse", status=JobStatus.QUEUED)
        engine.add_steps(made)
        db.session.commit()
        return made

    return job
