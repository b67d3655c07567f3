"""Loading the demo organisation: who signs in, which teams there are, where stacks may go. May be repeated."""

from pathlib import Path
from typing import Any

import yaml
from flask import current_app
from sqlalchemy import select

from app import clock, db
from app.config import ROOT
from app.db import Base
from app.environments.models import Account, Environment, Stage
from app.identity.models import Membership, Person, PersonStatus, Role, RoleGrant, ScopeType, Team, Unit
from app.services.models import Service

FILE = ROOT / "local" / "demo.yaml"


def load(path: Path = FILE, issuer: str | None = None) -> dict[str, int]:
    """Bring the rows up to the file and commit; return how many of each kind the file describes.

    What the file does not name stays. People are invited until their first sign-in. Somebody new is in the teams of
    the file's groups, so that a token works before that; from then on memberships follow the provider's groups alone.
    """
    world = yaml.safe_load(path.read_text())
    issuer = issuer or current_app.extensions["config"]["OIDC_ISSUER"]
    steps = {
        "units": _unit,
        "teams": _team,
        "people": lambda item: _person(item, issuer),
        "roles": lambda item: _role(item, issuer),
        "accounts": _account,
        "environments": _environment,
        "services": _service,
    }
    counts = {}
    for name, step in steps.items():
        items = world.get(name, [])
        for item in items:
            step(item)
        db.session.flush()
        counts[name] = len(items)
    db.session.commit()
    return counts


def _unit(item: dict[str, Any]) -> None:
    parent = _id_of(Unit, item.get("parent"))
    _upsert(Unit, {"slug": item["slug"]}, {"name": item["name"], "parent_id": parent})


def _team(item: dict[str, Any]) -> None:
    values = {
        "name": item["name"],
        "unit_id": _id_of(Unit, item.get("unit")),
        "idp_group": item.get("group"),
        "cost_center": item.get("cost_center", ""),
        "chat": item.get("chat", ""),
    }
    _upsert(Team, {"slug": item["slug"]}, values)


def _person(item: dict[str, Any], issuer: str) -> None:
    values = {"username": item["username"], "name": item["name"], "email": item["email"]}
    first = {"status": PersonStatus.INVITED, "created_at": clock.now()}
    if _upsert(Person, {"issuer": issuer, "subject": item["username"]}, values, first):
        _join(item, issuer)


def _join(item: dict[str, Any], issuer: str) -> None:
    person = db.session.scalars(select(Person).filter_by(issuer=issuer, subject=item["username"])).one()
    for team in db.session.scalars(select(Team).where(Team.idp_group.in_(item.get("groups", [])))):
        db.session.add(Membership(team_id=team.id, person_id=person.id, source="idp", started_at=clock.now()))


def _role(item: dict[str, Any], issuer: str) -> None:
    person = db.session.scalars(select(Person).filter_by(issuer=issuer, subject=item["person"])).one()
    kind, _, slug = item["scope"].partition(":")
    held_in = _id_of(Unit if kind == "unit" else Team, slug or None)
    key = {"person_id": person.id, "role": Role(item["role"]), "scope_type": ScopeType(kind), "scope_id": held_in}
    _upsert(RoleGrant, key, {}, {"created_at": clock.now()})


def _account(item: dict[str, Any]) -> None:
    values = {"number": item["number"], "role_arn": item["role"], "regions": item["regions"]}
    _upsert(Account, {"name": item["name"]}, values, {"created_at": clock.now()})


def _environment(item: dict[str, Any]) -> None:
    account = db.session.scalars(select(Account).filter_by(name=item["account"])).one()
    values = {
        "name": item["name"],
        "stage": Stage(item["stage"]),
        "account_id": account.id,
        "region": item["region"],
        "team_id": _id_of(Team, item.get("team")),
    }
    _upsert(Environment, {"slug": item["slug"]}, values, {"created_at": clock.now()})


def _service(item: dict[str, Any]) -> None:
    values = {"name": item["name"], "team_id": _id_of(Team, item.get("team")), "tier": item["tier"]}
    _upsert(Service, {"slug": item["slug"]}, values, {"created_at": clock.now()})


def _upsert(
    model: type[Base], key: dict[str, Any], values: dict[str, Any], first: dict[str, Any] | None = None
) -> bool:
    """Find the row by its key and set the values; a new row also gets what is only set at first. Say if it is new."""
    row = db.session.scalars(select(model).filter_by(**key)).one_or_none()
    if row is None:
        db.session.add(model(**key, **values, **(first or {})))
        db.session.flush()
    else:
        for name, value in values.items():
            setattr(row, name, value)
    return row is None


def _id_of(model: type[Unit] | type[Team], slug: str | None) -> int | None:
    if slug is None:
        return None
    return db.session.scalars(select(model.id).filter_by(slug=slug)).one()
