"""What whoever runs the portal asks it: is it alive, is it ready, what are its numbers."""

from flask import Flask

from app.ops import metrics, orphans, views


def init_app(app: Flask) -> None:
    """Answer /healthz, /readyz and /metrics, and count requests."""
    metrics.init_app(app)
    app.register_blueprint(views.bp)
    app.register_blueprint(orphans.bp)
