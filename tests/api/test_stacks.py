"""Reading stacks, jobs, events and plans, and who may read how much."""

from datetime import timedelta

import pytest

from app import clock, db
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import JobStep
from app.stacks import walks
from app.stacks.lifecycle import StackStatus
from app.stacks.models import Plan, Resource, StackEvent
from tests.api.conftest import problem

OUTPUT = {"key": "QueueUrl", "value": "https://queue.example/1", "description": "Where to send.", "export": ""}
FAILURE = {"sentence": "Queue could not be created.", "advice": "Try again.", "reason": "No.", "logical_id": "Queue"}


def add_event(stack, job, number, **values):
    event = StackEvent(
        stack_id=stack.id, job_id=job.id, event_id=f"event-{number}", logical_id="Queue", type="AWS::SQS::Queue",
        status="CREATE_COMPLETE", occurred_at=clock.now() + timedelta(seconds=number), **values,
    )  # fmt: skip
    db.session.add(event)
    db.session.flush()


def add_plan(job, *, holds_data=False):
    change = {
        "kind": "replace", "logical_id": "Queue", "physical_id": "q-1", "type": "AWS::SQS::Queue",
        "holds_data": holds_data, "sentence": "Will be replaced.",
        "properties": [{"path": "FifoQueue", "before": "false", "after": "true", "note": ""}],
    }  # fmt: skip
    plan = Plan(
        ref=db.new_ref("pln"), job_id=job.id, change_set_id="cs", digest="a" * 64, changes=[change], untouched=2,
        answer_changes=[{"path": "Fifo", "before": "false", "after": "true", "note": ""}], created_at=clock.now(),
    )  # fmt: skip
    db.session.add(plan)
    db.session.flush()
    return plan


@pytest.fixture
def queue(make):
    """A ready stack of payments, with a job, a resource and an event."""
    stack = make.stack("orders-queue", outputs=[OUTPUT], service=make.service())
    job = make.job(stack)
    resource = Resource(
        stack_id=stack.id, job_id=job.id, logical_id="Queue", physical_id="q-1", type="AWS::SQS::Queue",
        status="CREATE_COMPLETE", reason="Because.",
    )  # fmt: skip
    db.session.add(resource)
    add_event(stack, job, 1, reason="Done.")
    return stack


def test_a_stack_tells_its_whole_story_to_its_team(dana, queue):
    found = dana.get(f"/stacks/{queue.ref}").json
    assert (found["id"], found["name"], found["status"]) == (queue.ref, "orders-queue", "ready")
    assert (found["template"], found["version"], found["running_version"]) == ("sqs-queue", "1.0.0", "1.0.0")
    assert (found["environment"], found["owner"], found["service"]) == ("payments-staging", "payments", "ledger")
    assert found["parameters"] == {"QueueName": "orders-queue"}
    assert found["outputs"] == [{"key": "QueueUrl", "value": OUTPUT["value"], "description": "Where to send."}]
    assert found["output_values"] == {"QueueUrl": OUTPUT["value"]}
    assert found["job"] is None
    assert dana.get(found["links"]["resources"]).json["items"][0]["physical_id"] == "q-1"
    assert dana.get(found["links"]["events"]).json["items"][0]["reason"] == "Done."
    assert dana.get(found["links"]["jobs"]).json["items"][0]["status"] == "succeeded"


def test_others_see_that_it_exists_and_whose_it_is_but_not_its_inside(omar, queue):
    found = omar.get(f"/stacks/{queue.ref}").json
    assert (found["status"], found["owner"]) == ("ready", "payments")
    assert [found["parameters"], found["outputs"], found["output_values"]] == [None, None, None]
    assert "payments" in found["details"]
    [resource] = omar.get(f"/stacks/{queue.ref}/resources").json["items"]
    assert (resource["logical_id"], resource["physical_id"], resource["reason"]) == ("Queue", None, None)
    problem(omar.get(f"/stacks/{queue.ref}/events"), 403)


@pytest.mark.parametrize("person", ["mona", "alan", "petra", "ada"])
def test_managers_auditors_and_the_platform_read_the_inside(person, caller, make, queue):
    found = caller(make.person(person)).get(f"/stacks/{queue.ref}")
    assert found.json["output_values"] == {"QueueUrl": OUTPUT["value"]}


