"""Taking over a stack whose row is missing, as after the restore of an older backup.

Only what is certain: its tags name an environment of this place, a team and a template we know, and its body is that
of a version. Nothing in the cloud is created, changed or deleted.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import audit, db
from app.aws import cloudformation as cfn
from app.aws import inventory
from app.aws.clients import Place
from app.aws.cloudformation import Event, StackState
from app.catalog.bodies import parsed
from app.catalog.models import UNPUBLISHED, Template, Version
from app.cloudformation import body as bodies
from app.cloudformation.errors import NotATemplate
from app.environments.models import Account, Environment, Stage
from app.errors import Problem
from app.identity import people
from app.identity.models import Team
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job
from app.logs import log
from app.services.models import Service
from app.stacks.case import MARK
from app.stacks.following import observe, settle_resources
from app.stacks.lifecycle import MEANINGS, RANK, StackStatus
from app.stacks.models import Stack

REF = re.compile(rf"stk_[{db.REF_ALPHABET}]{{8}}")
# The newest are enough to know where the next job's events begin, and to show what happened last.
MOST_EVENTS = 100
CAME_UP = (StackStatus.READY, StackStatus.TAINTED, StackStatus.DEGRADED, StackStatus.DELETE_FAILED)


class NotAdoptable(Problem):
    """What is known of a found stack is not enough to take it over; the sentence says what is missing."""


@dataclass(frozen=True)
class Belonging:
    """Where a found stack belongs, by its tags."""

    environment: Environment
    team: Team
    template: Template
    service: Service | None


@dataclass(frozen=True)
class Found:
    """A found stack that is certainly one of ours: what we call its state, where it belongs, what it holds."""

    status: StackStatus
    name: str
    belonging: Belonging
    version: Version
    resources: list[dict[str, str]]
    events: list[Event]


def look_into(cloud: Any, place: Place, state: StackState) -> Found:
    """Work out what a found stack is, by its tags and its body. Three calls, none of which changes anything.

    Raises NotAdoptable, or what the cloud says no with.
    """
    status, name = _status(state), _name(state)
    belonging = _belonging(place, state.tags)
    db.release()
    body = inventory.template_of(cloud, state.cloud_id)
    version = _version(belonging.template, body)
    db.release()
    resources = cfn.resources(cloud, state.cloud_id)
    return Found(
        status, name, belonging, version, resources, cfn.events_since(cloud, state.cloud_id, None, MOST_EVENTS)
    )


def adopt(cloud: Any, place: Place, state: StackState) -> Stack:
    """Write the row a found stack lacks, with the ref it carries, and commit.

    Raises NotAdoptable, or what the cloud says no with. A ref that has got a row meanwhile raises IntegrityError.
    """
    found = look_into(cloud, place, state)
    stack = _write(state, found)
    fill(stack, state, found)
    audit.record(
        "stack:adopted", "stack", stack.ref,
        f"Adopted {stack.name}: it was found in the cloud as {state.status}, and its row was missing here.",
        after={"status": stack.status, "cloud_id": state.cloud_id, "version_id": stack.version_id},
    )  # fmt: skip
    db.session.commit()
    log.warning("stack_adopted", stack=stack.ref, cloud_id=state.cloud_id, status=str(stack.status))
    return stack


def _status(state: StackState) -> StackStatus:
    meaning = MEANINGS.get(state.status)
    if meaning is None:
        raise NotAdoptable(f"It is {state.status}, a state Slipway has no answer to.")
    if state.status == "REVIEW_IN_PROGRESS":
        raise NotAdoptable("It is only a change set that nobody executed; delete it in the AWS console.")
    if meaning.moves:
        raise NotAdoptable("It still moves; it is looked at again when it has settled.")
    return meaning.status


def _name(state: StackState) -> str:
    """Return the name people gave it: the cloud's name ends in the ref."""
    ref = state.tags[MARK]
    suffix = f"-{ref[4:].lower()}"
    if not REF.fullmatch(ref) or not state.name.endswith(suffix):
        raise NotAdoptable("Its mark and its name do not fit together, so Slipway did not launch it under this name.")
    return state.name.removesuffix(suffix)


def _belonging(place: Place, tags: Mapping[str, str]) -> Belonging:
    return Belonging(
        _environment(place, tags.get("environment", "")),
        _known(Team, tags.get("owner", ""), "team"),
        _known(Template, tags.get("slipway:template", ""), "template"),
        _find(Service, tags.get("service", "")),
    )


