"""A job that needs attention: the platform team lets it try again, its team takes it back."""

from app import db
from app.audit import AuditEntry
from app.jobs.lifecycle import JobStatus
from app.stacks.lifecycle import StackStatus


def stuck(make):
    stack = make.stack(status=StackStatus.CREATING)
    return make.job(stack, status=JobStatus.NEEDS_ATTENTION, kind="create", attempts=5)


def test_the_platform_team_resumes_it(make, sign_in):
    job = stuck(make)
    petra = sign_in(make.person("petra"))
    assert "Resume" in petra.get(f"/jobs/{job.ref}").text
    assert petra.post(f"/jobs/{job.ref}/resumption").status_code == 303
    db.session.expire_all()
    assert (job.status, job.attempts) == (JobStatus.QUEUED, 0)
    assert "job:resumed" in [entry.action for entry in db.session.query(AuditEntry)]
    assert petra.post(f"/jobs/{job.ref}/resumption").status_code == 409


def test_a_developer_may_not_resume_it_but_may_cancel_it(make, sign_in):
    job = stuck(make)
    dana = sign_in(make.person("dana"))
    assert "Resume" not in dana.get(f"/jobs/{job.ref}").text
    assert dana.post(f"/jobs/{job.ref}/resumption").status_code == 403
    assert dana.post(f"/jobs/{job.ref}/cancellation").status_code == 303
    db.session.expire_all()
    assert job.status == JobStatus.QUEUED
    assert job.cancel_requested_at is not None
