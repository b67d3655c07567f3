"""Launching, changing, confirming, cancelling and deleting through the API."""

import pytest
from sqlalchemy import func, select

from app import db
from app.audit import AuditEntry
from app.catalog.models import VersionStatus
from app.jobs.engine import Worker
from app.jobs.lifecycle import JobStatus
from app.jobs.models import EPOCH, Job
from app.stacks import performing, planning
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Stack
from tests.api.conftest import problem
from tests.api.test_stacks import add_plan

LAUNCH = {
    "template": "sqs-queue",
    "environment": "payments-staging",
    "name": "orders-events",
    "parameters": {"QueueName": "orders-events"},
}
TYPED = """\
Parameters:
  Size: {Type: Number, Default: 5, MaxValue: 10}
  Fifo: {Type: String, AllowedValues: ["true", "false"], Default: "false"}
  Zones: {Type: CommaDelimitedList, Default: "a,b"}
  Password: {Type: String, NoEcho: true, MinLength: 8}
Resources:
  Queue: {Type: AWS::SQS::Queue}
"""


@pytest.fixture(autouse=True)
def queue_template(make):
    return make.version("1.0.0")


def only_stack():
    return db.session.scalars(select(Stack)).one()


class TestLaunch:
    def test_it_answers_202_with_stack_and_job(self, dana):
        response = dana.post("/stacks", json=LAUNCH | {"version": "1.0.0"})
        assert response.status_code == 202
        stack, job = response.json["stack"], response.json["job"]
        assert (stack["name"], stack["status"], stack["version"]) == ("orders-events", "creating", "1.0.0")
        assert (job["status"], job["kind"], job["via"], job["requested_by"]) == ("queued", "create", "api", "dana")
        assert response.headers["Location"] == f"/api/v1/jobs/{job['id']}"
        assert dana.get(response.headers["Location"]).json["stack"] == stack["id"]
        assert only_stack().answers == {"QueueName": "orders-events"}

    def test_the_owner_follows_from_environment_service_or_ones_only_team(self, dana, make):
        make.environment("sandbox")
        assert dana.post("/stacks", json=LAUNCH | {"environment": "sandbox"}).json["stack"]["owner"] == "payments"
        named = LAUNCH | {"environment": "sandbox", "name": "second", "owner": "payments", "service": "ledger"}
        make.service()
        found = dana.post("/stacks", json=named).json["stack"]
        assert (found["owner"], found["service"]) == ("payments", "ledger")

    def test_who_may_launch_for_many_teams_says_for_which(self, caller, make):
        make.environment("sandbox")
        petra = caller(make.person("ada"))
        errors = problem(petra.post("/stacks", json=LAUNCH | {"environment": "sandbox"}), 422)
        assert "which one will own" in errors["owner"][0]

    def test_answers_may_be_numbers_booleans_and_lists(self, dana, make):
        make.version("2.0.0", body=TYPED)
        given = {"Size": 7, "Fifo": True, "Zones": ["x", "y"], "Password": "correct horse"}
        assert dana.post("/stacks", json=LAUNCH | {"version": "2.0.0", "parameters": given}).status_code == 202
        assert only_stack().answers == {"Size": "7", "Fifo": "true", "Zones": "x,y"}

    def test_a_secret_is_in_no_answer(self, dana, make):
        make.version("2.0.0", body=TYPED)
        given = {"Password": "correct horse"}
        response = dana.post("/stacks", json=LAUNCH | {"version": "2.0.0", "parameters": given})
        texts = [response.text] + [
            dana.get(path).text
            for path in (f"/stacks/{response.json['stack']['id']}", f"/jobs/{response.json['job']['id']}", "/stacks")
        ]
        assert not any("correct horse" in text for text in texts)
        refused = dana.post("/stacks", json=LAUNCH | {"version": "2.0.0", "parameters": {"Password": "short"}})
        assert "short" not in " ".join(problem(refused, 422)["parameters.Password"])

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"template": "no-such"}, "template"),
            ({"version": "9.9.9"}, "version"),
            ({"environment": "no-such"}, "environment"),
            ({"service": "no-such"}, "service"),
            ({"owner": "no-such"}, "owner"),
            ({"name": "Orders Events"}, "name"),
            ({"name": 5}, "name"),
            ({"parameters": {}}, "parameters.QueueName"),
            ({"parameters": {"QueueName": "a", "Colour": "red"}}, "parameters.Colour"),
            ({"parameters": {"QueueName": None}}, "parameters.QueueName"),
            ({"parameters": {"QueueName": {"a": 1}}}, "parameters.QueueName"),
            ({"parameters": {"QueueName": "a\0b"}}, "parameters.QueueName"),
            ({"parameters": {"QueueName": "\ud800"}}, "parameters.QueueName"),
            ({"parameters": {"QueueName": 1e999}}, None),
            ({"parameters": ["QueueName"]}, "parameters"),
            ({"protected": False}, "protected"),
        ],
    )
    def test_what_is_wrong_is_named_as_the_caller_wrote_it(self, dana, changes, field):
        response = dana.post("/stacks", json=LAUNCH | changes)
        assert list(problem(response, 422 if field else 400)) == ([field] if field else [])
        assert db.session.scalar(select(func.count(Stack.id))) == 0

    def test_every_wrong_name_is_told_at_once(self, dana):
        wrong = {"template": "x", "environment": "y", "service": "z", "name": "fine-name"}
        assert set(problem(dana.post("/stacks", json=wrong), 422)) == {"template", "environment", "service"}

    def test_a_missing_field_is_named(self, dana):
        assert set(problem(dana.post("/stacks", json={}), 422)) == {"template", "environment", "name"}

    def test_a_name_that_is_taken_is_refused(self, dana, make):
        make.stack("orders-events")
        assert "already" in problem(dana.post("/stacks", json=LAUNCH), 422)["name"][0]

    def test_a_retired_version_is_refused(self, dana, make):
        make.version("0.9.0", status=VersionStatus.RETIRED)
        assert "retired" in problem(dana.post("/stacks", json=LAUNCH | {"version": "0.9.0"}), 422)["version"][0]

    def test_another_teams_environment_is_refused(self, dana, omar, caller, make):
        problem(omar.post("/stacks", json=LAUNCH), 403)
        problem(caller(make.person("mona")).post("/stacks", json=LAUNCH), 403)
        assert caller(make.person("petra")).post("/stacks", json=LAUNCH).status_code == 202

    def test_nobody_launches_in_another_teams_name(self, dana, make):
        make.environment("sandbox")
        make.team("orders")
        refused = dana.post("/stacks", json=LAUNCH | {"environment": "sandbox", "owner": "orders"})
        problem(refused, 403)
        problem(dana.post("/stacks", json=LAUNCH | {"owner": "orders"}), 403)

    def test_another_teams_service_is_refused(self, dana, make):
        make.service("shop", team=make.team("orders"))
        assert "shop" in problem(dana.post("/stacks", json=LAUNCH | {"service": "shop"}), 422)["service"][0]


