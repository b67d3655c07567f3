"""What the portal tells machines about itself."""

import pytest
from sqlalchemy import text

from app import db
from app.identity import tokens
from app.jobs import workers
from app.jobs.lifecycle import JobStatus


def test_it_lives(client):
    assert client.get("/healthz").json == {"status": "alive"}


def test_it_is_ready_when_database_broker_and_worker_are(client):
    workers.note_alive("host:1")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "database": "ok", "broker": "ok", "worker": "ok"},
    )


def test_pages_are_answered_without_a_worker_and_it_says_so(client):
    workers.note_alive("host:1")
    workers.note_gone("host:1")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json["worker"] == "No worker was seen in the last 30 s; jobs wait until one is back."


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
    assert "another schema" in answer.json["database"]


def test_a_database_that_is_away_is_not_ready(make_app):
    app = make_app(DATABASE_URL="sqlite:////nowhere/at/all.db")
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json["database"] == "The database does not answer."
    assert app.test_client().get("/healthz").status_code == 200


def test_numbers_count_requests_by_route_and_jobs_by_status(client, make):
    make.job(status=JobStatus.QUEUED)
    client.get("/healthz")
    numbers = client.get("/metrics").text
    assert 'slipway_requests_total{method="GET",route="/healthz",status="200"}' in numbers
    assert 'slipway_jobs{status="queued"} 1.0' in numbers
    assert 'slipway_jobs{status="failed"} 0.0' in numbers


FROM_OUTSIDE = {"X-Forwarded-For": "203.0.113.9"}


def test_numbers_are_not_for_everybody_behind_a_proxy(client):
    assert client.get("/metrics", headers=FROM_OUTSIDE).status_code == 401
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 401


@pytest.mark.parametrize(("username", "status"), [("ada", 200), ("dana", 401), ("petra", 401)])
def test_numbers_are_for_administrators_with_a_token(client, make, username, status):
    token = tokens.create(make.person(username), "scraper")
    headers = FROM_OUTSIDE | {"Authorization": f"Bearer {token}"}
    assert client.get("/metrics", headers=headers).status_code == status
