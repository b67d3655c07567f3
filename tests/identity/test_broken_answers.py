"""Every broken answer of a provider leaves nobody signed in, and says so on a page one can read."""

import time
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from sqlalchemy import select

from app import db
from app.audit import AuditEntry
from app.identity.models import Person
from tests.identity import provider as providers
from tests.identity.conftest import signed_in_sessions
from tests.identity.provider import CLIENT_ID, Provider
from tests.support.browser import browser_of


def without(*names: str) -> Callable[[dict], dict]:
    return lambda given: {name: value for name, value in given.items() if name not in names}


def with_(**values: object) -> Callable[[dict], dict]:
    return lambda given: given | values


def soon(seconds: int) -> int:
    return int(time.time()) + seconds


def two_keys_and_no_kid(provider: Provider) -> None:
    provider.keys.insert(0, Provider.new_key("second"))
    provider.wrong.header = without("kid")


def userinfo_of(**values: object) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider.wrong, "userinfo", with_(**values))


def person_of(**values: object) -> Callable[[Provider], None]:
    """ID token and userinfo agree about it."""
    return lambda provider: provider.person.update(values)


def answers(name: str, value: object) -> Callable[[Provider], None]:
    return lambda provider: setattr(provider.wrong, name, value)


def status(path: str, code: int) -> Callable[[Provider], None]:
    return lambda provider: provider.wrong.status.update({path: code})


UNTRUSTED = {
    "unsigned, alg none": answers("sign", providers.unsigned),
    "HS256 with our client secret": answers("sign", providers.signed_with_our_secret),
    "HS256 with the public key as secret": answers("sign", providers.signed_with_the_public_key),
    "signed with another key of the same name": answers("sign", providers.signed_with_another_key),
    "signed with a key in its own header": answers("sign", providers.signed_with_a_key_it_brings_along),
    "a signature with one character changed": answers("id_token", lambda token: token[:-8] + "AAAAAAAA"),
    "claims changed after signing": answers(
        "id_token", lambda token: ".".join((lambda h, c, s: (h, c[:-4] + "AAAA", s))(*token.split(".")))
    ),
    "no ID token": answers("answer", without("id_token")),
    "an empty ID token": answers("answer", with_(id_token="")),
    "an ID token that is none": answers("answer", with_(id_token="not.a.token")),
    "an unknown kid": answers("header", with_(kid="nobody's")),
    "several keys and no kid": two_keys_and_no_kid,
    "another issuer": answers("claims", with_(iss="https://evil.example")),
    "our issuer with a slash more": lambda p: setattr(p.wrong, "claims", with_(iss=p.issuer + "/")),
    "no issuer": answers("claims", without("iss")),
    "no audience": answers("claims", without("aud")),
    "an empty audience": answers("claims", with_(aud=[])),
    "another audience": answers("claims", with_(aud="other")),
    "another audience, issued to us": answers("claims", with_(aud="other", azp=CLIENT_ID)),
    "us and another audience": answers("claims", with_(aud=[CLIENT_ID, "other"], azp=CLIENT_ID)),
    "issued to another party": answers("claims", with_(azp="other")),
    "no nonce": answers("claims", without("nonce")),
    "another nonce": answers("claims", with_(nonce="another")),
    "no subject": answers("claims", without("sub")),
    "an empty subject": person_of(sub=""),
    "a subject that is a number": person_of(sub=7),
    "a subject too long to keep": person_of(sub="d" * 256),
    "no moment of issue": answers("claims", without("iat")),
    "issued in the future": answers("claims", lambda claims: claims | {"iat": soon(120)}),
    "no expiry": answers("claims", without("exp")),
    "expired beyond the leeway": answers("claims", lambda claims: claims | {"exp": soon(-61)}),
    "not valid yet": answers("claims", lambda claims: claims | {"nbf": soon(120)}),
    "the hash of another access token": answers("claims", with_(at_hash="AAAAAAAAAAAAAAAAAAAAAA")),
    "userinfo of somebody else": userinfo_of(sub="omar"),
    "userinfo of nobody": answers("userinfo", without("sub")),
    "userinfo that is a list": answers("userinfo", lambda userinfo: [userinfo]),
    "the issuer parameter of another provider": answers("redirect", with_(iss="https://evil.example")),
    "an error instead of a code": answers("redirect", lambda back: {"error": "access_denied", "state": back["state"]}),
    "no code": answers("redirect", without("code")),
    "a code nobody gave out": answers("redirect", with_(code="made-up")),
    "no state": answers("redirect", without("state")),
    "another state": answers("redirect", with_(state="made-up")),
    "discovery by another issuer": answers("discovery", with_(issuer="https://evil.example")),
    "discovery without an issuer": answers("discovery", without("issuer")),
    "discovery that is a list": answers("discovery", lambda document: [document]),
    "discovery without keys": answers("discovery", without("jwks_uri")),
    "a promised issuer parameter that is missing": answers(
        "discovery", with_(authorization_response_iss_parameter_supported=True)
    ),
}

