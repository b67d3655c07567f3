"""Jobs nobody would look at again, and those that need no help to be looked at."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app import clock, db
from app.jobs import stalled
from app.jobs.chores import Shift
from app.jobs.engine import Worker, due
from app.jobs.models import EPOCH, Job, Outbox
from app.jobs.stalled import LONGEST_REST
from app.stacks.case import UNWATCHED_SECONDS


@pytest.fixture
def revive(app):
    poked = []

    def once():
        stalled.revive(Shift(Worker("one", 30), lambda: poked.append(1)))
        db.session.expire_all()
        return len(poked)

    return once


def set_times(job, **values):
    db.session.execute(update(Job).where(Job.id == job.id).values(**values))
    db.session.commit()


def far():
    return clock.now() + timedelta(seconds=LONGEST_REST + 60)


def test_no_step_rests_as_long_as_a_stalled_job():
    assert UNWATCHED_SECONDS < LONGEST_REST / 1.5


def test_a_job_that_rests_longer_than_anybody_asks_for_is_made_due(rehearse, revive):
    job = rehearse()
    set_times(job, status="running", next_run_at=far(), lease_until=EPOCH)
    assert not due()
    assert revive() == 1
    assert due() == [job.id]


def test_a_lease_nobody_can_have_asked_for_is_taken_away_and_its_holder_writes_no_more(rehearse, revive, work):
    job = rehearse()
    set_times(job, status="running", lease_owner="gone", lease_until=far(), fence=3)
    revive()
    assert due() == [job.id]
    work(job)
    assert (job.status, job.fence) == ("succeeded", 4)


def test_jobs_at_rest_held_or_waiting_for_people_are_left_alone(rehearse, revive, make):
    soon = clock.now() + timedelta(seconds=UNWATCHED_SECONDS)
    resting, held, waiting = rehearse(), rehearse(), rehearse()
    set_times(resting, status="running", next_run_at=soon, lease_until=EPOCH)
    set_times(held, status="running", lease_owner="one", lease_until=clock.now() + timedelta(seconds=30))
    set_times(waiting, status="waiting", next_run_at=far())
    before = {job.id: (job.next_run_at, job.lease_until) for job in (resting, held, waiting)}
    assert revive() == 0
    assert {job.id: (job.next_run_at, job.lease_until) for job in (resting, held, waiting)} == before


def test_a_queued_job_without_any_wake_up_is_found(rehearse, work):
    job = rehearse()
    assert db.session.scalar(select(func.count()).select_from(Outbox)) == 0
    assert due() == [job.id]
    assert work(job).status == "succeeded"
