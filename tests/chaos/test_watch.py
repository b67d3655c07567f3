"""The history file, the watch in the database, and the evidence of a real launch judged as a whole."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app import db
from app.jobs.models import EPOCH, Job
from app.stacks import actions
from app.stacks.actions import Launch
from app.stacks.models import Stack
from app.stacks.requests import Request
from tests.chaos import watch
from tests.chaos.checker import check
from tests.chaos.cloud_proxy import CloudProxy
from tests.chaos.collect import evidence_of, file_texts
from tests.chaos.history import History, requests_of
from tests.support.cloud import Cloud
from tests.support.databases import Database
from tests.support.factories import Make
from tests.support.processes import stop
from tests.support.settings import CLOUD_ACCOUNT
from tests.support.stand_ins import ROOT, start_cloud
from tests.support.work import Work

pytestmark = pytest.mark.chaos

BODY = (ROOT / "catalog/templates/sqs-queue/v1.1.yaml").read_text()


@pytest.fixture(scope="module")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)


@pytest.fixture
def cloud(running_cloud: Cloud) -> Iterator[Cloud]:
    """The cloud, empty again after each test: a stack left over would be nobody's in the next."""
    yield running_cloud
    for name in running_cloud.named_like(""):
        running_cloud.client().delete_stack(StackName=name)
    while running_cloud.named_like(""):
        time.sleep(0.01)


@pytest.fixture
def proxy(cloud: Cloud, tmp_path: Path) -> Iterator[CloudProxy]:
    with CloudProxy(cloud.process.port, tmp_path / "calls.jsonl") as proxy:
        yield proxy


