"""Nobody passes who is not signed in, and no form is taken from elsewhere."""

import re

import pytest

from app import db
from app.identity import tokens
from app.identity.current import OPEN_PREFIXES, OPEN_RULES

# Anything a visitor may reach, with the reason. A new open route must be added here on purpose.
OPEN = {
    "/sign-in": "the door",
    "/sign-in/start": "the way to the provider",
    "/sign-in/callback": "the way back",
    "/healthz": "asked by the platform",
    "/readyz": "asked by the platform",
    "/metrics": "asked by the platform",
    "/favicon.ico": "asked by browsers",
    "/api/v1/openapi.json": "describes the API, holds nothing",
    "/static/<path:path>": "the look",
}


def example(rule) -> str:
    """Return an address the rule matches."""
    return re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?\w+>", lambda found: "1" if found[1] == "int" else "x", rule.rule)


def pages(app, method: str) -> list[str]:
    """Return an address for each page rule with this method; the API has no session and no forms."""
    rules = [rule for rule in app.url_map.iter_rules() if method in rule.methods and not rule.rule.startswith("/api/")]
    return [example(rule) for rule in rules]


def test_only_what_is_listed_is_open(app):
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    open_rules = {rule for rule in rules if rule in OPEN_RULES or rule.startswith(OPEN_PREFIXES)}
    assert open_rules <= set(OPEN)
    assert set(OPEN) >= OPEN_RULES


def test_every_other_page_sends_a_visitor_to_the_door(app, client):
    for method in ("GET", "POST"):
        for path in pages(app, method):
            if path not in OPEN and not path.startswith("/static/"):
                answer = client.open(path, method=method, csrf=False)
                assert (answer.status_code, answer.location.split("?")[0]) == (303, "/sign-in"), path


def test_what_does_not_exist_looks_like_what_is_hidden(client):
    assert client.get("/nowhere").status_code == 303
    assert client.get("/api/v1/nowhere").status_code == 401


def test_htmx_is_told_to_leave_the_page(client):
    answer = client.get("/account", htmx=True)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in"
    assert answer.text == ""


def test_a_form_of_a_session_that_ended_leads_to_the_door(client):
    answer = client.post("/account/tokens", csrf=False, data={"name": "laptop"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_every_form_needs_its_token(app, make, sign_in):
    browser = sign_in(make.person("dana"))
    for path in pages(app, "POST"):
        answer = browser.post(path, csrf=False)
        assert answer.status_code == 400, path
        assert "belongs to another session" in answer.text
        assert browser.post(path, csrf=False, headers={"X-CSRFToken": "made-up"}).status_code == 400


def test_the_form_token_of_another_session_does_not_fit(make, sign_in):
    other = sign_in(make.person("omar")).csrf_token()
    browser = sign_in(make.person("dana"))
    assert browser.post("/sign-out", csrf=False, headers={"X-CSRFToken": other}).status_code == 400


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 422), ("none", 422), ("cross-site", 403), ("same-site", 403)]
)
def test_forms_of_other_sites_are_refused_even_with_a_token(make, sign_in, site, status):
    browser = sign_in(make.person("dana"))
    answer = browser.post("/account/tokens", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer slw_made-up", "Basic ZGFuYTpkYW5h", "Bearer slw_\x00"])
def test_the_api_answers_who_has_no_good_token_with_a_problem_document(client, header):
    answer = client.get("/api/v1/stacks", headers={"Authorization": header} if header is not None else {})
    assert answer.status_code == 401
    assert answer.content_type == "application/problem+json"
    assert "Authorization: Bearer" in answer.json["detail"]


def test_the_api_takes_tokens_and_no_cookies(app, make, sign_in, client):
    @app.get("/api/v1/whoami")
    def whoami() -> str:
        from app.identity.current import me

        return me.username

    dana = make.person("dana")
    token = tokens.create(dana, "laptop")
    db.session.commit()
    assert client.get("/api/v1/whoami", headers={"Authorization": f"Bearer {token}"}).text == "dana"
    assert sign_in(dana).get("/api/v1/whoami").status_code == 401
    assert client.get("/account", headers={"Authorization": f"Bearer {token}"}).status_code == 303
