"""The watch over moving stacks: who is woken, who is left alone, what it costs."""

from datetime import timedelta

import pytest
from botocore.client import BaseClient
from sqlalchemy import select, update

from app import clock, db
from app.jobs.chores import Shift
from app.jobs.engine import Worker, due
from app.jobs.models import Duty, Job
from app.stacks import deciding, watching
from app.stacks.noting import stack_of
from app.stacks.requests import Request
from tests.support.cloud import ACCOUNT, REGION

TOPIC = f"{ACCOUNT}/{REGION}"


@pytest.fixture
def calls(monkeypatch):
    """The names of the portal's calls to the cloud, as they are made."""
    names, real = [], BaseClient._make_api_call

    def call(client, operation, arguments):
        if client.meta.config.user_agent_extra == "slipway":
            names.append(operation)
        return real(client, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    return names


@pytest.fixture
def shift():
    poked = []
    shift = Shift(Worker("a watcher", 30), lambda: poked.append(1))
    object.__setattr__(shift, "poked", poked)
    return shift


@pytest.fixture
def parked(launch, work, cloud):
    """A job that waits for news of a stack which takes a while."""
    cloud.faults({"logical_id": "Queue", "seconds": 3})
    stack, job = launch()
    work.until(job, "follow")
    work.expire(job)
    work.once(job)
    yield job
    cloud.faults()


def is_due(job):
    db.session.rollback()
    return job.id in due()


def test_a_following_job_waits_for_the_watch_of_its_place(parked):
    assert (parked.watch_topic, parked.watch_key) == (TOPIC, stack_of(parked).cloud_id)
    assert parked.next_run_at > clock.now() + timedelta(minutes=5)
    assert not is_due(parked)


def test_one_listing_wakes_a_few_for_the_progress_and_describes_none(parked, shift, calls):
    calls.clear()
    watching.watch(shift)
    assert is_due(parked)
    assert set(calls) <= {"AssumeRole", "ListStacks"}
    assert shift.poked == [1]


def test_beyond_those_only_what_has_settled_is_woken(parked, shift, cloud, monkeypatch):
    monkeypatch.setattr(watching, "CLOSER_LOOKS", 0)
    watching.watch(shift)
    assert not is_due(parked)
    cloud.settle(stack_of(parked))
    watching.watch(shift)
    assert is_due(parked)


def test_a_cancelled_job_is_woken_whatever_the_cloud_says(parked, shift, dana, monkeypatch):
    monkeypatch.setattr(watching, "CLOSER_LOOKS", 0)
    deciding.request_cancel(parked, Request(dana))
    db.session.commit()
    watching.watch(shift)
    assert is_due(parked)


def test_a_late_job_is_woken_whatever_the_cloud_says(parked, shift, monkeypatch):
    monkeypatch.setattr(watching, "CLOSER_LOOKS", 0)
    db.session.execute(update(Job).values(deadline_at=clock.now() - timedelta(seconds=1)))
    db.session.commit()
    watching.watch(shift)
    assert is_due(parked)


def test_a_place_that_cannot_be_listed_lets_every_job_look_for_itself(parked, shift, monkeypatch):
    db.session.execute(update(Job).values(watch_topic="999988887777/eu-west-1"))
    db.session.commit()
    watching.watch(shift)
    assert is_due(parked)


def test_a_place_is_watched_by_one_worker(parked, shift):
    watching.watch(shift)
    db.session.execute(update(Job).values(next_run_at=clock.now() + timedelta(hours=1)))
    db.session.commit()
    watching.watch(Shift(Worker("another", 30), lambda: pytest.fail("it woke somebody")))
    assert not is_due(parked)
    assert db.session.scalar(select(Duty.lease_owner)) == "a watcher"


def test_a_stack_seen_moving_is_noted_once_a_minute(parked, shift, work):
    stack = stack_of(parked)
    long_ago = clock.now() - timedelta(hours=1)
    stack.observed_at = long_ago
    db.session.commit()
    watching.watch(shift)
    db.session.refresh(stack)
    seen = stack.observed_at
    assert seen > long_ago
    watching.watch(shift)
    db.session.refresh(stack)
    assert stack.observed_at == seen
