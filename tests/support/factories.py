"""Rows of the demo's world with sensible defaults. Factories flush and never commit; a request commits for them."""

import hashlib
import itertools
from datetime import date
from typing import Any

from sqlalchemy import select

from app import clock, db
from app.catalog.models import Template, Version, VersionStatus
from app.environments.models import Account, Environment, Stage
from app.identity.models import Membership, Person, PersonStatus, Role, RoleGrant, ScopeType, Team, Unit
from app.jobs.lifecycle import UNFINISHED, JobStatus
from app.jobs.models import Job
from app.services.models import Service
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Stack
from tests.support.settings import ISSUER

# username: (full name, team, role, scope). A scope without a colon is the organisation.
CAST: dict[str, tuple[str, str | None, Role, str]] = {
    "dana": ("Dana Reyes", "payments", Role.DEVELOPER, "team:payments"),
    "omar": ("Omar Haddad", "orders", Role.DEVELOPER, "team:orders"),
    "petra": ("Petra Novak", "platform", Role.CURATOR, "organisation"),
    "mona": ("Mona Lindqvist", None, Role.MANAGER, "unit:commerce"),
    "alan": ("Alan Whitfield", None, Role.AUDITOR, "organisation"),
    "ada": ("Ada Okafor", None, Role.ADMIN, "organisation"),
}
UNIT_OF = {"payments": "commerce", "orders": "commerce", "platform": "engineering-platform"}
PARENT_OF = {"commerce": "seabright", "engineering-platform": "seabright"}

QUEUE = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  QueueName: {Type: String}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {QueueName: !Ref QueueName}
Outputs:
  QueueUrl: {Value: !Ref Queue}
