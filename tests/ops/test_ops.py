"""What the portal tells machines about itself."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text, update

from app import db
from app.identity import tokens
from app.jobs import outbox, workers
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Outbox
from app.jobs.queue import Part

ROOT = Path(__file__).resolve().parents[2]


def test_it_lives(client):
    assert client.get("/healthz").json == {"status": "alive"}


def test_it_is_ready_when_database_broker_and_worker_are(client):
    workers.note_alive("host:1")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "database": "ok", "schema": "ok", "broker": "ok", "worker": "ok", "jobs": "ok"},
    )


def test_pages_are_answered_without_a_worker_and_it_says_so(client):
    workers.note_alive("host:1")
    workers.note_gone("host:1")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["worker"] == "No worker was seen in the last 20 s; jobs wait until one is back."


def test_a_worker_not_seen_for_long_does_not_count(client):
    workers.note_alive("host:1")
    db.session.execute(text("UPDATE worker_seen SET seen_at = '2026-01-01 00:00:00.000000'"))
    assert client.get("/readyz").json["worker"].startswith("No worker was seen")


def test_a_worker_notes_that_it_lives_as_often_as_it_likes(app):
    workers.note_alive("host:1")
    workers.note_alive("host:1")
    workers.note_alive("host:2")
    assert workers.workers_seen() == 2


def test_a_broker_that_is_away_is_said_and_does_not_stop_pages(make_app):
    app = make_app(CELERY_BROKER_URL="redis://127.0.0.1:9/0")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json["broker"] == "The broker does not answer; jobs start with a short delay."


def test_another_schema_is_not_ready(client):
    db.session.execute(text("UPDATE alembic_version SET version_num = 'yesterday'"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json["status"] == "not ready"
    assert answer.json["database"] == "ok"
    assert answer.json["schema"].startswith("The database has another schema than this code.")
    assert answer.json["jobs"] == "Unknown: the database has another schema."


def test_a_database_that_is_away_is_not_ready(make_app):
    app = make_app(DATABASE_URL="sqlite:////nowhere/at/all.db")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["database"] == "The database does not answer."
    assert {answer.json[name] for name in ("schema", "worker", "jobs")} == {"Unknown: the database does not answer."}
    assert app.test_client().get("/healthz").status_code == 200


def test_a_job_that_nobody_takes_is_named_and_does_not_stop_pages(client, queued):
    workers.note_alive("host:1")
    queued("overlooked", lease=-3600, due=-7200)
    longest = queued("long", due=-4000)
    queued("just", due=-10)
    queued("held", lease=20, due=-4000)
    queued("later", due=30)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["status"]) == (200, "ready")
    sentence = "2 jobs have been due for over 60 s and nobody took them: "
    assert answer.json["jobs"] == f"{sentence}{longest.ref} for 1 h 6 min."


def figures(client):
    """Every figure by its name and labels."""
    lines = [line for line in client.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_numbers_count_requests_by_route(client):
    client.get("/healthz")
    assert figures(client)['slipway_requests_total{method="GET",route="/healthz",status="200"}'] >= 1


def test_numbers_tell_how_the_queue_stands(client, everything, queued):
    queued("overlooked", lease=-70, due=-500, holder="host:9")
    found = figures(client)
    by_status = {name: found[f'slipway_jobs{{status="{name}"}}'] for name in ("queued", "running", "waiting")}
    assert by_status == {"queued": 1, "running": 4, "waiting": 1}
    assert found['slipway_jobs{status="needs_attention"}'] == 1
    assert {part: found[f'slipway_queue_jobs{{part="{part}"}}'] for part in Part} == {
        "needs_attention": 1, "due": 2, "held": 2, "resting": 1, "waiting": 1,
    }  # fmt: skip
    # Due since the lease ran out, not since it was last put into the queue.
    assert 70 <= found["slipway_queue_oldest_due_seconds"] < 100
    assert (found["slipway_queue_stuck_jobs"], found["slipway_leases_lost"]) == (1, 1)
    assert (found["slipway_workers"], found["slipway_workers_silent"]) == (1, 1)
    assert found["slipway_job_attempts_most"] == 1
    assert found["slipway_database_up"] == 1


def test_numbers_count_what_ended_by_kind(client, make):
    job = make.job(status=JobStatus.FAILED, kind="delete")
    assert figures(client)['slipway_jobs_ended_total{kind="delete",status="failed"}'] == 1
    assert job.ref


def test_numbers_count_jobs_whose_cloud_does_not_answer(client, queued):
    job = queued("refunds", status=JobStatus.RUNNING, due=5)
    assert figures(client)["slipway_jobs_asking_again"] == 0
    job.steps[1].status, job.steps[1].output = "waiting", {"asked_in_vain": 2}
    assert figures(client)["slipway_jobs_asking_again"] == 1


def test_numbers_tell_of_wake_ups_nobody_acts_on(client, make, app):
    outbox.announce(make.job(status=JobStatus.QUEUED).id)
    db.session.execute(update(Outbox).values(created_at=db.now(-90)))
    found = figures(client)
    assert found["slipway_wake_ups_waiting"] == 1
    assert 90 <= found["slipway_wake_ups_oldest_seconds"] < 120


def test_numbers_say_when_the_database_is_away(make_app):
    found = figures(make_app(DATABASE_URL="sqlite:////nowhere/at/all.db").test_client())
    assert found["slipway_database_up"] == 0
    assert "slipway_queue_stuck_jobs" not in found


def test_numbers_do_not_read_what_has_ended(client, make, queued, count_queries):
    """What ever ran is many times what runs; a figure must not cost a walk through it."""
    queued("due")
    with count_queries() as queries:
        client.get("/metrics")
    plans = [plan for query in queries if " job" in query and "job_tally" not in query for plan in plan_of(query)]
    assert plans
    assert not [plan for plan in plans if plan.strip().startswith(("SCAN job", "-> Seq Scan on job"))], plans


def plan_of(query):
    """How the database would answer a statement of SQLite's; PostgreSQL reads a table this small from end to end."""
    if db.session.get_bind().dialect.name != "sqlite":
        return ["not asked"]
    given = tuple("" for _ in range(query.count("?")))
    return [row[3] for row in db.session.connection().exec_driver_sql("EXPLAIN QUERY PLAN " + query, given)]


def test_every_number_is_in_the_guide(client):
    told = client.get("/metrics").text
    named = set(re.findall(r"^# TYPE (slipway_\w+)", told, re.MULTILINE))
    named = {name for name in named if not name.endswith("_created")}
    guide = (ROOT / "docs" / "production.md").read_text()
    assert set(re.findall(r"^\| `(slipway_\w+)", guide, re.MULTILINE)) == named


FROM_OUTSIDE = {"X-Forwarded-For": "203.0.113.9"}


def test_numbers_are_not_for_everybody_behind_a_proxy(client):
    assert client.get("/metrics", headers=FROM_OUTSIDE).status_code == 401
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 401


@pytest.mark.parametrize(("username", "status"), [("ada", 200), ("dana", 401), ("petra", 401)])
def test_numbers_are_for_administrators_with_a_token(client, make, username, status):
    token = tokens.create(make.person(username), "scraper")
    headers = FROM_OUTSIDE | {"Authorization": f"Bearer {token}"}
    assert client.get("/metrics", headers=headers).status_code == status
