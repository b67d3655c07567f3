"""Who is there: people, teams, roles, sessions and tokens."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Keep sessions in the database and let nobody in who is not signed in."""
    from app import seal
    from app.identity import current, sessions

    seal.init_app(app, app.extensions["config"])
    sessions.init_app(app)
    current.init_app(app)
