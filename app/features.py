"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import assets, identity, ui


def init_app(app: Flask) -> None:
    """Register every feature."""
    from app.catalog import views as catalog
    from app.environments import views as environments

    assets.init_app(app)
    ui.init_app(app)
    identity.init_app(app)
    app.register_blueprint(catalog.bp)
    app.register_blueprint(environments.bp)
