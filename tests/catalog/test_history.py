"""The record of templates: jobs are counted as they end, and few runs make no strong claim."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from app import clock, db, migrations
from app.jobs import history, lifecycle
from app.jobs.history import Outcomes
from app.jobs.lifecycle import JobStatus
from app.jobs.models import JobTally
from app.stacks import paces
from app.stacks.models import Duration


def tallies() -> list[tuple[str, date, int, int]]:
    rows = db.session.scalars(
        select(JobTally).order_by(JobTally.kind, JobTally.day).execution_options(populate_existing=True)
    )
    return [(row.kind, row.day, row.succeeded, row.failed) for row in rows]


def test_a_job_counts_once_on_the_day_it_ends(make):
    job = make.job(status=JobStatus.RUNNING)
    assert tallies() == []
    late = datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC)
    lifecycle.apply(job, lifecycle.SUCCEED, finished_at=late)
    job.payload = {"looked": "at again"}
    db.session.flush()
    assert tallies() == [("create", date(2026, 11, 22), 1, 0)]


def test_kinds_and_days_count_apart_and_cancelled_jobs_not_at_all(make):
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    version = make.version()
    for kind, status, at in (
        ("create", JobStatus.SUCCEEDED, now),
        ("create", JobStatus.FAILED, now),
        ("create", JobStatus.FAILED, now - timedelta(days=1)),
        ("update", JobStatus.SUCCEEDED, now),
        ("create", JobStatus.CANCELLED, now),
    ):
        make.job(make.stack(version=version), kind=kind, status=status, finished_at=at)
    assert tallies() == [
        ("create", date(2026, 11, 22), 0, 1),
        ("create", date(2026, 11, 23), 1, 1),
        ("update", date(2026, 11, 23), 1, 0),
    ]


def test_a_job_a_person_gave_up_counts_as_failed(make):
    job = make.job(status=JobStatus.NEEDS_ATTENTION)
    lifecycle.apply(job, lifecycle.GIVE_UP)
    assert history.outcomes_of(job.template_id) == Outcomes(0, 1)


def test_what_ended_before_the_tally_came_is_counted_when_it_comes(app, make):
    engine = app.extensions["engine"]
    job = make.job()
    db.session.commit()
    migrations.downgrade(engine, "20261123_stack_tally")
    migrations.upgrade(engine)
    assert history.outcomes_of(job.template_id) == Outcomes(1, 0)


@pytest.mark.parametrize(
    ("succeeded", "failed", "low", "high"),
    # Worked by hand from the formula: z = 1.2816.
    [(32, 2, 0.87, 0.97), (5, 0, 0.75, 1.0), (0, 5, 0.0, 0.25), (1, 1, 0.17, 0.83), (0, 0, 0.0, 1.0)],
)
def test_the_likely_range_is_wide_for_few_runs(succeeded, failed, low, high):
    assert Outcomes(succeeded, failed).likely == pytest.approx((low, high), abs=0.01)


def test_causes_are_counted_most_frequent_first_and_never_quote_a_stack(make):
    version = make.version()
    reason = {"meaning": "The name is taken.", "advice": "Choose another.", "reason": "secret-name already exists"}
    for failure in (reason, reason, {"sentence": "secret-name broke", "reason": "secret"}, None):
        make.job(make.stack(version=version), status=JobStatus.FAILED, failure=failure)
    causes = history.causes_of_failures(version.template_id)
    assert [(cause.meaning, cause.count) for cause in causes] == [
        ("The name is taken.", 2),
        ("Another reason, told on the stack's own page.", 2),
    ]
    assert "secret" not in repr(causes)


def test_the_pace_is_that_of_the_newest_runs_of_each_template(make):
    queue, postgres = make.template("sqs-queue"), make.template("rds-postgres")
    now = clock.now()

    def took(template, seconds, kind="create", logical_id=""):
        db.session.add(
            Duration(template_id=template.id, kind=kind, logical_id=logical_id, type="", seconds=seconds, at=now)
        )
        db.session.flush()

    for _ in range(20):
        took(queue, 9999)
    for seconds in range(1, 51):
        took(queue, seconds)
        took(queue, 1, logical_id="Queue")
        took(queue, 1, kind="delete")
    took(postgres, 600)
    found = paces.paces_by_template([queue.id, postgres.id])
    assert found == {queue.id: paces.Pace(25, 45, 50), postgres.id: paces.Pace(600, 600, 1)}
    assert not found[postgres.id].is_enough
    assert paces.pace_of(make.template("never-launched").id) is None
