"""The worker as another process, with a real broker, with files for a broker, and with no broker at all."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app import db
from app.jobs import engine, outbox, workers
from app.jobs.flows import FLOWS, Cancelled, Done, Flow, Step
from app.jobs.lifecycle import UNFINISHED
from app.jobs.worker import Loop
from app.stacks import actions
from app.stacks.actions import Launch
from app.stacks.lifecycle import StackStatus
from app.stacks.requests import Request
from tests.support.cloud import Cloud
from tests.support.factories import Make
from tests.support.processes import free_port, stop
from tests.support.settings import CLOUD_ACCOUNT
from tests.support.stand_ins import start_cloud
from tests.support.work import describe

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)


@pytest.fixture
def start_worker(tmp_path, cloud):
    """Start `celery -A app.worker` on the application's settings; it is stopped at the end."""
    running = []

    def start(app):
        config = app.extensions["config"]
        environment = {**os.environ, **config.values, **CLOUD_ACCOUNT}
        command = [sys.executable, "-m", "celery", "-A", "app.worker", "worker", "--loglevel", "WARNING"]
        with (tmp_path / "worker.txt").open("wb") as output:
            running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output))

    yield start
    for process in running:
        process.terminate()
        assert process.wait(15) == 0, (tmp_path / "worker.txt").read_text()[-2000:]


@pytest.fixture
def launched(make_app, cloud, monkeypatch):
    """Launch a queue with these settings; return the portal, the stack and the job."""
    for name, value in CLOUD_ACCOUNT.items():
        monkeypatch.setenv(name, value)

    def ask(**settings):
        app = make_app(AWS_ENDPOINT_URL=cloud.url, FOLLOW_SECONDS="0.05", **settings)
        context = app.app_context()
        context.push()
        contexts.append(context)
        make = Make()
        wanted = Launch(make.version(), make.environment(), make.team(), "refunds", {"QueueName": f"q-{free_port()}"})
        stack, job = actions.launch(wanted, Request(make.person("dana")))
        return app, stack, job

    contexts = []
    yield ask
    for context in contexts:
        context.pop()


def ends(job):
    """Wait until the job has ended in the database; return how."""
    return reaches(job, lambda: job.status not in UNFINISHED)


def reaches(job, there, seconds=30):
    """Wait until the job has come there; return its status then. No lock is held between two looks, or afterwards."""
    deadline = time.monotonic() + seconds
    while True:
        db.session.refresh(job)
        status, is_there, so_far = str(job.status), there(), describe(job)
        db.session.rollback()
        if is_there:
            return status
        assert time.monotonic() < deadline, so_far
        time.sleep(0.1)


def test_a_wake_up_over_a_broker_brings_the_job_to_a_worker(launched, start_worker, broker):
    # The timer is far too slow to be what found it.
    app, _, job = launched(CELERY_BROKER_URL=broker.url, TICK_SECONDS="300")
    db.session.commit()
    start_worker(app)
    assert reaches(job, lambda: job.fence > 0 and job.steps[0].status == "done")


def test_files_serve_as_a_broker_too(launched, start_worker):
    app, stack, job = launched(TICK_SECONDS="0.2")
    db.session.commit()
    start_worker(app)
    assert ends(job) == "succeeded"
    db.session.refresh(stack)
    assert (stack.status, stack.outputs[0]["key"]) == (StackStatus.READY, "QueueUrl")
    assert workers.workers_seen() == 1
    db.session.rollback()


def test_without_any_broker_the_timer_finds_the_job(launched, monkeypatch):
    monkeypatch.setattr(outbox, "_silent_until", 0.0)
    nowhere = f"redis://127.0.0.1:{free_port()}/0"
    app, stack, job = launched(CELERY_BROKER_URL=nowhere, TICK_SECONDS="0.05")
    began = time.monotonic()
    db.session.commit()
    assert time.monotonic() - began < 5
    loop = Loop(app, app.extensions["worker"])
    loop.start()
    try:
        assert ends(job) == "succeeded"
    finally:
        loop.stop()
        monkeypatch.setattr(outbox, "_silent_until", 0.0)


def test_a_broker_that_is_away_is_not_waited_for_twice(app, make, monkeypatch):
    tries = []

    def fail(*args, **kwargs):
        tries.append(args)
        raise ConnectionError

    monkeypatch.setattr(outbox, "_silent_until", 0.0)
    monkeypatch.setattr(app.extensions["celery"], "send_task", fail)
    assert [outbox.send(1), outbox.send(2), outbox.send(3)] == [False, False, False]
    assert len(tries) == 1
    monkeypatch.setattr(outbox, "_silent_until", 0.0)


def test_a_worker_without_a_heartbeat_stops_before_its_leases_end(app):
    loop = Loop(app, app.extensions["worker"])
    loop.worker.held[1] = 1
    assert not loop.is_past_saving()
    loop.beat_at = time.monotonic() - loop.worker.lease_seconds * 0.7
    assert loop.is_past_saving()
    loop.worker.held.clear()
    assert not loop.is_past_saving()


def hear(app, job_id):
    """What Celery's task does with a message."""
    with app.app_context():
        app.extensions["worker"].run(job_id)


def test_a_job_is_run_once_though_the_timer_and_many_messages_find_it(app, make, monkeypatch):
    ran = []
    flow = Flow(
        "rehearse", (Step("only", lambda run: ran.append(1) or time.sleep(0.05) or Done()),), lambda run: Cancelled()
    )
    monkeypatch.setitem(FLOWS, "rehearse", flow)
    job = make.job(kind="rehearse", status="queued")
    engine.add_steps(job)
    job_id = job.id
    db.session.commit()
    loop = Loop(app, app.extensions["worker"])
    for _ in range(3):
        loop.tick()
        loop.pool.submit(hear, app, job_id)
    loop.pool.shutdown()
    db.session.expire_all()
    assert (ran, job.status) == ([1], "succeeded")