UNREACHABLE = {
    "discovery without a token endpoint": answers("discovery", without("token_endpoint")),
    "discovery fails": status("/.well-known/openid-configuration", 500),
    "discovery leads elsewhere": status("/.well-known/openid-configuration", 302),
    "discovery is a web page": answers("discovery", lambda document: b"<html>Welcome</html>"),
    "the token endpoint fails": status("/token", 503),
    "the keys are not to be had": status("/jwks", 500),
    "userinfo fails": status("/userinfo", 500),
}


@pytest.mark.parametrize("fault", UNTRUSTED)
def test_an_answer_that_cannot_be_trusted_signs_nobody_in(browser, provider, go_through, fault):
    UNTRUSTED[fault](provider)
    answer = go_through(browser)
    assert answer.status_code == 403
    assert "nobody was signed in" in answer.text or "Start again" in answer.text
    assert "Continue with single sign-on" in answer.text
    assert "Traceback" not in answer.text
    assert signed_in_sessions() == 0
    assert db.session.scalars(select(Person)).all() == []
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize("fault", UNREACHABLE)
def test_a_provider_that_does_not_answer_is_said_to_be_away(browser, provider, go_through, fault):
    UNREACHABLE[fault](provider)
    answer = go_through(browser)
    assert answer.status_code == 503
    assert "does not answer as a sign-in provider should" in answer.text
    assert signed_in_sessions() == 0


def test_a_provider_that_is_down_is_said_to_be_away(make_app, client):
    answer = client.get("/sign-in/start")
    assert answer.status_code == 503
    assert "127.0.0.1:9 does not answer" in answer.text


def test_an_answer_is_taken_once(browser, provider, go_through):
    sent = browser.get("/sign-in/start")
    back = providers.way_back(provider, sent.location)
    assert browser.get(back).status_code == 303
    browser.post("/sign-out")
    assert browser.get(back).status_code == 403
    assert signed_in_sessions() == 0


def test_a_refused_answer_is_used_up(browser, provider):
    sent = browser.get("/sign-in/start")
    back = providers.way_back(provider, sent.location)
    assert browser.get(back + "&iss=https://evil.example").status_code == 403
    assert browser.get(back).status_code == 403
    assert signed_in_sessions() == 0


def test_an_answer_counts_only_in_the_browser_that_asked(browser, portal, provider):
    sent = browser.get("/sign-in/start")
    back = providers.way_back(provider, sent.location)
    victim = browser_of(portal)
    victim.get("/sign-in/start")
    assert victim.get(back).status_code == 403
    assert signed_in_sessions() == 0


def test_an_answer_that_took_over_an_hour_is_too_old(browser, provider, monkeypatch):
    sent = browser.get("/sign-in/start")
    back = providers.way_back(provider, sent.location)
    later = time.time() + 3601
    monkeypatch.setattr("app.identity.oidc.time.time", lambda: later)
    answer = browser.get(back)
    assert answer.status_code == 403
    assert "more than an hour" in answer.text


def test_the_code_is_not_exchanged_when_the_issuer_parameter_is_wrong(browser, provider, go_through):
    provider.wrong.redirect = with_(iss="https://evil.example")
    go_through(browser)
    assert "/token" not in provider.asked


def test_the_request_carries_challenge_nonce_and_state(browser, provider):
    asked = dict(parse_qsl(urlsplit(browser.get("/sign-in/start").location).query))
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["code_challenge"]) == 43
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == "http://localhost/sign-in/callback"
    assert asked["nonce"]
    assert asked["state"]
    assert asked["scope"] == "openid profile email groups"


def test_a_refusal_is_recorded_as_denied(browser, provider, go_through):
    provider.wrong.sign = providers.unsigned
    go_through(browser)
    entry = db.session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.outcome) == ("person:signed_in", "denied")
    assert "alg" in entry.summary.lower()


def test_junk_without_a_request_of_ours_leaves_no_rows(browser, portal):
    answer = browser.get("/sign-in/callback?" + urlencode({"code": "x", "state": "y"}))
    assert answer.status_code == 403
    assert db.session.scalars(select(AuditEntry)).all() == []
    assert "Set-Cookie" not in answer.headers
