"""A portal on a real local cloud, a worker driven by hand, and the queue template of the shipped catalog."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from app import db
from app.catalog.models import Version
from app.config import ROOT
from app.jobs.models import Job
from app.stacks import actions
from app.stacks.actions import Launch
from app.stacks.models import Stack
from app.stacks.requests import Request
from tests.support.cloud import Cloud
from tests.support.factories import Make
from tests.support.processes import stop
from tests.support.settings import CLOUD_ACCOUNT
from tests.support.stand_ins import start_cloud
from tests.support.work import Work


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """One cloud for all tests of a process; stacks have names of their own, so they do not meet."""
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)


@pytest.fixture
def cloud(running_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The cloud, where nothing fails until the test says so."""
    for name, value in CLOUD_ACCOUNT.items():
        monkeypatch.setenv(name, value)
    yield running_cloud
    running_cloud.faults()


@pytest.fixture
def app(make_app: Callable[..., Flask], cloud: Cloud) -> Iterator[Flask]:
    """A portal that looks often, since nothing in this cloud takes long."""
    app = make_app(AWS_ENDPOINT_URL=cloud.url, FOLLOW_SECONDS="0.01", LOOKUP_SECONDS="0")
    with app.app_context():
        yield app


@pytest.fixture
def work(app: Flask) -> Work:
    return Work(app)


@pytest.fixture
def dana(make: Make) -> Any:
    return make.person("dana")


@pytest.fixture
def queue(make: Make) -> Callable[[str], Version]:
    """`queue("1.1")` is that version of the shipped queue template."""
    folder = ROOT / "catalog/templates/sqs-queue"

    def version(number: str = "1.1") -> Version:
        return make.version(f"{number}.0", body=(folder / f"v{number}.yaml").read_text())

    return version


@pytest.fixture
def launch(make: Make, queue: Callable[[str], Version], dana: Any) -> Callable[..., tuple[Stack, Job]]:
    """Ask for a launch as Dana would: of the queue into payments' staging, unless said otherwise."""

    def ask(version: Version | None = None, name: str = "refunds", **answers: Any) -> tuple[Stack, Job]:
        version = version or queue()
        environment = make.environment()
        stack, job = actions.launch(Launch(version, environment, make.team(), name, answers), Request(dana))
        db.session.commit()
        return stack, job

    return ask


@pytest.fixture
def ready(launch: Callable[..., tuple[Stack, Job]], work: Work) -> Callable[..., Stack]:
    """A stack that has come up."""

    def bring_up(*args: Any, **answers: Any) -> Stack:
        stack, job = launch(*args, **answers)
        assert work(job).status == "succeeded", job.failure
        return stack

    return bring_up


@pytest.fixture
def update(queue: Callable[[str], Version], dana: Any) -> Callable[..., Job]:
    """Ask for a change as Dana would."""

    def ask(stack: Stack, version: Version | None = None, **answers: Any) -> Job:
        given = {**actions.running_answers(stack), **answers}
        job = actions.request_update(stack, version or stack.version, given, Request(dana))
        db.session.commit()
        return job

    return ask
