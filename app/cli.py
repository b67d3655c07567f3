"""The portal's own commands: `python -m app.cli …`, which `./slipway` runs with an installation's settings."""

import os
import sys
import tempfile
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask import current_app
from sqlalchemy.exc import OperationalError

from app import db, migrations
from app import demo as demo_organisation
from app.catalog import loading
from app.config import read_config, read_database_url
from app.errors import Problem
from app.identity.cli import token
from app.web import create_app


@click.group()
def main() -> None:
    """What operators do without a browser."""


@main.group("db")
def database() -> None:
    """The database's schema."""


@main.group()
def catalog() -> None:
    """The shipped catalog."""


@main.group()
def demo() -> None:
    """The demo organisation."""


main.add_command(token)


def in_the_portal(action: Callable[..., Any]) -> Callable[..., Any]:
    """Run the command with the portal's settings and database; say what the person can mend in one sentence."""

    @wraps(action)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            with create_app().app_context():
                action(*args, **kwargs)
        except Problem as problem:
            sys.exit(problem.sentence)
        except OperationalError as error:
            sys.exit(f"The database does not answer: {error.orig}")

    return run


@database.command()
def upgrade() -> None:
    """Bring the database to this code's schema. May be repeated."""
    url = read_database_url(os.environ)
    if url.startswith("sqlite:///"):
        read_config().data.mkdir(parents=True, exist_ok=True)
    engine = db.connect(url)
    migrations.upgrade(engine)
    engine.dispose()


@database.command()
def check() -> None:
    """Say whether the migrations make exactly the tables the models describe, on a new SQLite file."""
    if len(heads := migrations.heads()) != 1:
        sys.exit(f"There must be one newest migration; there are {len(heads)}: {', '.join(heads)}.")
    with tempfile.TemporaryDirectory() as folder:
        engine = db.connect(f"sqlite:///{folder}/check.db")
        migrations.upgrade(engine)
        differences = migrations.differences(engine)
        engine.dispose()
    if differences:
        sys.exit("The migrations do not make what the models say:\n" + "\n".join(differences))


@catalog.command("load")
@in_the_portal
def load_catalog() -> None:
    """Load the shipped templates. What is published stays as it was published."""
    report = loading.load(current_app.extensions["config"].catalog_dir)
    db.session.commit()
    for line in report.rejected:
        click.echo(f"{line.place}: {line.reason}", err=True)


@demo.command("load")
@in_the_portal
def load_demo() -> None:
    """Load the demo's teams, people, roles, accounts and environments. What is there already is kept."""
    demo_organisation.load()


@main.command()
@click.pass_context
def prepare(context: click.Context) -> None:
    """Upgrade the database, load the catalog and the demo organisation: what `./slipway up` needs, in one process."""
    context.invoke(upgrade)
    context.invoke(load_demo)
    context.invoke(load_catalog)


if __name__ == "__main__":
    main()
