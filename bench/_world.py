"""An installation of a given size: teams, environments and stacks with their jobs, written in bulk from a seed."""

import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import insert, select, text

from app import clock, db, demo, migrations
from app.catalog.loading import load
from app.catalog.models import Version
from app.config import ROOT, Config, read_config
from app.environments.models import Account, Environment
from app.identity import sessions
from app.identity.models import Membership, Person, PersonStatus, Team
from app.jobs.models import Job, JobStep
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Duration, Resource, Stack
from app.stacks.upkeep import fold_tally
from app.web import create_app

# How stacks are found in a healthy company: nearly all are well.
SHARES = {
    StackStatus.READY: 0.90,
    StackStatus.DELETED: 0.05,
    StackStatus.FAILED: 0.02,
    StackStatus.TAINTED: 0.015,
    StackStatus.UPDATING: 0.005,
    StackStatus.CREATING: 0.005,
    StackStatus.DELETE_FAILED: 0.005,
}
STACKS_PER_TEAM = 250
BATCH = 2000
STEPS = ("check", "plan", "confirm", "execute", "follow", "verify")


@dataclass(frozen=True)
class World:
    """What was made, and the cookie of somebody signed in there."""

    config: Config
    stacks: int
    cookie: tuple[str, str]
    busy_team: str
    a_stack: str
    a_job: str


def config_of(data: Path, database_url: str, **changes: str) -> Config:
    """Return the settings of a portal that is measured."""
    values = {
        "SLIPWAY_DATA": str(data),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "bench",
        "SLIPWAY_SEAL_KEY": "c2xpcHdheS10ZXN0cy1zZWFsLWtleS0zMi1ieXRlcy4=",
        "PUBLIC_URL": "http://localhost",
        "OIDC_ISSUER": "http://127.0.0.1:9/idp",
        "OIDC_CLIENT_SECRET": "bench",
        "LOG_LEVEL": "WARNING",
    }
    return read_config(values | changes)


def environ_of(config: Config) -> dict[str, str]:
    """Return the same settings for another process."""
    return {**os.environ, **{name: value for name, value in config.values.items() if value}}


