"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import identity, ops, stacks


def init_app(app: Flask) -> None:
    """Register every feature."""
    identity.init_app(app)
    stacks.init_app(app)
    ops.init_app(app)
