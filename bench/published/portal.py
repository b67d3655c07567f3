"""A portal of the run's own: a database, the local cloud with accounts nobody else uses, a curator who is signed in."""

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from flask import Flask

from app import db, migrations
from app.aws import lookups
from app.aws.clients import Place
from app.cloudformation.inputs import Environment, pseudo_parameters
from app.cloudformation.suggestions import World
from app.environments.models import Stage
from app.jobs.worker import Loop
from app.web import create_app
from tests.support.browser import Browser, browser_of
from tests.support.factories import Make
from tests.support.processes import stop
from tests.support.settings import settings
from tests.support.stand_ins import start_cloud

REGION = "us-east-1"
SESSION = "corpus-run"
SUBNET, GROUP, NETWORK = "AWS::EC2::Subnet::Id", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::VPC::Id"


@dataclass(frozen=True)
class Where:
    """An environment by its slug, and the place in the cloud it stands for."""

    slug: str
    place: Place


@dataclass
class Portal:
    """The running portal. Each of `environments` has an account of its own, so that what runs side by side never meets:
    the first `lanes` are for the first try, the others for a second.

    Between requests nothing may be left open: outside of a request a transaction holds SQLite's write lock, and the
    workers need it.
    """

    app: Flask
    browser: Browser
    environments: Sequence[Where]
    lanes: int
    cloud_url: str
    make: Make

    def add_version(self, place: str, body: str) -> str:
        """Offer a template to everybody, as a published version; return its slug. Equal bodies are one template."""
        digest = hashlib.sha256(body.encode()).hexdigest()
        slug = f"published-{digest[:12]}"
        self.make.version(template=self.make.template(slug, name=place[-200:]), body=body, digest=digest)
        db.session.commit()
        return slug

    def world(self, place: Place) -> World:
        """Give what is offered in a place, so ordered that what comes first fits together."""
        found = {kind: lookups.choices(place, kind, SESSION).items for kind in lookups.READERS}
        network = next((each.value for each in found[NETWORK] if each.attributes), "")
        inside = [each for each in found[SUBNET] if each.attributes["VpcId"] == network]
        offered = {kind: [each.value for each in items] for kind, items in found.items()}
        offered[NETWORK] = [network]
        offered[SUBNET] = _spread([(each.attributes["AvailabilityZone"], each.value) for each in inside])
        offered[GROUP] = [each.value for each in found[GROUP] if each.detail == network]
        environment = Environment(
            pseudo_parameters(place.region, place.account),
            lambda kind, value, name: lookups.attribute(place, kind, value, name, SESSION),
            lambda kind: lookups.existing(place, kind, SESSION),
        )
        return World(offered, environment)


def _spread(subnets: list[tuple[str, str]]) -> list[str]:
    """Give one subnet of each zone first."""
    first = dict(reversed(subnets))
    return [*sorted(first.values(), key=[each for _, each in subnets].index), *_rest(subnets, set(first.values()))]


def _rest(subnets: list[tuple[str, str]], without: set[str]) -> list[str]:
    return [subnet for _, subnet in subnets if subnet not in without]


@contextlib.contextmanager
def running(directory: Path, database_url: str | None, lanes: int, spares: int) -> Iterator[Portal]:
    """Start everything, and stop it at the end. The database has to be empty; without an address it is SQLite."""
    directory.mkdir(parents=True, exist_ok=True)
    numbers = [f"{900000000000 + number}" for number in range(1, lanes + spares + 1)]
    cloud = start_cloud(directory / "cloud", organisation=_organisation(directory, numbers))
    try:
        with _portal(directory, database_url, cloud.url, lanes) as app, app.app_context():
            yield _furnished(app, numbers, lanes, cloud.url)
    finally:
        stop(cloud)


def _organisation(directory: Path, numbers: list[str]) -> Path:
    file = directory / "organisation.yaml"
    file.write_text(yaml.safe_dump({"accounts": [{"number": each, "regions": [REGION]} for each in numbers]}))
    return file


@contextlib.contextmanager
def _portal(directory: Path, database_url: str | None, cloud_url: str, threads: int) -> Iterator[Flask]:
    url = database_url or f"sqlite:///{directory / 'slipway.db'}"
    engine = db.connect(url)
    migrations.upgrade(engine)
    engine.dispose()
    os.environ.update(AWS_ACCESS_KEY_ID="000000000000", AWS_SECRET_ACCESS_KEY="local")
    app = create_app(
        settings(
            url,
            directory,
            AWS_ENDPOINT_URL=cloud_url,
            CELERY_BROKER_URL="memory://",
            WORKER_THREADS=str(threads),
            DATABASE_POOL="12",
            TICK_SECONDS="0.1",
            FOLLOW_SECONDS="0.15",
            LOOKUP_SECONDS="3600",
            LOG_LEVEL="ERROR",
        )
    )
    loop = Loop(app, app.extensions["worker"])
    loop.start()
    try:
        yield app
    finally:
        loop.stop()
        app.extensions["engine"].dispose()


def _furnished(app: Flask, numbers: list[str], lanes: int, cloud_url: str) -> Portal:
    make = Make()
    environments = [_environment(make, position, number) for position, number in enumerate(numbers)]
    petra = make.person("petra")
    db.session.commit()
    return Portal(app, browser_of(app).sign_in(petra), environments, lanes, cloud_url, make)


def _environment(make: Make, position: int, number: str) -> Where:
    slug, role = f"place-{position}", f"arn:aws:iam::{number}:role/slipway-launch"
    account = make.account(f"account-{position}", number=number, role_arn=role, regions=[REGION])
    make.environment(slug, stage=Stage.SANDBOX, region=REGION, account_id=account.id, team_id=None)
    return Where(slug, Place(number, role, REGION))