def _environment(place: Place, slug: str) -> Environment:
    query = select(Environment).join(Account, Account.id == Environment.account_id).where(Environment.slug == slug)
    here = query.where(Account.number == place.account, Environment.region == place.region)
    found = db.session.scalar(here)
    if found is None:
        raise NotAdoptable(f"Its tags name the environment {slug or '(none)'}, which is not one of this place.")
    return found


def _known(model: Any, slug: str, word: str) -> Any:
    found = _find(model, slug)
    if found is None:
        raise NotAdoptable(f"Its tags name the {word} {slug or '(none)'}, which Slipway does not know.")
    return found


def _find(model: Any, slug: str) -> Any:
    return db.session.scalar(select(model).where(model.slug == slug)) if slug else None


def _version(template: Template, body: str) -> Version:
    """Return the newest version whose body this is, by its digest or, where it was sent as JSON, by what it says."""
    query = select(Version).where(Version.template_id == template.id, Version.status.not_in(UNPUBLISHED))
    versions = list(db.session.scalars(query.order_by(Version.position.desc())))
    digest = hashlib.sha256(body.encode()).hexdigest()
    found = next((version for version in versions if version.digest == digest), None)
    found = found or next((version for version in versions if _says_the_same(version, body)), None)
    if found is None:
        raise NotAdoptable(f"Its body is not that of any version of {template.slug}.")
    return found


def _says_the_same(version: Version, body: str) -> bool:
    try:
        return parsed(version).body.document == bodies.load(body).document
    except NotATemplate:
        return False


def contents_of(state: StackState, found: Found) -> dict[str, Any]:
    """Return the columns of a stack that say what it holds; what is running only if it ever came up."""
    secrets = parsed(found.version).secrets
    answers = {key: value for key, value in state.parameters.items() if key not in secrets}
    asked = {"version_id": found.version.id, "answers": answers, "outputs": []}
    if found.status not in CAME_UP:
        return asked
    # When it came up nobody knows any more; it was no earlier than this.
    running = {"running_version_id": found.version.id, "running_answers": answers, "ready_at": state.created_at}
    return asked | running | {"outputs": state.outputs}


def _write(state: StackState, found: Found) -> Stack:
    to = found.belonging
    stack = Stack(
        ref=state.tags[MARK],
        name=_free_name(found.name, state.name, to.environment),
        cloud_name=state.name,
        cloud_id=state.cloud_id,
        environment_id=to.environment.id,
        team_id=to.team.id,
        service_id=to.service.id if to.service else None,
        template_id=to.template.id,
        status=found.status,
        rank=RANK[found.status],
        status_reason="Adopted: it was found in the cloud, and its row was missing here.",
        cloud_status=state.status,
        cloud_reason=state.reason,
        is_protected=state.is_protected or to.environment.stage == Stage.PROD,
        created_by_id=people.slipway().id,
        created_at=state.created_at or db.now(),
        observed_at=db.now(),
        **contents_of(state, found),
    )
    db.session.add(stack)
    db.session.flush()
    return stack


def _free_name(name: str, otherwise: str, environment: Environment) -> str:
    """Return the name, or the cloud's own where a newer stack has taken it."""
    query = select(Stack.id).where(
        Stack.environment_id == environment.id, Stack.name == name, Stack.status != StackStatus.DELETED
    )
    return name if db.session.scalar(query) is None else otherwise[:100]


def fill(stack: Stack, state: StackState, found: Found) -> None:
    """Write resources and events, under a job of the kind adopt: it has ended before it could run."""
    job = Job(
        ref=db.new_ref("job"), kind="adopt", status=JobStatus.SUCCEEDED, stack_id=stack.id, team_id=stack.team_id,
        template_id=stack.template_id, to_version_id=found.version.id, requested_by_id=people.slipway().id,
        via="reconciler", payload={"answers": stack.answers}, next_run_at=db.now(), deadline_at=db.now(),
        created_at=db.now(), started_at=db.now(), finished_at=db.now(),
    )  # fmt: skip
    db.session.add(job)
    db.session.flush()
    observe(stack, job, state, found.events, db.session.scalars(select(db.now())).one())
    db.session.flush()
    settle_resources(stack, job, found.resources)
