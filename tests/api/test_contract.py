"""The API keeps to its own description, whatever is sent to it."""

import contextvars

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import positive_data_acceptance

from app import db
from app.jobs.lifecycle import JobStatus
from app.stacks.lifecycle import StackStatus
from tests.api.test_stacks import add_event, add_plan

EXAMPLES = 12
# A schema cannot say that a name has to exist or that a cursor has to be ours, so a well-formed request may be refused.
NOT_MEANT = [positive_data_acceptance]


@schemathesis.deserializer("text/yaml")
def read_body(context, response):
    """A body is described as text: its short tags (`!Ref`) are CloudFormation's own and no reader's of plain YAML."""
    return response.text


@pytest.fixture
def world(make):
    """One of everything, and what stands in paths for it."""
    make.version("1.0.0")
    make.service()
    make.stack("failed-queue", status=StackStatus.FAILED)
    stack = make.stack("orders-queue", outputs=[{"key": "Url", "value": "x", "description": "", "export": ""}])
    job = make.job(stack, status=JobStatus.WAITING, kind="update")
    add_event(stack, job, 1)
    plan = add_plan(job)
    return {
        "stack_id": stack.ref,
        "job_id": job.ref,
        "plan_id": plan.ref,
        "number": "1.0.0",
        "slug": {"templates": "sqs-queue", "environments": "payments-staging"},
    }


@pytest.fixture
def description(client, world):
    """The API's description, in which paths lead to what exists, or nowhere."""
    document = client.get("/api/v1/openapi.json").json
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    known = world[parameter["name"]]
                    known = known[path.split("/")[3]] if isinstance(known, dict) else known
                    parameter["schema"]["enum"] = [known, "no-such"]
    return document


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_route_answers_as_described(app, dana, description, mode):
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    db.session.commit()
    asked = 0
    for operation in schema.get_all_operations():
        asked += try_out(operation.ok(), dana.token, mode)
    assert asked > 100


def try_out(operation, token, mode):
    """Send some requests and check each answer's status, type, headers and schema; return how many were sent."""
    sent = 0

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case):
        nonlocal sent
        sent += 1
        # Each request in a context of its own, as in a server; the test's context must not lend it a session.
        headers = {"Authorization": f"Bearer {token}"}
        response = contextvars.Context().run(case.call, headers=headers)
        case.validate_response(response, headers=headers, excluded_checks=NOT_MEANT)

    check()
    return sent


def test_a_broken_answer_would_be_noticed(
    app,
    dana,
    description,
):
    """The contract test is worth nothing if it passes whatever is answered."""
    description["components"]["schemas"]["MeDocument"]["properties"]["teams"] = {"type": "integer"}
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    db.session.commit()
    with pytest.raises(FailureGroup) as failure:
        try_out(schema["/api/v1/me"]["GET"], dana.token, GenerationMode.POSITIVE)
    assert "MeDocument" in str(failure.value.exceptions[0])
