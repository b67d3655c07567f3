"""Who is there: people, teams, roles, sessions and tokens."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Keep sessions in the database, let nobody in who is not signed in, and register the pages."""
    from app import seal
    from app.identity import account, current, oidc, sessions, views

    seal.init_app(app, app.extensions["config"])
    sessions.init_app(app)
    oidc.init_app(app)
    current.init_app(app)
    app.register_blueprint(views.bp)
    app.register_blueprint(account.bp)