def confirm(run):
    """Take the step that waits for a yes, for the claim, and return what it answers."""
    step, answer = planning.confirm(performing.begin(run)), None
    while True:
        try:
            answer = performing.perform(run, step.send(answer))
        except StopIteration as end:
            return end.value


class TestUpdate:
    def test_left_out_answers_keep_their_value(self, dana, make):
        version = make.version("2.0.0", body=TYPED)
        answers = {"Size": "7", "Fifo": "true", "Zones": "a"}
        stack = make.stack(version=version, answers=answers, running_answers=answers)
        response = dana.post(f"/stacks/{stack.ref}/updates", json={"parameters": {"Size": 9}})
        assert (response.status_code, response.json["job"]["kind"]) == (202, "update")
        job = db.session.scalars(select(Job)).one()
        assert job.payload["answers"] == {"Size": "9", "Fifo": "true", "Zones": "a"}
        assert set(job.payload["kept"]) == {"Fifo", "Zones", "Password"}

    def test_what_is_wrong_is_named(self, dana, make):
        stack = make.stack()
        address = f"/stacks/{stack.ref}/updates"
        assert list(problem(dana.post(address, json={"version": "9.9.9"}), 422)) == ["version"]
        assert list(problem(dana.post(address, json={"parameters": {"Nope": 1}}), 422)) == ["parameters.Nope"]
        assert list(problem(dana.post(address, json={"confirm": "yes"}), 422)) == ["confirm"]

    def test_others_and_busy_stacks_are_refused(self, dana, omar, make):
        stack = make.stack()
        problem(omar.post(f"/stacks/{stack.ref}/updates", json={}), 403)
        job = make.job(stack, status=JobStatus.RUNNING)
        refused = dana.post(f"/stacks/{stack.ref}/updates", json={})
        problem(refused, 409)
        assert refused.json["job"] == job.ref

    @pytest.mark.parametrize(("holds_data", "goes_on"), [(False, True), (True, False)])
    def test_a_yes_in_advance_covers_what_loses_no_data(self, dana, make, holds_data, goes_on):
        stack = make.stack()
        body = {"parameters": {"QueueName": "other"}, "confirm": True}
        response = dana.post(f"/stacks/{stack.ref}/updates", json=body)
        job = db.session.scalars(select(Job).where(Job.ref == response.json["job"]["id"])).one()
        plan = add_plan(job, holds_data=holds_data)
        db.session.commit()
        for _ in range(2):
            outcome = confirm(Worker("tests", 30).claim(job.id) or pytest.fail("not claimed"))
            assert (type(outcome).__name__ == "Done") is goes_on
            db.session.refresh(job)
            job.lease_until = EPOCH
            db.session.commit()
        db.session.refresh(plan)
        assert (plan.confirmed_by_id == job.requested_by_id) is goes_on
        told = select(func.count(AuditEntry.id)).where(AuditEntry.action == "plan:confirmed")
        assert db.session.scalar(told) == (1 if goes_on else 0)