def build(config: Config, stacks: int, seed: int = 7) -> World:
    """Fill an empty database with the demo organisation, the shipped catalog and so many stacks."""
    app = create_app(config)
    migrations.upgrade(app.extensions["engine"])
    with app.app_context():
        demo.load(ROOT / "local" / "demo.yaml", config["OIDC_ISSUER"])
        db.session.commit()
        load(ROOT / "catalog")
        db.session.commit()
        rng = random.Random(seed)
        places = _places(max(1, stacks // STACKS_PER_TEAM))
        _fill(rng, places, stacks)
        fold_tally(fewest=0)
        _analyse(app)
        world = _world(config, stacks)
    app.extensions["engine"].dispose()
    return world


def _places(count: int) -> list[Environment]:
    """Return the demo's environments and two more for each of so many more teams."""
    now, account = clock.now(), db.session.scalars(select(Account).order_by(Account.id)).first()
    for number in range(count):
        team = Team(slug=f"team-{number:04}", name=f"Team {number}", cost_center=f"CC-{number}")
        db.session.add(team)
        for stage in ("staging", "prod"):
            slug = f"team-{number:04}-{stage}"
            db.session.add(
                Environment(
                    slug=slug, name=slug, stage=stage, account=account, region="eu-west-1", team=team, created_at=now
                )
            )
    db.session.commit()
    return list(db.session.scalars(select(Environment).where(Environment.team_id.is_not(None))))


def _fill(rng: random.Random, places: Sequence[Environment], count: int) -> None:
    versions = list(db.session.scalars(select(Version).where(Version.status == "published")))
    person = db.session.scalars(select(Person).where(Person.username == "dana")).one()
    rows = _rows(rng, places, versions, person, count)
    while batch := list(islice(rows, BATCH)):
        db.session.execute(insert(Stack), [row["stack"] for row in batch])
        db.session.execute(insert(Job), [row["job"] for row in batch])
        db.session.execute(insert(JobStep), [step for row in batch for step in row["steps"]])
        db.session.execute(insert(Resource), [resource for row in batch for resource in row["resources"]])
        db.session.commit()
    for version in versions:
        db.session.execute(insert(Duration), [_duration(rng, version) for _ in range(60)])
    db.session.commit()
    _follow_ids()


def _rows(
    rng: random.Random, places: Sequence[Environment], versions: Sequence[Version], person: Person, count: int
) -> Iterator[dict[str, Any]]:
    now = clock.now()
    statuses, weights = list(SHARES), list(SHARES.values())
    for number in range(1, count + 1):
        status = rng.choices(statuses, weights)[0]
        place, version = rng.choice(places), rng.choice(versions)
        at = now - timedelta(minutes=rng.uniform(5, 60 * 24 * 89))
        yield {
            "stack": _stack(number, status, place, version, person, at),
            "job": _job(number, status, place, version, person, at),
            "steps": [_step(number, position, key, at) for position, key in enumerate(STEPS)],
            "resources": [_resource(number, name) for name in ("Queue", "DeadLetterQueue", "Alarm")],
        }


def _stack(number: int, status: Any, place: Environment, version: Version, person: Person, at: datetime) -> Any:
    return {
        "id": number,
        "ref": f"stk_{number:08}",
        "name": f"service-{number}",
        "cloud_name": f"service-{number}-{number:08}",
        "cloud_id": f"arn:aws:cloudformation:eu-west-1:111122223333:stack/service-{number}/{number:08}",
        "environment_id": place.id,
        "team_id": place.team_id,
        "template_id": version.template_id,
        "version_id": version.id,
        "running_version_id": version.id,
        "answers": {"VisibilityTimeoutSeconds": "60"},
        "running_answers": {"VisibilityTimeoutSeconds": "60"},
        "status": status,
        "rank": RANK[status],
        "status_reason": "",
        "cloud_status": "CREATE_COMPLETE",
        "cloud_reason": "",
        "outputs": [{"key": "QueueUrl", "value": f"https://example.com/{number}", "description": "", "export": ""}],
        "is_protected": False,
        "created_by_id": person.id,
        "created_at": at,
        "ready_at": at,
        "observed_at": at,
    }


def _job(number: int, status: Any, place: Environment, version: Version, person: Person, at: datetime) -> Any:
    ended = {StackStatus.FAILED: "failed", StackStatus.UPDATING: "running", StackStatus.CREATING: "running"}
    state = ended.get(status, "succeeded")
    return {
        "id": number,
        "ref": f"job_{number:08}",
        "kind": "create",
        "status": state,
        "stack_id": number,
        "team_id": place.team_id,
        "template_id": version.template_id,
        "to_version_id": version.id,
        "requested_by_id": person.id,
        "via": "ui",
        "payload": {"answers": {}},
        "lease_until": at,
        # Far off, so that no worker touches what is only there to be counted.
        "next_run_at": at + timedelta(days=3650),
        "deadline_at": at + timedelta(days=3650),
        "created_at": at,
        "started_at": at,
        "finished_at": None if state == "running" else at + timedelta(minutes=3),
    }


def _step(job: int, position: int, key: str, at: datetime) -> Any:
    return {
        "job_id": job,
        "position": position,
        "key": key,
        "status": "done",
        "note": "",
        "intent_at": at,
        "done_at": at + timedelta(seconds=4),
    }


def _resource(number: int, name: str) -> Any:
    return {
        "stack_id": number,
        "job_id": number,
        "logical_id": name,
        "physical_id": f"service-{number}-{name}",
        "type": "AWS::SQS::Queue",
        "status": "CREATE_COMPLETE",
        "reason": "",
    }


def _duration(rng: random.Random, version: Version) -> Any:
    return {
        "template_id": version.template_id,
        "kind": "create",
        "logical_id": "",
        "type": "",
        "seconds": rng.lognormvariate(4, 0.4),
        "at": clock.now(),
    }


def _follow_ids() -> None:
    """Rows were written with ids of their own; PostgreSQL's sequences have to follow."""
    if db.session.get_bind().dialect.name == "postgresql":
        for table in ("stack", "job"):
            db.session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT max(id) FROM {table}))")  # noqa: S608
            )
        db.session.commit()


def _analyse(app: Flask) -> None:
    """Do what PostgreSQL's autovacuum does within a minute, and SQLite's ANALYZE, before anybody measures."""
    engine = app.extensions["engine"]
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))


def _world(config: Config, stacks: int) -> World:
    """Sign dana in, in the team that has most: the page of somebody with much to see."""
    dana = db.session.scalars(select(Person).where(Person.username == "dana")).one()
    team = db.session.scalars(select(Team).where(Team.slug == "payments")).one()
    membership = select(Membership).where(Membership.person_id == dana.id, Membership.team_id == team.id)
    if db.session.scalar(membership) is None:
        db.session.add(Membership(team=team, person=dana, source="idp", started_at=clock.now()))
    dana.status = PersonStatus.ACTIVE
    token = sessions.begin(dana)
    db.session.commit()
    ready = select(Stack.ref).where(Stack.status == StackStatus.READY, Stack.team_id == team.id).limit(1)
    found = db.session.scalar(ready) or db.session.scalar(select(Stack.ref).limit(1)) or ""
    return World(config, stacks, (sessions.cookie_name(config), token), team.slug, found, found.replace("stk", "job"))
