"""Which features there are: the one list of blueprints, so that floors below know none of them."""

from flask import Flask

from app import api, assets, home, identity, ops, patterns, stacks, ui


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
    _init_api(app)


def _init_api(app: Flask) -> None:
    from app.catalog import api as catalog
    from app.environments import api as environments
    from app.identity import api as people
    from app.ops import api as operations
    from app.stacks import api as of_stacks
    from app.stacks import job_api as jobs

    api.init_app(app, [catalog.bp, environments.bp, of_stacks.bp, jobs.bp, people.bp, operations.bp])