"""


class Make:
    """`make.stack(status=StackStatus.READY)`: what is not said is the payments team's, found or made."""

    def __init__(self) -> None:
        self._number = itertools.count(1)

    def unit(self, slug: str = "commerce", **values: Any) -> Unit:
        parent = PARENT_OF.get(slug)
        values.setdefault("parent_id", self.unit(parent).id if parent else None)
        return _find(Unit, slug=slug) or _add(Unit(slug=slug, **{"name": _title(slug)} | values))

    def team(self, slug: str = "payments", **values: Any) -> Team:
        if found := _find(Team, slug=slug):
            return found
        values.setdefault("unit_id", self.unit(UNIT_OF.get(slug, "commerce")).id)
        return _add(Team(slug=slug, **{"name": _title(slug), "idp_group": slug, "chat": f"#{slug}"} | values))

    def person(self, username: str = "dana", *, team: Team | None = None, **values: Any) -> Person:
        """A person of the demo's cast with their team and role, or anybody else: a developer of `team`, if given."""
        if found := _find(Person, username=username):
            return found
        name, team_slug, role, scope = CAST.get(username, (_title(username), None, Role.DEVELOPER, ""))
        defaults = {
            "name": name,
            "email": f"{username}@seabright.example",
            "status": PersonStatus.ACTIVE,
            "issuer": ISSUER,
            "subject": username,
            "created_at": clock.now(),
        }
        person = _add(Person(username=username, **defaults | values))
        team = team or (self.team(team_slug) if team_slug else None)
        if team:
            self.membership(person, team)
        if scope:
            self.grant(person, role, scope)
        elif team:
            self.grant(person, Role.DEVELOPER, f"team:{team.slug}")
        return person

    def membership(self, person: Person, team: Team, **values: Any) -> Membership:
        return _add(
            Membership(person_id=person.id, team_id=team.id, **{"source": "idp", "started_at": clock.now()} | values)
        )

    def grant(self, person: Person, role: Role, scope: str = "organisation") -> RoleGrant:
        """Let the person hold a role in `organisation`, `unit:<slug>` or `team:<slug>`."""
        kind, _, slug = scope.partition(":")
        held_in = {"unit": self.unit, "team": self.team}[kind](slug).id if slug else None
        return _add(
            RoleGrant(
                person_id=person.id, role=role, scope_type=ScopeType(kind), scope_id=held_in, created_at=clock.now()
            )
        )

    def account(self, name: str = "seabright-nonprod", **values: Any) -> Account:
        number = "444455556666" if name == "seabright-prod" else "111122223333"
        defaults = {
            "number": number,
            "role_arn": f"arn:aws:iam::{number}:role/slipway-launch",
            "regions": ["eu-west-1", "us-east-1"],
            "created_at": clock.now(),
        }
        return _find(Account, name=name) or _add(Account(name=name, **defaults | values))

    def environment(self, slug: str = "payments-staging", **values: Any) -> Environment:
        if found := _find(Environment, slug=slug):
            return found
        team, _, stage = slug.rpartition("-")
        defaults = {
            "name": _title(slug),
            "stage": Stage(stage) if stage in set(Stage) else Stage.STAGING,
            "region": "us-east-1" if team == "orders" else "eu-west-1",
            "created_at": clock.now(),
        }
        if "account_id" not in values and "account" not in values:
            values["account_id"] = self.account("seabright-prod" if stage == "prod" else "seabright-nonprod").id
        if "team_id" not in values and "team" not in values:
            values["team_id"] = self.team(team).id if team else None
        return _add(Environment(slug=slug, **defaults | values))

    def service(self, slug: str = "ledger", **values: Any) -> Service:
        defaults = {"name": _title(slug), "tier": 2, "created_at": clock.now()}
        if "team_id" not in values and "team" not in values:
            values["team_id"] = self.team().id
        return _find(Service, slug=slug) or _add(Service(slug=slug, **defaults | values))

    def template(self, slug: str = "sqs-queue", **values: Any) -> Template:
        if found := _find(Template, slug=slug):
            return found
        now = clock.now()
        defaults = {
            "name": _title(slug),
            "summary": f"{_title(slug)} with safe defaults.",
            "category": "Messaging",
            "icon": "stack-2",
            "keywords": [],
            "support": {"chat": "#platform-help"},
            "tags": [],
            "readme": f"# {_title(slug)}\n",
            "changelog": "",
            "created_at": now,
            "updated_at": now,
        }
        if "team_id" not in values and "team" not in values:
            values["team_id"] = self.team("platform").id
        return _add(Template(slug=slug, **defaults | values))

    def version(self, number: str = "1.0.0", *, template: Template | None = None, **values: Any) -> Version:
        template = template or self.template()
        if found := _find(Version, template_id=template.id, number=number):
            return found
        first = _find(Version, template_id=template.id) is None
        body = values.setdefault("body", QUEUE)
        defaults = {
            "position": _position(number),
            "status": VersionStatus.PUBLISHED,
            "is_recommended": first,
            "changes": "",
            "digest": hashlib.sha256(body.encode()).hexdigest(),
            "released_on": date(2026, 11, 23),
            "created_at": clock.now(),
        }
        return _add(Version(template_id=template.id, number=number, **defaults | values))

    def stack(self, name: str | None = None, **values: Any) -> Stack:
        """A ready stack of the payments team; say `team`, `environment`, `version`, `by`, `status` to differ."""
        name = name or f"orders-queue-{next(self._number)}"
        version = values.pop("version", None) or self.version()
        environment = values.pop("environment", None) or self.environment()
        team = values.pop("team", None) or self.team()
        by = values.pop("by", None) or self.person()
        status = values.setdefault("status", StackStatus.READY)
        ready = status == StackStatus.READY
        now = clock.now()
        ref = values.setdefault("ref", db.new_ref("stk"))
        defaults = {
            "cloud_name": f"slipway-{name}-{ref[-8:].lower()}"[:128],
            "cloud_id": None,
            "environment_id": environment.id,
            "team_id": team.id,
            "template_id": version.template_id,
            "version_id": version.id,
            "running_version_id": version.id if ready else None,
            "answers": {"QueueName": name},
            "running_answers": {"QueueName": name} if ready else None,
            "rank": RANK[status],
            "cloud_status": "CREATE_COMPLETE" if ready else None,
            "outputs": [],
            "created_by_id": by.id,
            "created_at": now,
            "ready_at": now if ready else None,
            "observed_at": now,
        }
        return _add(Stack(name=name, **defaults | values))

    def job(self, stack: Stack | None = None, **values: Any) -> Job:
        """A job on the stack, succeeded unless another status is given; a moving one moves its stack."""
        stack = stack or self.stack()
        by = values.pop("by", None)
        status = values.setdefault("status", JobStatus.SUCCEEDED)
        now = clock.now()
        defaults = {
            "ref": db.new_ref("job"),
            "kind": "create",
            "stack_id": stack.id,
            "team_id": stack.team_id,
            "template_id": stack.template_id,
            "to_version_id": stack.version_id,
            "requested_by_id": by.id if by else stack.created_by_id,
            "via": "page",
            "payload": {},
            "next_run_at": now,
            "deadline_at": now.replace(year=now.year + 1),
            "created_at": now,
            "finished_at": None if status in UNFINISHED else now,
        }
        return _add(Job(**defaults | values))


def _add(row: Any) -> Any:
    db.session.add(row)
    db.session.flush()
    return row


def _find(model: Any, **values: Any) -> Any:
    return db.session.scalars(select(model).filter_by(**values).limit(1)).first()


def _title(slug: str) -> str:
    return slug.replace("-", " ").capitalize()


def _position(number: str) -> int:
    """Order versions as semantic versions are ordered; 1.1 stands where 1.1.0 does."""
    major, minor, patch = (*(int(part) for part in number.split("-")[0].split(".")), 0)[:3]
    return major * 1_000_000 + minor * 1_000 + patch
