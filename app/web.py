"""The application: settings, database, security headers, request ids, error pages, and every feature's routes."""

import secrets
import time
from typing import Any

import structlog
from apiflask import APIFlask
from flask import Flask, Response, g, json, render_template, request
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException

from app import clock, db, logs
from app.aws import clients
from app.config import ROOT, Config, read_config
from app.errors import Invalid, Problem, Unavailable
from app.jobs import worker

csrf = CSRFProtect()


def create_app(config: Config | None = None) -> Flask:
    """Build the portal. Raises SystemExit, naming the setting, when one is missing or wrong."""
    config = config or read_config()
    app = APIFlask(
        "slipway",
        title="Slipway",
        version="1",
        root_path=str(ROOT),
        template_folder=str(ROOT / "templates"),
        static_folder=None,  # type: ignore[arg-type]  # APIFlask says str, Flask takes None for no folder
        docs_path=None,
        spec_path="/api/v1/openapi.json",
        enable_openapi=True,
    )
    app.extensions["config"] = config
    app.config.update(
        SECRET_KEY=config["SECRET_KEY"],
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=config.is_https,
        OPENAPI_VERSION="3.1.0",
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    logs.init_app(app, config)
    db.init_app(app, config)
    clients.init_app(app, config)
    worker.init_app(app, config)
    _init_requests(app)
    _init_errors(app)
    _init_features(app)
    # After identity's own check: who is no longer signed in is sent to sign in, not told about a form's token.
    csrf.init_app(app)
    return app


def _init_features(app: Flask) -> None:
    from app import features

    features.init_app(app)


def _init_requests(app: Flask) -> None:
    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()
        g.csp_nonce = secrets.token_urlsafe(16)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=secrets.token_hex(8))

    @app.context_processor
    def globals_of_a_page() -> dict[str, Any]:
        return {"csp_nonce": g.get("csp_nonce", "")}

    @app.after_request
    def finish(response: Response) -> Response:
        _set_headers(response, app.extensions["config"])
        logs.log_request(response, time.perf_counter() - g.get("started", time.perf_counter()))
        return response


def _set_headers(response: Response, config: Config) -> None:
    nonce = g.get("csp_nonce", "")
    headers = response.headers
    headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cache-Control", "no-store")
    # Whoever has this answer can find its lines in the log, and those of the job it asked for.
    headers.setdefault("X-Request-Id", structlog.contextvars.get_contextvars().get("request_id", ""))
    headers.add("Vary", "HX-Request")
    if config.is_https:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")


def _init_errors(app: Flask) -> None:
    @app.errorhandler(Problem)
    def problem(error: Problem) -> Any:
        return _answer(error)

    @app.errorhandler(CSRFError)
    def csrf_failed(error: CSRFError) -> Any:
        sentence = "This page was open for too long or belongs to another session. Reload it and try again."
        return _answer(Problem(sentence))

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Any:
        problem = Problem(error.description or error.name)
        problem.status, problem.title = error.code or 500, error.name
        if error.code == 405 and not request.path.startswith("/api/"):
            problem = Problem("This address only takes what a form sends. Open the page it belongs to and ask there.")
            problem.status, problem.title = 405, "This is not a page"
        problem.headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
        return _answer(problem) if (error.code or 500) >= 400 else error

    @app.errorhandler(OperationalError)
    def database_away(error: DBAPIError) -> Any:
        structlog.get_logger("slipway").error("database_unavailable", error=type(error.orig).__name__)
        return _answer(Unavailable("The database does not answer. Nothing was changed; try again in a minute."))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Any:
        structlog.get_logger("slipway").exception("unexpected_error", path=request.path)
        problem = Problem("Slipway made a mistake. It is logged under the reference below; nothing was half-written.")
        problem.status, problem.title = 500, "Slipway made a mistake"
        return _answer(problem)


def _answer(problem: Problem) -> Any:
    """Answer a problem in the form the caller reads: a problem document, a fragment or a page."""
    db.session.rollback()
    reference = structlog.contextvars.get_contextvars().get("request_id", "")
    if request.path.startswith("/api/"):
        return problem_document(problem, reference)
    if isinstance(problem, Unavailable):
        # The page must not ask the database who is reading it.
        g.me = None
    page = render_template(
        "ui/error-page.html",
        code=problem.status,
        title=problem.title,
        words=" ".join([problem.sentence, getattr(problem, "who", "")]).strip(),
        reference=reference,
        at=clock.now(),
        nav="",
        read_at=None,
    )
    return page, problem.status, problem.headers


def problem_document(problem: Problem, reference: str = "") -> Response:
    """Return the problem as RFC 9457 `application/problem+json`, with the fields at fault under `errors`."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.sentence,
        "instance": request.path,
        "request_id": reference,
    }
    if problem.errors or isinstance(problem, Invalid):
        document["errors"] = [
            {"field": field, "message": message} for field, all in problem.errors.items() for message in all
        ]
    for extra in ("job", "who"):
        if value := getattr(problem, extra, None):
            document[extra] = value
    response = Response(json.dumps(document), problem.status, problem.headers, mimetype="application/problem+json")
    if problem.status == 401:
        # RFC 6750: say how to come back, and whether it was the token that was not good.
        sent = request.headers.get("Authorization", "").lower().startswith("bearer ")
        response.headers["WWW-Authenticate"] = 'Bearer realm="Slipway"' + (', error="invalid_token"' if sent else "")
    return response
