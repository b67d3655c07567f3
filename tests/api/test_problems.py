"""What is refused before any route looks at it, and how."""

import pytest

from app.identity import sessions
from tests.api.conftest import PREFIX, problem
from tests.api.test_writes import LAUNCH


@pytest.mark.parametrize(
    ("header", "error"),
    [({}, False), ({"Authorization": "Bearer slw_nobody"}, True), ({"Authorization": "slw_x"}, False)],
)
def test_without_a_good_token_nothing_is_told(client, header, error):
    for path in ("/stacks", "/me", "/templates", "/no-such"):
        response = client.get(PREFIX + path, headers=header)
        problem(response, 401)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert ("invalid_token" in response.headers["WWW-Authenticate"]) is error


def test_a_browsers_session_is_no_token(sign_in, make):
    browser = sign_in(make.person())
    problem(browser.get(f"{PREFIX}/me"), 401)
    problem(browser.post(f"{PREFIX}/stacks", json=LAUNCH), 401)


def test_an_answer_sets_no_cookie_even_when_one_is_sent(dana, make, app):
    dana.browser.sign_in(make.person())
    assert "Set-Cookie" not in dana.get("/me").headers
    assert sessions.cookie_name(app.extensions["config"]) == "slipway"


def test_a_revoked_token_is_no_token(dana, app):
    from app import clock, db
    from app.identity.models import ApiToken

    assert dana.get("/me").status_code == 200
    db.session.query(ApiToken).update({"revoked_at": clock.now()})
    problem(dana.get("/me"), 401)


@pytest.mark.parametrize(
    ("text", "status", "part"),
    [
        (b'{"template":', 400, "line 1, column 13"),
        (b"", 400, "not JSON"),
        (b"\xff\xfe\xfd", 400, "not JSON"),
        (b'{"name": NaN}', 400, "NaN"),
        (b'{"name": ' + b"9" * 5000 + b"}", 400, "not JSON"),
        (b"[" * 200_000, 400, "nested too deeply"),
        (b"[]", 422, "object"),
        (b"null", 422, "object"),
        (b'"text"', 422, "object"),
    ],
)
def test_what_is_no_json_object_is_refused(dana, text, status, part):
    response = dana.post("/stacks", data=text, content_type="application/json")
    problem(response, status)
    assert part in response.json["detail"]


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_document_that_is_not_called_json_is_refused(dana, kind):
    problem(dana.post("/stacks", data=b"{}", content_type=kind), 415)


def test_a_huge_document_is_refused(dana):
    problem(dana.post("/stacks", data=b" " * 3_000_000, content_type="application/json"), 413)


def test_a_method_a_path_does_not_have_is_refused_with_those_it_has(dana):
    response = dana.ask("PUT", "/stacks")
    problem(response, 405)
    assert {"GET", "POST"} <= set(response.headers["Allow"].replace(" ", "").split(","))


def test_pages_still_answer_in_html(client):
    assert client.get("/sign-in").mimetype == "text/html"
