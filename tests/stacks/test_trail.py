"""From the click to the call in the cloud: one word finds every line, in the web's log and in the worker's."""

from sqlalchemy import select

from app import db
from app.jobs.models import Job
from tests.support.logged import lines_as_json

LAUNCH = {"name": "refunds", "environment": "payments-staging", "parameters.VisibilityTimeoutSeconds": "60"}
OURS = ("job_asked_for", "request", "cloud_call", "job_ended")


def test_a_click_is_found_again_at_the_call_it_led_to(queue, make, dana, sign_in, work, capsys):
    queue("1.1")
    make.environment()
    browser = sign_in(dana)
    with lines_as_json(capsys) as lines:
        answer = browser.post("/catalog/sqs-queue/launch", data=LAUNCH)
        assert answer.status_code == 303, answer.text
        clicked = answer.headers["X-Request-Id"]
        job = db.session.scalars(select(Job)).one()
        assert work(job).status == "succeeded", job.failure
        found = [line for line in lines() if line.get("request_id") == clicked and line["event"] in OURS]
    assert [line["event"] for line in found if "job_id" not in line] == ["job_asked_for", "request"]
    assert found[-1]["event"] == "job_ended"
    calls = {line["operation"]: line for line in found if line["event"] == "cloud_call"}
    # What only looks is not told at this level.
    assert set(calls) == {"AssumeRole", "CreateChangeSet", "ExecuteChangeSet"}
    for line in calls.values():
        assert (line["job"], line["job_id"], line["status"]) == (job.ref, job.id, 200)
        assert line["fence"] >= 1
        assert line["cloud_request_id"]
