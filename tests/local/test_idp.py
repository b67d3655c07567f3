"""Signing in and out at the local identity provider, as the portal and a browser would."""

import base64
import hashlib
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import psutil
import pytest
import requests
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.local.conftest import PORTAL, SIGNED_OUT
from tests.support.processes import Process, stop
from tests.support.stand_ins import CLIENT_SECRET, start_idp

VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def discovery(idp: Process) -> dict[str, Any]:
    """What the provider says about itself."""
    document: dict[str, Any] = requests.get(f"{idp.url}/.well-known/openid-configuration", timeout=5).json()
    return document


def ask(idp: Process, browser: requests.Session, nonce: str | None = None) -> requests.Response:
    """Send the browser to the provider, as the portal's sign-in does."""
    query = {
        "response_type": "code",
        "client_id": "slipway",
        "redirect_uri": PORTAL,
        "scope": "openid profile email groups",
        "state": "s-1",
        # The provider takes a nonce once.
        "nonce": nonce or secrets.token_hex(8),
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return follow(browser, browser.get(discovery(idp)["authorization_endpoint"], params=query, allow_redirects=False))


def follow(browser: requests.Session, answer: requests.Response) -> requests.Response:
    """Follow redirects within the provider; the last answer is a page, or the way back to the portal."""
    while answer.is_redirect and not answer.headers["location"].startswith(PORTAL):
        answer = browser.get(urljoin(answer.url, answer.headers["location"]), allow_redirects=False)
    return answer


def fill(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Submit the page's form."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token, page.text
    sent = browser.post(page.url, data={"csrf_token": token[1], **fields}, allow_redirects=False)
    return follow(browser, sent)


def sign_in(
    idp: Process, browser: requests.Session, username: str, password: str, nonce: str | None = None
) -> requests.Response:
    """Both steps of the provider's form."""
    return fill(browser, fill(browser, ask(idp, browser, nonce), login=username), password=password)


def exchange(idp: Process, back: requests.Response, verifier: str = VERIFIER) -> requests.Response:
    """Trade the code for tokens."""
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": PORTAL, "code_verifier": verifier}
    return requests.post(discovery(idp)["token_endpoint"], data=form, auth=("slipway", CLIENT_SECRET), timeout=5)


def claims(idp: Process, tokens: dict[str, str]) -> dict[str, Any]:
    """The ID token's claims, its signature checked against the published keys."""
    keys = KeySet.import_key_set(requests.get(discovery(idp)["jwks_uri"], timeout=5).json())
    return dict(jwt.decode(tokens["id_token"], keys, algorithms=["RS256"]).claims)


@pytest.mark.parametrize(
    ("username", "name", "groups"), [("dana", "Dana Reyes", ["payments"]), ("mona", "Mona Lindqvist", [])]
)
def test_a_person_signs_in_and_the_portal_learns_who_it_is(
    idp: Process, username: str, name: str, groups: list[str]
) -> None:
    back = sign_in(idp, requests.Session(), username, username, nonce=f"of-{username}")
    query = parse_qs(urlsplit(back.headers["location"]).query)
    assert query["state"] == ["s-1"]
    tokens = exchange(idp, back).json()
    said = claims(idp, tokens)
    assert (said["iss"], said["aud"], said["nonce"]) == (idp.url, ["slipway"], f"of-{username}")
    assert (said["sub"], said["name"], said["email"]) == (username, name, f"{username}@seabright.example")
    assert said.get("groups", []) == groups
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    info = requests.get(discovery(idp)["userinfo_endpoint"], headers=bearer, timeout=5).json()
    assert info["sub"] == username
    assert info.get("groups", []) == groups


def test_a_wrong_password_gets_nobody_in(idp: Process) -> None:
    page = sign_in(idp, requests.Session(), "dana", "omar")
    assert page.status_code == 200
    assert "Login failed" in page.text


def test_a_code_is_worth_nothing_without_its_verifier(idp: Process) -> None:
    back = sign_in(idp, requests.Session(), "dana", "dana")
    assert exchange(idp, back, verifier="w" * 64).status_code == 400


def test_an_address_that_is_not_the_portals_gets_no_code(idp: Process) -> None:
    browser = requests.Session()
    query = {"response_type": "code", "client_id": "slipway", "redirect_uri": "http://localhost:9/elsewhere"}
    sign_in(idp, browser, "dana", "dana")
    answer = browser.get(f"{idp.url}/oauth/authorize", params={**query, "scope": "openid", "nonce": "n"}, timeout=5)
    assert answer.status_code == 400


def test_signing_out_ends_the_session_and_returns_to_the_portal(idp: Process) -> None:
    browser = requests.Session()
    tokens = exchange(idp, sign_in(idp, browser, "omar", "omar")).json()
    assert ask(idp, browser).headers["location"].startswith(PORTAL), "a second sign-in should need no password"
    query = {
        "id_token_hint": tokens["id_token"],
        "client_id": "slipway",
        "post_logout_redirect_uri": SIGNED_OUT,
        "state": "s-2",
    }
    away = browser.get(discovery(idp)["end_session_endpoint"], params=query, allow_redirects=False)
    assert away.headers["location"] == f"{SIGNED_OUT}?state=s-2"
    assert 'name="login"' in ask(idp, browser).text


def test_nobody_can_register_or_edit(idp: Process) -> None:
    browser = requests.Session()
    sign_in(idp, browser, "ada", "ada")
    for path in ("/join", "/register", "/invite", "/users", "/admin/client", "/reset"):
        assert browser.get(idp.url + path, timeout=5).status_code >= 400, path
    assert requests.post(f"{idp.url}/oauth/register", json={"redirect_uris": [PORTAL]}, timeout=5).status_code >= 400


def test_it_listens_on_loopback_only(idp: Process) -> None:
    listening = [c for c in psutil.Process(idp.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_tokens_and_sessions_survive_a_restart(tmp_path: Path) -> None:
    first = start_idp(tmp_path, redirect_uris=[PORTAL], post_logout_uri=SIGNED_OUT)
    browser = requests.Session()
    tokens = exchange(first, sign_in(first, browser, "dana", "dana")).json()
    assert stop(first, seconds=3) == 0
    again = start_idp(tmp_path, redirect_uris=[PORTAL], post_logout_uri=SIGNED_OUT, port=first.port)
    try:
        spent = psutil.Process(again.pid).cpu_times()
        assert spent.user + spent.system < 4
        assert claims(again, tokens)["sub"] == "dana"
        assert ask(again, browser).headers["location"].startswith(PORTAL)
    finally:
        stop(again)
    assert (tmp_path / "signing.json").stat().st_mode & 0o077 == 0