def test_a_job_tells_why_it_failed_to_those_who_may_know(dana, omar, make, queue):
    job = make.job(queue, status=JobStatus.FAILED, kind="update", failure=FAILURE | {"meaning": "", "others": 0})
    db.session.add(JobStep(job_id=job.id, position=0, key="check", status=StepStatus.FAILED))
    found = dana.get(f"/jobs/{job.ref}").json
    assert (found["status"], found["kind"], found["stack"]) == ("failed", "update", queue.ref)
    assert found["failure"] == FAILURE
    assert [(step["key"], step["status"]) for step in found["steps"]] == [("check", "failed")]
    hidden = omar.get(f"/jobs/{job.ref}").json
    assert [hidden["failure"], hidden["steps"], hidden["plan"]] == [None, None, None]
    assert "payments" in hidden["details"]
    assert dana.get(f"/jobs/{job.ref}/events").json["items"] == []
    problem(omar.get(f"/jobs/{job.ref}/events"), 403)


def test_the_job_under_way_stands_in_the_stack(dana, make):
    stack = make.stack(status=StackStatus.CREATING)
    job = make.job(stack, status=JobStatus.RUNNING)
    assert dana.get(f"/stacks/{stack.ref}").json["job"]["id"] == job.ref


def test_a_plan_is_read_in_plain_words_by_those_who_may(dana, omar, make, queue):
    plan = add_plan(make.job(queue, status=JobStatus.WAITING, kind="update"), holds_data=True)
    found = dana.get(f"/plans/{plan.ref}").json
    assert (found["waiting"], found["loses_data"], found["untouched"]) == (True, True, 2)
    assert found["changes"][0]["sentence"] == "Will be replaced."
    assert found["changes"][0]["properties"][0]["after"] == "true"
    assert found["parameters"] == [{"path": "Fifo", "before": "false", "after": "true", "note": ""}]
    problem(omar.get(f"/plans/{plan.ref}"), 403)


def test_what_does_not_exist_is_a_problem_document(dana):
    for path in ("/stacks/stk_00000000", "/jobs/job_00000000", "/plans/pln_00000000", "/jobs/x/events"):
        problem(dana.get(path), 404)
    for path in ("/stacks/stk_0/resources", "/stacks/stk_0/events", "/stacks/stk_0/jobs", "/stacks/a%00b"):
        problem(dana.get(path), 404)


@pytest.mark.parametrize("many", [walks.MANY, -1], ids=["few", "many"])
class TestLists:
    """Whichever way the database is led, the same stacks are found."""

    @pytest.fixture(autouse=True)
    def threshold(self, monkeypatch, many):
        monkeypatch.setattr(walks, "MANY", many)

    @pytest.fixture(autouse=True)
    def stacks(self, make):
        orders = make.environment("orders-staging")
        make.stack("payments-queue")
        make.stack("broken", status=StackStatus.FAILED)
        make.stack("gone", status=StackStatus.DELETED)
        make.stack("orders-queue", environment=orders, team=make.team("orders"))
        other = make.version("1.0.0", template=make.template("s3-bucket"))
        make.stack("files", version=other)

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("", ["files", "orders-queue", "broken", "payments-queue"]),
            ("?team=orders", ["orders-queue"]),
            ("?team=orders,payments&template=sqs-queue&status=ready", ["orders-queue", "payments-queue"]),
            ("?environment=orders-staging", ["orders-queue"]),
            ("?template=s3-bucket", ["files"]),
            ("?status=deleted", ["gone"]),
            ("?status=trouble", ["broken"]),
            ("?status=failed,deleted", ["gone", "broken"]),
            ("?q=queue", ["orders-queue", "payments-queue"]),
            ("?q=q%25", []),
            ("?team=nobody", []),
        ],
    )
    def test_stacks_are_narrowed(self, dana, query, names, many):
        assert [each["name"] for each in dana.get(f"/stacks{query}").json["items"]] == names

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("status=happy", "status"),
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=many", "limit"),
            ("after=nonsense", "after"),
            ("after=Ig", "after"),
            ("after=OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "after"),
            ("teem=orders", "teem"),
            ("team=a&team=b", "team"),
            ("q=%00", "q"),
        ],
    )
    def test_a_wrong_query_is_refused_by_name(self, dana, query, field, many):
        assert list(problem(dana.get(f"/stacks?{query}"), 422)) == [field]

    def test_a_misspelt_name_is_suggested(self, dana, many):
        assert "Did you mean team?" in problem(dana.get("/stacks?teem=orders"), 422)["teem"][0]


def test_jobs_are_narrowed_by_stack_and_status(dana, make):
    first, second = make.stack(), make.stack()
    one, two = make.job(first), make.job(first, status=JobStatus.FAILED)
    make.job(second)
    assert [each["id"] for each in dana.get(f"/jobs?stack={first.ref}").json["items"]] == [two.ref, one.ref]
    assert [each["id"] for each in dana.get("/jobs?status=failed,waiting").json["items"]] == [two.ref]
    assert dana.get("/jobs?stack=stk_00000000").json == {"items": [], "next": None}
