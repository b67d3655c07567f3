"""A portal whose provider is the small one of these tests, and the whole way through it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app import db
from app.identity.models import Session
from tests.identity import provider as providers
from tests.identity.provider import Provider
from tests.support.browser import Browser, browser_of


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as provider:
        yield provider


@pytest.fixture
def portal(make_app: Callable[..., Flask], provider: Provider) -> Iterator[Flask]:
    app = make_app(OIDC_ISSUER=provider.issuer)
    with app.app_context():
        yield app


@pytest.fixture
def browser(portal: Flask) -> Browser:
    return browser_of(portal)


@pytest.fixture
def go_through(provider: Provider) -> Callable[..., TestResponse]:
    """`go_through(browser)` takes the browser to the provider and back, and returns our last answer."""

    def go(browser: Browser, start: str = "/sign-in/start") -> TestResponse:
        sent = browser.get(start)
        if sent.status_code != 303:
            return sent
        return browser.get(providers.way_back(provider, sent.location))

    return go


def signed_in_sessions() -> int:
    """Return how many sessions belong to somebody and have not ended."""
    query = select(func.count()).select_from(Session)
    return db.session.scalar(query.where(Session.person_id.is_not(None), Session.ended_at.is_(None)))
