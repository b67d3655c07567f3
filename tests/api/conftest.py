"""A caller of the JSON API: somebody's token with each request, and nothing of a browser."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.identity import tokens
from app.identity.models import Person
from tests.support.browser import Browser, browser_of

PREFIX = "/api/v1"


class Caller:
    """`dana.get("/stacks")` asks as dana; `key` is sent as Idempotency-Key."""

    def __init__(self, browser: Browser, token: str):
        self.browser = browser
        self.token = token

    def ask(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {self.token}", **rest.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        address = path if path.startswith("/api/") else PREFIX + path
        return self.browser.open(address, method=method, headers=headers, **rest)

    def get(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("GET", path, **rest)

    def post(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("POST", path, **rest)

    def patch(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("PATCH", path, **rest)

    def delete(self, path: str, **rest: Any) -> TestResponse:
        return self.ask("DELETE", path, **rest)


@pytest.fixture
def caller(app: Flask) -> Callable[[Person], Caller]:
    """`caller(person)` asks with a new token of the person."""
    return lambda person: Caller(browser_of(app), tokens.create(person, "tests"))


@pytest.fixture
def dana(make, caller) -> Caller:
    """The developer of payments, whose team has a staging environment."""
    make.environment()
    return caller(make.person("dana"))


@pytest.fixture
def omar(make, caller) -> Caller:
    """A developer of another team."""
    return caller(make.person("omar"))


def problem(response: TestResponse, status: int) -> dict[str, list[str]]:
    """Check that this is a problem document of the status; return its errors by field."""
    assert response.status_code == status, response.text
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == status
    assert response.json["detail"]
    errors: dict[str, list[str]] = {}
    for error in response.json.get("errors", []):
        errors.setdefault(error["field"], []).append(error["message"])
    return errors
