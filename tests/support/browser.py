"""A client that behaves like a browser on our pages, as seen from the outside."""

import contextlib
import contextvars
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from app import db
from app.identity import sessions
from app.identity.models import Person


class Browser(FlaskClient):
    """Each request runs as in a server of its own: in a fresh context, after what the test has flushed is committed.

    Forms carry their CSRF token unless `csrf=False`; `htmx=True` asks as htmx does. After the request the test's own
    rows are read again when touched.
    """

    def open(self, *args: Any, csrf: bool = True, htmx: bool = False, **kwargs: Any) -> TestResponse:
        headers = dict(kwargs.pop("headers", None) or {})
        if csrf and kwargs.get("method", "GET") not in ("GET", "HEAD", "OPTIONS") and "Authorization" not in headers:
            headers |= {"X-CSRFToken": self.csrf_token(), "Referer": self.address}
        if htmx:
            headers |= {"HX-Request": "true"}
        db.session.commit()
        try:
            return contextvars.Context().run(super().open, *args, headers=headers, **kwargs)
        finally:
            db.session.expire_all()

    @property
    def address(self) -> str:
        return self.application.extensions["config"]["PUBLIC_URL"] + "/"

    def csrf_token(self) -> str:
        """Return the token a page of this browser's session would carry."""
        db.session.commit()
        return contextvars.Context().run(self._csrf_token)

    def _csrf_token(self) -> str:
        # What rendering any form does: the token's secret lands in the session, the session's token in the cookie.
        context = self.application.test_request_context(base_url=self.address)
        self._add_cookies_to_wsgi(context.request.environ)
        with context:
            token = generate_csrf()
            response = self.application.process_response(self.application.response_class())
        self._update_cookies_from_response("localhost", "/", response.headers.getlist("Set-Cookie"))
        return token

    def sign_in(self, person: Person) -> "Browser":
        """Sign in through the same function the provider's answer goes through."""
        token = sessions.begin(person)
        db.session.commit()
        config = self.application.extensions["config"]
        self.set_cookie(sessions.cookie_name(config), token, secure=config.is_https, httponly=True)
        return self

    def sign_out(self) -> None:
        """Forget every cookie, as a closed private window does."""
        with contextlib.suppress(KeyError):
            self.delete_cookie(sessions.cookie_name(self.application.extensions["config"]))


def browser_of(app: Flask) -> Browser:
    """Return a new browser without cookies."""
    return Browser(app, app.response_class, use_cookies=True)
