"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import assets, identity, ops, stacks, ui


def init_app(app: Flask) -> None:
    """Register every feature."""
    assets.init_app(app)
    ui.init_app(app)
    identity.init_app(app)
    stacks.init_app(app)
    ops.init_app(app)
