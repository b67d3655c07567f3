"""The API's description: open to all, complete, and no route beside it."""

import pytest

from app.api import PREFIX

ROUTES = """\
DELETE /stacks/{stack_id}
GET /environments
GET /environments/{slug}
GET /jobs
GET /jobs/{job_id}
GET /jobs/{job_id}/events
GET /me
GET /operations
GET /plans/{plan_id}
GET /stacks
GET /stacks/{stack_id}
GET /stacks/{stack_id}/events
GET /stacks/{stack_id}/jobs
GET /stacks/{stack_id}/resources
GET /templates
GET /templates/{slug}
GET /templates/{slug}/versions
GET /templates/{slug}/versions/{number}
GET /templates/{slug}/versions/{number}/body
PATCH /stacks/{stack_id}
POST /jobs/{job_id}/abandonment
POST /jobs/{job_id}/cancellation
POST /jobs/{job_id}/release
POST /jobs/{job_id}/resumption
POST /plans/{plan_id}/confirmation
POST /stacks
POST /stacks/{stack_id}/acceptance
POST /stacks/{stack_id}/retries
POST /stacks/{stack_id}/updates
"""


@pytest.fixture
def document(client):
    """The description, read without a token."""
    return client.get(f"{PREFIX}/openapi.json").json


@pytest.fixture
def operations(document):
    """Every operation by "METHOD /path"."""
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_there_are_these_routes_and_no_others(app, operations):
    assert sorted(operations) == ROUTES.splitlines()
    served = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    assert len(served) == len(ROUTES.splitlines()) + 1


def test_it_says_how_to_sign_in_and_where_it_is_served(document):
    assert document["openapi"] == "3.1.0"
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["security"] == [{"token": []}]
    assert document["servers"][0]["url"] == "http://localhost"


def test_every_operation_is_named_told_and_refuses_as_described(operations):
    names = [operation["operationId"] for operation in operations.values()]
    assert len(set(names)) == len(names)
    for route, operation in operations.items():
        assert operation["summary"].endswith("."), route
        assert len(operation["tags"]) == 1
        assert {"401", "503"} <= set(operation["responses"])
        assert ("404" in operation["responses"]) == ("{" in route)
        if "requestBody" in operation:
            assert operation["requestBody"]["required"] is True
            assert {"400", "413", "415", "422"} <= set(operation["responses"])
        for parameter in operation["parameters"]:
            assert parameter["description"], route


def test_every_reference_leads_somewhere(document):
    def references(part):
        if isinstance(part, list):
            for each in part:
                yield from references(each)
        elif isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref":
                    yield value
                else:
                    yield from references(value)

    found = {reference.removeprefix("#/components/schemas/") for reference in references(document["paths"])}
    found |= set(references(document["components"]))
    found = {name.removeprefix("#/components/schemas/") for name in found}
    assert found
    assert found <= set(document["components"]["schemas"])
    assert not any("." in name for name in document["components"]["schemas"])


def test_a_launch_is_shown_by_example(operations):
    body = operations["POST /stacks"]["requestBody"]["content"]["application/json"]
    assert body["example"]["template"] == "sqs-queue"
    [key] = operations["POST /stacks"]["parameters"]
    assert (key["name"], key["in"], key["required"], key["schema"]["maxLength"]) == (
        "Idempotency-Key", "header", False, 255,
    )  # fmt: skip
    assert "Location" in operations["POST /stacks"]["responses"]["202"]["headers"]
