"""The portal and the identity provider of `./slipway up`, together: in and out again."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from app import db, demo
from app.identity.models import Person, PersonStatus
from tests.identity.conftest import signed_in_sessions
from tests.support.browser import Browser, browser_of
from tests.support.processes import Process, stop
from tests.support.stand_ins import CLIENT_SECRET, start_idp

PORTAL = "http://localhost"


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start_idp(
        tmp_path_factory.mktemp("idp"),
        redirect_uris=[f"{PORTAL}/sign-in/callback"],
        post_logout_uri=f"{PORTAL}/sign-in?out=1",
    )
    yield process
    stop(process)


@pytest.fixture
def portal(make_app, idp: Process) -> Iterator[Flask]:
    app = make_app(OIDC_ISSUER=idp.url, OIDC_CLIENT_SECRET=CLIENT_SECRET)
    with app.app_context():
        demo.load()
        yield app


@pytest.fixture
def outside() -> requests.Session:
    """The same person's browser, as the provider sees it."""
    return requests.Session()


def follow(outside: requests.Session, answer: requests.Response) -> requests.Response:
    """Follow redirects within the provider; the last answer is a page or the way back to the portal."""
    while answer.is_redirect and not answer.headers["location"].startswith(PORTAL + "/"):
        answer = outside.get(urljoin(answer.url, answer.headers["location"]), allow_redirects=False)
    return answer


def fill(outside: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token, page.text
    return follow(outside, outside.post(page.url, data={"csrf_token": token[1]} | fields, allow_redirects=False))


def sign_in_as(browser: Browser, outside: requests.Session, username: str) -> str:
    """Go through both steps of the provider's form; return where the portal sends the browser in the end."""
    sent = browser.get("/sign-in/start?next=/account")
    page = follow(outside, outside.get(sent.location, allow_redirects=False))
    page = fill(outside, fill(outside, page, login=username), password=username)
    answer = browser.get(page.headers["location"].removeprefix(PORTAL))
    assert answer.status_code == 303, answer.text
    return answer.location


@pytest.mark.parametrize(("username", "teams"), [("dana", ["payments"]), ("petra", ["platform"]), ("mona", [])])
def test_the_demos_people_sign_in(portal, outside, username, teams):
    browser = browser_of(portal)
    assert sign_in_as(browser, outside, username) == "/account"
    person = db.session.scalars(select(Person).filter_by(username=username)).one()
    assert person.status == PersonStatus.ACTIVE
    assert [team.slug for team in person.teams] == teams
    assert person.name in browser.get("/account").text


def test_signing_out_ends_it_at_the_provider_too(portal, outside):
    browser = browser_of(portal)
    sign_in_as(browser, outside, "omar")
    page = browser.post("/sign-out").text
    onward = re.search(r'content="0; url=([^"]+)"', page)[1].replace("&amp;", "&")
    back = follow(outside, outside.get(onward, allow_redirects=False)).headers["location"]
    assert "here and at localhost" in browser.get(back.removeprefix(PORTAL)).text
    assert signed_in_sessions() == 0
    asked_again = follow(outside, outside.get(browser.get("/sign-in/start").location, allow_redirects=False))
    assert 'name="login"' in asked_again.text
