"""Commands about people: `token create`."""

import sys

import click

from app import db
from app.identity import people, tokens
from app.identity.models import Person


@click.group()
def token() -> None:
    """Bearer tokens for the JSON API."""


@token.command()
@click.option("--person", "username", required=True, metavar="NAME", help="Username of whom the token speaks for.")
@click.option("--name", required=True, metavar="LABEL", help="What the token is for, to know it again.")
@click.option("--days", type=click.IntRange(1, 3650), help="How long it lasts; without this, until it is revoked.")
def create(username: str, name: str, days: int | None) -> None:
    """Print a new bearer token and nothing else."""
    with _portal():
        value = tokens.create(_person(username), name, days)
        db.session.commit()
    click.echo(value)


def _portal():
    # Imported when needed: `--help` should not wait for the whole portal.
    from app.web import create_app

    return create_app().app_context()


def _person(username: str) -> Person:
    found = people.find_by_username(username)
    if not found:
        sys.exit(f"Nobody is called {username}. People appear with their first sign-in or with the demo organisation.")
    if len(found) > 1:
        sys.exit(f"{len(found)} people are called {username}, from different providers; create the token on /account.")
    return found[0]
