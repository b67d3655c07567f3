"""How the engine stands, and what those who run the platform do to a job, through the API."""

import pytest
from sqlalchemy import select

from app import db
from app.audit import AuditEntry
from app.jobs import workers
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from tests.api.conftest import problem
from tests.ops.conftest import GONE, LIVES, queued, stopped  # noqa: F401 - the queue's own fixtures


@pytest.fixture
def petra(make, caller):
    """Somebody who runs the platform."""
    return caller(make.person("petra"))


def test_it_is_for_those_who_run_the_platform(dana, petra):
    assert petra.get("/operations").status_code == 200
    answer = dana.get("/operations")
    problem(answer, 403)
    assert answer.json["detail"] == "Curators and admins run the platform."


def test_it_tells_how_the_queue_stands(petra, queued, stopped):  # noqa: F811
    workers.note_alive(LIVES)
    held, late, stuck = queued("held", lease=20, fence=7), queued("late", due=-90), stopped("stopped")
    found = petra.get("/operations").json
    assert found["parts"] == {"needs_attention": 1, "due": 1, "held": 1, "resting": 0, "waiting": 0}
    assert (found["stuck"], found["due_since"] is not None, found["wake_ups"]) == (1, True, 0)
    assert [each["id"] for each in found["items"]] == [held.ref, late.ref, stuck.ref]
    [attention] = found["attention"]
    assert (attention["id"], attention["why"][:20], attention["step"]) == (stuck.ref, "Slipway tried 5 time", "plan")
    first = found["items"][0]
    assert (first["worker"], first["worker_silent"], first["fence"], first["why"]) == (LIVES, False, 7, None)
    assert 15 < first["lease_seconds"] <= 20
    [worker] = found["workers"]
    assert (worker["name"], worker["silent"], worker["held"]) == (LIVES, False, 1)


def test_the_queue_is_narrowed_and_walked(petra, queued, stopped):  # noqa: F811
    jobs = [queued(f"due-{number}").ref for number in range(5)]
    stopped()
    met, after = [], ""
    while after is not None:
        found = petra.get(f"/operations?part=due&limit=2&after={after}").json
        met, after = met + [each["id"] for each in found["items"]], found["next"]
    assert met == jobs
    held = queued("held", lease=20, holder=GONE)
    assert [each["id"] for each in petra.get(f"/operations?worker={GONE}").json["items"]] == [held.ref]


@pytest.mark.parametrize(
    ("query", "field"), [("part=lost", "part"), ("after=eyJ", "after"), ("after=99999999999999999999", "after")]
)
def test_what_is_not_known_is_refused_by_name(petra, query, field):
    assert list(problem(petra.get(f"/operations?{query}"), 422)) == [field]


def test_a_stopped_job_is_resumed(petra, dana, stopped):  # noqa: F811
    job = stopped()
    problem(dana.post(f"/jobs/{job.ref}/resumption"), 403)
    answer = petra.post(f"/jobs/{job.ref}/resumption")
    assert (answer.status_code, answer.json["status"]) == (202, "queued")
    assert answer.headers["Location"] == f"/api/v1/jobs/{job.ref}"
    problem(petra.post(f"/jobs/{job.ref}/resumption"), 409)


def test_a_job_of_a_silent_worker_is_released(petra, dana, queued):  # noqa: F811
    job = queued("refunds", lease=20, holder=GONE)
    problem(dana.post(f"/jobs/{job.ref}/release"), 403)
    assert petra.post(f"/jobs/{job.ref}/release").status_code == 202
    assert (job.lease_owner, job.fence) == (None, 2)
    problem(petra.post(f"/jobs/{job.ref}/release"), 409)


def test_a_job_is_given_up_with_a_reason(petra, dana, stopped):  # noqa: F811
    job = stopped()
    problem(dana.post(f"/jobs/{job.ref}/abandonment", json={"reason": "No."}), 403)
    assert list(problem(petra.post(f"/jobs/{job.ref}/abandonment", json={}), 422)) == ["reason"]
    assert list(problem(petra.post(f"/jobs/{job.ref}/abandonment", json={"reason": " "}), 422)) == ["reason"]
    answer = petra.post(f"/jobs/{job.ref}/abandonment", json={"reason": "The account was closed."})
    assert (answer.status_code, answer.json["status"]) == (200, "failed")
    assert answer.json["failure"]["sentence"] == "Petra Novak gave it up: The account was closed."
    assert db.session.scalars(select(Stack.status)).all() == [StackStatus.FAILED]
    assert "job:given_up" in db.session.scalars(select(AuditEntry.action)).all()
    problem(petra.post(f"/jobs/{job.ref}/abandonment", json={"reason": "Again."}), 409)
    assert db.session.scalars(select(Job.status)).all() == [JobStatus.FAILED]
