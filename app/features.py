"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import identity, ops
from app.aws import clients
from app.jobs import worker


def init_app(app: Flask) -> None:
    """Register every feature."""
    config = app.extensions["config"]
    clients.init_app(app, config)
    worker.init_app(app, config)
    identity.init_app(app)
    ops.init_app(app)