@pytest.fixture
def app(make_app: Any, proxy: CloudProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """A portal on the local cloud behind the proxy, watched in its database."""
    for name, value in CLOUD_ACCOUNT.items():
        monkeypatch.setenv(name, value)
    app = make_app(AWS_ENDPOINT_URL=proxy.url, FOLLOW_SECONDS="0.01", LOOKUP_SECONDS="0")
    with app.app_context(), watch.watching(app.extensions["engine"]):
        yield app
        # A transaction left open would make the watch wait for ever to be taken away.
        db.session.rollback()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    history = History(tmp_path / "history.jsonl")
    yield history
    history.close()


@pytest.fixture
def launched(app: Flask, make: Make, history: History) -> tuple[Stack, Job]:
    """A launch that a client asked for under a key, and its job, not run yet."""
    history.append("launch", "key-1", "sent")
    version = make.version("1.1.0", body=BODY)
    wanted = Launch(version, make.environment(), make.team(), "refunds", {})
    stack, job = actions.launch(wanted, Request(make.person("dana"), key="key-1"))
    db.session.commit()
    history.append("launch", "key-1", "ok", stack.ref, job.ref)
    return stack, job


def violations(app: Flask, cloud: Cloud, proxy: CloudProxy, history: History, **more: Any) -> list[str]:
    db.session.rollback()
    found = check(evidence_of(app, cloud, proxy.calls, history.read(), **more))
    return [f"{each.invariant} {each.sentence}" for each in found]


def test_a_launch_and_its_deletion_are_without_fault(
    app: Flask, launched: tuple[Stack, Job], cloud: Cloud, proxy: CloudProxy, history: History
) -> None:
    stack, job = launched
    work = Work(app)
    assert work(job).status == "succeeded", job.failure
    assert violations(app, cloud, proxy, history) == []
    deletion = actions.request_delete(stack, None, Request(stack.created_by))
    db.session.commit()
    assert work(deletion).status == "succeeded", deletion.failure
    assert violations(app, cloud, proxy, history, canaries=["hunter-2026"]) == []


def test_a_launch_through_faults_is_without_fault(
    app: Flask, launched: tuple[Stack, Job], cloud: Cloud, proxy: CloudProxy, history: History
) -> None:
    proxy.faults.once("CreateChangeSet", "execute_then_fail")
    proxy.faults.once("ExecuteChangeSet", "execute_then_fail")
    assert Work(app)(launched[1]).status == "succeeded", launched[1].failure
    assert violations(app, cloud, proxy, history) == []
    assert sum(call.fault == "execute_then_fail" for call in proxy.calls) == 2


def test_harm_done_behind_the_portals_back_is_found(
    app: Flask, launched: tuple[Stack, Job], cloud: Cloud, proxy: CloudProxy, history: History
) -> None:
    stack, job = launched
    assert Work(app)(job).status == "succeeded", job.failure
    db.session.execute(update(Stack).where(Stack.id == stack.id).values(status="deleting", status_reason="hunter-2026"))
    db.session.execute(update(Job).where(Job.id == job.id).values(fence=0))
    db.session.commit()
    found = violations(app, cloud, proxy, history, canaries=["hunter-2026"])
    assert {each.split()[0] for each in found} == {"I6", "I7", "I8", "I10"}
    assert any("table stack" in each for each in found)


def test_a_write_by_a_former_owner_is_found_where_the_database_tells_connections_apart(
    app: Flask, launched: tuple[Stack, Job], database: Database, cloud: Cloud, proxy: CloudProxy, history: History
) -> None:
    job_id = launched[1].id
    Work(app, "the first").once(launched[1])
    other = db.connect(database.url)
    claim = {"fence": Job.fence + 1, "lease_owner": "the second", "lease_until": db.now(60)}
    for engine, values in ((other, claim), (app.extensions["engine"], {"attempts": 0})):
        with engine.begin() as connection:
            connection.execute(update(Job).where(Job.id == job_id).values(**values))
    other.dispose()
    found = " ".join(violations(app, cloud, proxy, history))
    assert ("the first wrote to it while the second held it" in found) is (database.dialect == "postgresql")


def test_the_log_names_fence_owner_and_moment(app: Flask, launched: tuple[Stack, Job]) -> None:
    work = Work(app, "the first")
    work.once(launched[1])
    with app.extensions["engine"].connect() as connection:
        created, claimed, *_ = watch.job_log(connection)
        stack_changes = watch.stack_log(connection)
    assert (created.old_status, created.new_status, created.new_fence) == (None, "queued", 0)
    assert (claimed.old_status, claimed.new_status, claimed.old_fence, claimed.new_fence) == ("queued", "running", 0, 1)
    assert (claimed.old_owner, claimed.lease_owner) == (None, "the first")
    assert claimed.at > created.at
    assert claimed.old_lease_until == EPOCH
    assert [(change.old_status, change.new_status) for change in stack_changes[:1]] == [(None, "creating")]


def test_what_is_removed_is_gone(app: Flask, launched: tuple[Stack, Job]) -> None:
    engine = app.extensions["engine"]
    watch.remove(engine)
    Work(app).once(launched[1])
    watch.install(engine)
    with engine.connect() as connection:
        assert watch.job_log(connection) == []


def test_a_history_is_read_as_what_a_client_may_count_on(history: History) -> None:
    for key, outcomes in {
        "accepted": ("sent", "unknown", "sent", "ok"),
        "refused": ("sent", "fail"),
        "silent": ("sent",),
        "refused after silence": ("sent", "unknown", "sent", "fail"),
    }.items():
        for outcome in outcomes:
            history.append("launch", key, outcome)
    assert {each.key: each.outcome for each in requests_of(history.read())} == {
        "accepted": "ok",
        "refused": "fail",
        "silent": "unknown",
        "refused after silence": "unknown",
    }


def test_a_history_cut_short_by_a_crash_can_be_read(history: History) -> None:
    history.append("launch", "key-1", "sent")
    with history.file.open("a") as output:
        output.write('{"t": 1.0, "op": "lau')
    assert [entry.key for entry in history.read()] == ["key-1"]
    assert file_texts(history.file.parent)[f"file {history.file}"].endswith("lau")
