"""A small app that has the look and nothing else, so that pages can be asked for without a database."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask, Response, render_template_string, request
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from app import assets, patterns, ui
from tests.support.chromium import chromium as start_chromium

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-test-nonce'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# A page with something that moves: it polls, and a test decides whether the poll is answered.
MOVING = """{% extends "layout.html" %}{% block title %}Moving{% endblock %}{% block content %}<h1>Moving</h1>
<p id="job" hx-get="/moving/status" hx-trigger="every 100ms" hx-swap="outerHTML">Creating</p>{% endblock %}
{% block toast %}{% from "ui/toast.html" import toast %}{{ toast("Launched refunds-queue") }}{% endblock %}"""
# A form that is replaced by itself whenever an answer changes, as the launch form is.
MORPHING = """{% extends "layout.html" %}{% from "ui/lookup.html" import lookup, lookup_many %}
{% block title %}Morphing{% endblock %}{% block content %}<h1>Morphing</h1>
<form id="answers" hx-get="/morphing" hx-trigger="change" hx-select="#answers"
  hx-target="#answers" hx-swap="outerMorph">
<p>{{ request.args.get("vpc", "no") }} asked</p>
{{ lookup("vpc", "VPC", request.args.get("vpc", ""), options=[("vpc-a", "first"), ("vpc-b", "second")]) }}
{{ lookup_many("zones", "Zones", request.args.getlist("zones"), options=zones) }}
</form>{% endblock %}"""
ZONES = [(f"zone-{letter}", f"Zone {letter}") for letter in "abcdef"]
ERROR = """{% set code, title, words, reference = 403, "orders may not launch msk-cluster", "Why.", "req_5Y2N8" %}
{% extends "ui/error-page.html" %}"""


def make_app() -> Flask:
    app = Flask("slipway", template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(TESTING=True, ANSWERS=True)
    assets.init_app(app)
    ui.init_app(app)
    app.register_blueprint(patterns.bp)
    app.context_processor(_what_the_portal_gives)
    app.after_request(_be_strict)
    app.add_url_rule("/moving", view_func=lambda: render_template_string(MOVING), endpoint="moving")
    app.add_url_rule("/moving/status", view_func=lambda: _status(app), endpoint="moving-status")
    app.add_url_rule("/morphing", view_func=lambda: render_template_string(MORPHING, zones=ZONES), endpoint="morphing")
    app.add_url_rule("/search", view_func=lambda: f"Searched for {request.args.get('q')}", endpoint="search")
    app.add_url_rule("/refused", view_func=lambda: render_template_string(ERROR), endpoint="refused")
    return app


def _status(app: Flask) -> tuple[str, int]:
    if not app.config["ANSWERS"]:
        return "<p>A broken answer</p>", 500
    return '<p id="job" hx-get="/moving/status" hx-trigger="every 100ms" hx-swap="outerHTML">Still creating</p>', 200


def _what_the_portal_gives() -> dict[str, object]:
    me = SimpleNamespace(name="Petra Novak", initial="P", role_line="curator, platform", may_operate=True)
    read_at = datetime(2026, 11, 23, 14, 32, 4, tzinfo=UTC)
    return {"me": me, "nav": "stacks", "csrf_token": lambda: "token", "csp_nonce": "test-nonce", "read_at": read_at}


def _be_strict(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


@pytest.fixture(scope="session")
def look_app() -> Flask:
    return make_app()


@pytest.fixture
def look_client(look_app: Flask) -> FlaskClient:
    return look_app.test_client()


@pytest.fixture
def render(look_app: Flask) -> Callable[..., str]:
    """Render a snippet in a request to the given address, as a page would."""

    def _render(source: str, url: str = "/stacks", **context: object) -> str:
        with look_app.test_request_context(url):
            return render_template_string(source, **context)

    return _render


@pytest.fixture(scope="module")
def look_address(look_app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, look_app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: Browser, look_address: str) -> Iterator[Page]:
    """A fresh browser window at the small app; anything it complains about fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, base_url=look_address)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    window = context.new_page()
    complaints: list[str] = []
    window.on("pageerror", lambda error: complaints.append(str(error)))
    window.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
    yield window
    context.close()
    assert complaints == []
