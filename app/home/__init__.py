"""Where everybody starts: what needs them, what is theirs, and search across everything."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages."""
    from app.home import views

    app.register_blueprint(views.bp)
