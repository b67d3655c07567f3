"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import assets, home, identity, ops, patterns, stacks, ui


def init_app(app: Flask) -> None:
    """Register every feature."""
    from app.catalog import views as catalog
    from app.environments import views as environments

    assets.init_app(app)
    ui.init_app(app, app.extensions["config"].data / "cache" / "jinja")
    identity.init_app(app)
    for blueprint in (catalog.bp, environments.bp):
        app.register_blueprint(blueprint)
    stacks.init_app(app)
    home.init_app(app)
    app.register_blueprint(patterns.bp)
    ops.init_app(app)
