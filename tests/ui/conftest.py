"""A small app that has the look and nothing else, so that pages can be asked for without a database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import assets, patterns, ui

ROOT = Path(__file__).resolve().parents[2]
NONCE = "test-nonce"
POLICY = (
    f"default-src 'self'; script-src 'self' 'nonce-{NONCE}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


def make_app() -> Flask:
    app = Flask("slipway", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(TESTING=True)
    assets.init_app(app)
    ui.init_app(app)
    app.register_blueprint(patterns.bp)
    app.context_processor(_what_the_portal_gives)
    app.after_request(_be_strict)
    return app


def _what_the_portal_gives() -> dict[str, object]:
    me = SimpleNamespace(name="Petra Novak", initial="P", role_line="curator, platform", may_operate=True)
    read_at = datetime(2026, 11, 23, 14, 32, 4, tzinfo=UTC)
    return {"me": me, "nav": None, "csrf_token": lambda: "token", "csp_nonce": NONCE, "read_at": read_at}


def _be_strict(response):
    response.headers["Content-Security-Policy"] = POLICY
    return response


@pytest.fixture(scope="session")
def look_app() -> Flask:
    return make_app()


@pytest.fixture
def browser_of_nobody(look_app: Flask) -> FlaskClient:
    return look_app.test_client()


@pytest.fixture
def render(look_app: Flask) -> Iterator[object]:
    """Render a snippet of template in a request to /stacks, as a page would."""

    def _render(source: str, url: str = "/stacks", **context: object) -> str:
        with look_app.test_request_context(url):
            look_app.preprocess_request()
            template = look_app.jinja_env.from_string(source)
            look_app.update_template_context(context)
            return template.render(context)

    return _render
