"""Launched versions: launch, update, delete, and what is known about them."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Make the kinds of job known to the engine and register the pages."""
    from app.stacks import flows, job_views, launch_views, remembering, upkeep, views

    flows.register_all()
    upkeep.init_app(app)
    remembering.init_app(app)
    for blueprint in (views.bp, launch_views.bp, job_views.bp):
        app.register_blueprint(blueprint)