class TestRetry:
    def test_a_failed_stack_is_launched_again_with_its_answers(self, dana, make):
        stack = make.stack(status=StackStatus.FAILED)
        response = dana.post(f"/stacks/{stack.ref}/retries", json={})
        assert (response.status_code, response.json["stack"]["status"]) == (202, "creating")
        assert stack.answers["QueueName"] == stack.name

    def test_one_that_is_ready_is_not(self, dana, make):
        problem(dana.post(f"/stacks/{make.stack().ref}/retries", json={}), 409)


class TestPlans:
    @pytest.fixture
    def waiting(self, make):
        return make.job(make.stack("orders-queue"), status=JobStatus.WAITING, kind="update")

    def test_a_yes_to_the_plan_that_was_read_lets_the_job_go_on(self, dana, omar, waiting):
        plan = add_plan(waiting)
        address = f"/plans/{plan.ref}/confirmation"
        problem(omar.post(address, json={"digest": plan.digest}), 403)
        problem(dana.post(address, json={"digest": "b" * 64}), 409)
        assert list(problem(dana.post(address, json={}), 422)) == ["digest"]
        response = dana.post(address, json={"digest": plan.digest})
        assert (response.status_code, response.json["status"]) == (202, "queued")
        assert response.headers["Location"] == f"/api/v1/jobs/{waiting.ref}"
        assert "already" in dana.post(address, json={"digest": plan.digest}).json["detail"]

    def test_losing_data_takes_the_stacks_name(self, dana, waiting):
        plan = add_plan(waiting, holds_data=True)
        address = f"/plans/{plan.ref}/confirmation"
        assert list(problem(dana.post(address, json={"digest": plan.digest}), 422)) == ["confirmation"]
        named = {"digest": plan.digest, "confirmation": "orders-queue"}
        assert dana.post(address, json=named).status_code == 202


class TestCancel:
    def test_a_job_is_asked_to_stop(self, dana, omar, make):
        job = make.job(make.stack(status=StackStatus.CREATING), status=JobStatus.RUNNING)
        problem(omar.post(f"/jobs/{job.ref}/cancellation"), 403)
        response = dana.post(f"/jobs/{job.ref}/cancellation")
        assert response.status_code == 202
        assert response.json["cancel_requested_at"]

    def test_one_that_has_ended_is_not(self, dana, make):
        problem(dana.post(f"/jobs/{make.job().ref}/cancellation"), 409)


class TestDelete:
    def test_it_answers_202_with_the_job(self, dana, omar, make):
        stack = make.stack()
        problem(omar.delete(f"/stacks/{stack.ref}"), 403)
        response = dana.delete(f"/stacks/{stack.ref}")
        assert response.status_code == 202
        assert (response.json["stack"]["id"], response.json["job"]["kind"]) == (stack.ref, "delete")
        problem(dana.delete(f"/stacks/{stack.ref}"), 409)

    def test_a_protected_stack_is_refused_until_the_protection_is_off(self, dana, omar, make):
        stack = make.stack(is_protected=True)
        address = f"/stacks/{stack.ref}"
        problem(dana.delete(address), 409)
        problem(omar.patch(address, json={"protected": False}), 403)
        assert list(problem(dana.patch(address, json={"protected": "no"}), 422)) == ["protected"]
        assert list(problem(dana.patch(address, json={"protected": False, "owner": "me"}), 422)) == ["owner"]
        assert dana.patch(address, json={"protected": False}).json["protected"] is False
        assert dana.delete(address).status_code == 202

    def test_one_that_is_gone_is_refused(self, dana, make):
        problem(dana.delete(f"/stacks/{make.stack(status=StackStatus.DELETED).ref}"), 409)


def test_what_runs_can_be_kept(dana, omar, make):
    stack = make.stack(status=StackStatus.TAINTED, running_answers={"QueueName": "old"})
    stack.running_version_id = stack.version_id
    problem(omar.post(f"/stacks/{stack.ref}/acceptance"), 403)
    found = dana.post(f"/stacks/{stack.ref}/acceptance").json
    assert (found["status"], found["parameters"]) == ("ready", {"QueueName": "old"})
    problem(dana.post(f"/stacks/{stack.ref}/acceptance"), 409)
