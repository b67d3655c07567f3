"""What whoever runs the portal asks it: is it alive, is it ready, what are its numbers, who needs help."""

from flask import Flask

from app.ops import metrics, orphans, pages, views


def init_app(app: Flask) -> None:
    """Answer /healthz, /readyz, /metrics and /operations, and count requests."""
    metrics.init_app(app)
    app.register_blueprint(views.bp)
    app.register_blueprint(pages.bp)
    app.register_blueprint(orphans.bp)
