"""One line for one event: JSON by default, with the request's and the job's id, control characters escaped."""

import logging
import sys
from typing import Any

import structlog
from flask import Flask, Response, request
from structlog.processors import ExceptionRenderer
from structlog.tracebacks import ExceptionDictTransformer

from app.config import Config

log = structlog.get_logger("slipway")


def init_app(app: Flask, config: Config) -> None:
    """Send structlog and the standard library's logging to standard output in one form."""
    configure(config["LOG_LEVEL"], config["LOG_FORMAT"])


def configure(level: str, form: str) -> None:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        # Without the frames' variables: they hold answers, tokens and keys.
        ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
    ]
    last: Any = structlog.processors.JSONRenderer() if form == "json" else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "botocore", "urllib3", "werkzeug", "kombu", "celery.redirected"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))


def log_request(response: Response, seconds: float) -> None:
    """Log one request; static files and health checks are left out."""
    if not request.path.startswith(("/static/", "/healthz", "/readyz")):
        log.info(
            "request",
            method=request.method,
            path=request.path,
            status=response.status_code,
            ms=round(seconds * 1000, 1),
        )
