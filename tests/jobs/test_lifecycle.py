"""A job in every status with every transition."""

import pytest

from app import db
from app.jobs import lifecycle
from app.jobs.lifecycle import TRANSITIONS, UNFINISHED, InvalidTransition, JobStatus
from app.jobs.models import Job


@pytest.mark.parametrize("transition", TRANSITIONS, ids=lambda transition: transition.name)
def test_every_transition_from_every_status(make, transition):
    for status in JobStatus:
        job = make.job(status=status, fence=3)
        if status in transition.sources:
            assert lifecycle.can(job, transition)
            lifecycle.apply(job, transition)
            assert job.status == transition.target
            assert (job.finished_at is None) == (transition.target in UNFINISHED)
        else:
            assert not lifecycle.can(job, transition)
            with pytest.raises(InvalidTransition, match=f"it is {status}"):
                lifecycle.apply(job, transition)
            assert job.status == status


def test_what_has_ended_stays_as_it_ended():
    ended = [status for status in JobStatus if status not in UNFINISHED]
    assert not [move.name for move in TRANSITIONS for status in ended if status in move.sources]


def test_a_status_that_changed_meanwhile_is_not_overwritten(make, app):
    job = make.job(status=JobStatus.WAITING)
    db.session.commit()
    with app.app_context():
        lifecycle.apply(db.session.get(Job, job.id), lifecycle.CONFIRM)
        db.session.commit()
    assert job.status == JobStatus.WAITING
    with pytest.raises(InvalidTransition):
        lifecycle.apply(job, lifecycle.CONFIRM)


def test_a_move_under_an_old_fence_is_refused(make):
    job = make.job(status=JobStatus.RUNNING, fence=3)
    with pytest.raises(InvalidTransition):
        lifecycle.apply(job, lifecycle.SUCCEED, fence=2)
    lifecycle.apply(job, lifecycle.SUCCEED, fence=3)
    assert job.status == JobStatus.SUCCEEDED
