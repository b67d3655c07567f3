"""What the API is asked to launch or change, and what that stands for here."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import db
from app.api import Answer, Body
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.environments.models import Environment
from app.errors import Invalid, NotFound
from app.identity import policy
from app.identity.models import Person, Team
from app.services.models import Service
from app.stacks import pages
from app.stacks.actions import Launch
from app.stacks.models import Stack

_PARAMETERS: Any = Field(
    default_factory=dict,
    max_length=200,
    description="Answers by the name of the parameter; one left out gets its default, or keeps its value.",
    examples=[{"QueueName": "orders-events"}],
)
_NUMBER: Any = Field(None, max_length=32, description="Number of a version; without it the recommended one.")

LAUNCH_EXAMPLE = {
    "template": "sqs-queue",
    "environment": "payments-staging",
    "name": "orders-events",
    "parameters": {"VisibilityTimeoutSeconds": 60},
    "service": "ledger",
}


class LaunchBody(Body):
    """What to launch, where, and for whom."""

    template: str = Field(max_length=100, examples=["sqs-queue"])
    version: str | None = _NUMBER
    environment: str = Field(max_length=100, examples=["payments-staging"])
    name: str = Field(max_length=100, examples=["orders-events"])
    parameters: dict[str, Answer] = _PARAMETERS
    service: str | None = Field(None, max_length=100, examples=["ledger"])
    owner: str | None = Field(None, max_length=100, description="A team; needed where the environment has none.")


class UpdateBody(Body):
    """What to change. What is left out stays as it is."""

    version: str | None = Field(None, max_length=32, description="Number of a version; without it the present one.")
    parameters: dict[str, Answer] = _PARAMETERS
    confirm: bool = Field(
        False, description="Carry the plan out without asking again, unless something that holds data would be lost."
    )


class RetryBody(Body):
    """What to answer differently this time. Secrets have to be given again."""

    version: str | None = Field(None, max_length=32, description="Number of a version; without it the same one.")
    parameters: dict[str, Answer] = _PARAMETERS


def wanted(body: LaunchBody, person: Person) -> Launch:
    """Return what the names stand for. Raises Invalid naming every field whose name stands for nothing."""
    found: dict[str, Any] = {}
    errors: dict[str, list[str]] = {}
    for field, look_up in (
        ("version", lambda: launched_version(body.template, body.version)),
        ("environment", lambda: _named(Environment, body.environment, "environment")),
        ("service", lambda: _named(Service, body.service, "service") if body.service else None),
        ("owner", lambda: _named(Team, body.owner, "owner") if body.owner else None),
    ):
        try:
            found[field] = look_up()
        except Invalid as problem:
            errors |= problem.errors
    if errors:
        raise Invalid("Some names stand for nothing here: " + ", ".join(errors) + ".", errors=errors)
    team = found["owner"] or _owner(found["environment"], found["service"], person)
    return Launch(found["version"], found["environment"], team, body.name, body.parameters, found["service"])


def launched_version(slug: str, number: str | None) -> Version:
    """Return a version of the template, or the recommended one. Raises Invalid naming template or version."""
    try:
        template = pages.get_template(slug)
    except NotFound:
        raise Invalid(f"There is no template {slug}.", field="template") from None
    try:
        return pages.get_version(template, number)
    except NotFound:
        sentence = f"{slug} has no version {number}." if number else f"{slug} recommends no version; name one."
        raise Invalid(sentence, field="version") from None


def retry_answers(stack: Stack, version: Version, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first try's answers, as far as the version asks for them, with what is given now on top."""
    known = {parameter.name for parameter in parsed(version).parameters}
    return {name: value for name, value in stack.answers.items() if name in known} | dict(given)


def _named(model: Any, slug: str | None, field: str) -> Any:
    query = select(model).where(model.slug == slug)
    if hasattr(model, "team"):
        query = query.options(joinedload(model.team))
    found = db.session.scalar(query)
    if found is None:
        raise Invalid(f"There is no {'team' if field == 'owner' else field} {slug}.", field=field)
    return found


def _owner(environment: Environment, service: Service | None, person: Person) -> Team:
    """Return who will own the stack when nobody said: the environment's team, the service's, or one's only team."""
    own = policy.acting_teams(person)
    team = environment.team or (service.team if service else None) or (own[0] if len(own) == 1 else None)
    if team is None:
        raise Invalid(f"{environment.slug} is open to every team: say which one will own the stack.", field="owner")
    return team
