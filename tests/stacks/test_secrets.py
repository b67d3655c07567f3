"""Answers nobody may see again: they reach the cloud and stay nowhere else."""

import json
import logging

import pytest
from sqlalchemy import text

from app import db, logs
from app.aws import cloudformation as cfn
from app.jobs import engine
from app.stacks import deciding, queries
from app.stacks.requests import Request

SECRET = "correct-horse-battery-9"

VAULT = """
Parameters:
  Password: {Type: String, NoEcho: true, MinLength: 8}
  Colour: {Type: String, Default: blue}
Resources:
  Vault:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Ref Password, Description: !Ref Colour}
"""


@pytest.fixture
def vault(make):
    return make.version(body=VAULT)


def whole_database() -> str:
    """Every value of every table, as text."""
    names = db.Base.metadata.tables
    rows = [[str(tuple(row)) for row in db.session.execute(text(f'SELECT * FROM "{name}"'))] for name in names]
    return "\n".join(line for table in rows for line in table)


def value_in_the_cloud(cloud, stack) -> str:
    name = next(row.physical_id for row in queries.resources_of(stack) if row.logical_id == "Vault")
    return cloud.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def test_a_secret_reaches_the_cloud_and_stays_nowhere(vault, launch, work, cloud, capfd, caplog, sign_in, dana):
    caplog.set_level(logging.DEBUG)
    stack, job = launch(vault, Password=SECRET)
    assert job.sealed is not None
    assert SECRET not in whole_database()
    assert work(job).status == "succeeded"
    assert value_in_the_cloud(cloud, stack) == SECRET
    assert job.sealed is None
    assert SECRET not in whole_database()

    browser = sign_in(dana)
    for page in ("", "?tab=answers", "?tab=events", "?tab=jobs", "?tab=resources", "/updates/new"):
        answer = browser.get(f"/stacks/{stack.ref}{page}")
        assert answer.status_code == 200
        assert SECRET not in answer.text
    assert SECRET not in browser.get(f"/jobs/{job.ref}").text
    assert SECRET not in capfd.readouterr().out
    assert SECRET not in "".join(record.getMessage() for record in caplog.records if record.name == "slipway")


def test_a_secret_left_empty_in_a_change_stays_as_it_was(vault, ready, update, work, cloud, dana):
    stack = ready(vault, Password=SECRET)
    job = update(stack, Colour="red")
    assert work(job).status == "waiting"
    assert job.payload["kept"] == ["Password"]
    plan = queries.plan_of(job)
    deciding.confirm_plan(plan, plan.digest, Request(dana))
    assert work(job).status == "succeeded"
    assert value_in_the_cloud(cloud, stack) == SECRET


def test_a_new_secret_replaces_the_old_one_and_the_plan_does_not_show_it(vault, ready, update, work, cloud, dana):
    stack = ready(vault, Password=SECRET)
    job = update(stack, Password="another-secret-77")
    assert work(job).status == "waiting"
    plan = queries.plan_of(job)
    assert "another-secret-77" not in json.dumps([plan.changes, plan.answer_changes])
    assert SECRET not in json.dumps([plan.changes, plan.answer_changes])
    assert job.sealed is None
    deciding.confirm_plan(plan, plan.digest, Request(dana))
    assert work(job).status == "succeeded"
    assert value_in_the_cloud(cloud, stack) == "another-secret-77"
    assert "another-secret-77" not in whole_database()


@pytest.mark.parametrize("ending", ["cancelled", "failed"])
def test_a_job_that_never_got_to_the_cloud_forgets_the_secret_too(vault, launch, work, dana, ending, monkeypatch):
    stack, job = launch(vault, Password=SECRET)
    if ending == "cancelled":
        deciding.request_cancel(job, Request(dana))
    else:
        job.deadline_at = job.created_at
    assert work(job).status == ending
    assert job.sealed is None
    assert SECRET not in whole_database()


def test_a_refused_form_gives_no_secret_back(vault, sign_in, dana, make):
    answer = sign_in(dana).post(
        f"/catalog/{vault.template.slug}/launch",
        data={
            "environment": make.environment().slug,
            "name": "NOT A NAME",
            "parameters.Password": SECRET,
            "parameters.Colour": "green",
        },
    )
    assert answer.status_code == 422
    assert "green" in answer.text
    assert SECRET not in answer.text


def test_a_step_that_breaks_logs_no_secret(vault, launch, work, capfd, monkeypatch):
    """A traceback in the log shows where it broke, and not what the variables held."""
    logs.configure("INFO", "json")

    def break_down(client, **request):
        raise RuntimeError("broken")

    monkeypatch.setattr(cfn, "create_change_set", break_down)
    _, job = launch(vault, Password=SECRET)
    for _ in range(engine.MOST_ATTEMPTS + 1):
        work.once(job)
        work.expire(job)
    written = capfd.readouterr()
    assert job.status == "needs_attention"
    assert "step_broke" in written.out
    assert SECRET not in written.out + written.err
