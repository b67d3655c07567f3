"""What the pages of launching and changing show, made ready: no page asks the database or compares a status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app import db
from app.catalog.bodies import parsed
from app.catalog.models import Template, Version
from app.cloudformation.outline import outline
from app.environments.models import Environment
from app.environments.queries import closed_to, launchable
from app.errors import NotFound
from app.identity import policy
from app.identity.models import Person, Team
from app.services.models import Service
from app.stacks import checking, forms
from app.stacks.forecasts import Usual, usual
from app.stacks.forms import FieldGroup
from app.stacks.models import Stack

MOST_REFUSED = 6
# A parameter of this name follows the environment, where its allowed values have a word for the stage.
STAGE_PARAMETER = "Stage"


@dataclass(frozen=True)
class Preview:
    """What the answers would do, as far as they can be judged."""

    creates: Sequence[Any]
    holds_data: Sequence[str]
    depends: int
    problems: Sequence[tuple[str, str, str]]
    undecided: Sequence[str]
    usual: Usual
    missing: int


@dataclass(frozen=True)
class FormPage:
    """The form to launch a version, or to change a stack."""

    template: Template
    version: Version
    versions: Sequence[tuple[str, str]]
    environment: Environment | None
    environments: Sequence[tuple[str, str, str, str]]
    teams: Sequence[tuple[str, str]]
    services: Sequence[tuple[str, str]]
    team: str
    service: str
    name: str
    groups: Sequence[FieldGroup]
    preview: Preview
    errors: Mapping[str, list[str]]
    summary: Sequence[tuple[str, str]]


def get_template(slug: str) -> Template:
    """Return a template with its versions (without their bodies), or raise NotFound."""
    query = select(Template).where(Template.slug == slug).options(joinedload(Template.team))
    template = db.session.scalar(query)
    if template is None:
        raise NotFound
    return template


def get_version(template: Template, number: str | None) -> Version:
    """Return a version by its number, or the recommended one, or raise NotFound."""
    for version in template.versions:
        if version.number == number or (not number and version.is_recommended):
            return version
    raise NotFound


def environment_options(person: Person, places: Sequence[Environment]) -> list[tuple[str, str, str, str]]:
    """Return options for the places one may launch in, and some one may not, with why."""
    options = [(each.slug, each.slug, f"{each.stage}, {each.region}", "") for each in places]
    refused = closed_to(person, MOST_REFUSED) if len(options) < MOST_REFUSED else []
    return options + [(each.slug, each.slug, "", policy.may_launch(person, each).rule) for each in refused]


def launch_page(
    person: Person,
    template: Template,
    version: Version,
    given: Mapping[str, Any],
    answers: Mapping[str, str | list[str]],
    errors: Mapping[str, list[str]] | None = None,
) -> FormPage:
    """Make the launch form ready. `given` are environment, team, service and name as typed."""
    environments = launchable(person)
    environment = next((each for each in environments if each.slug == given.get("environment")), None)
    if environment is None and environments:
        environment = environments[0]
    answers = with_stage(version, environment, answers, made_for=given.get("made_for", ""))
    options = environment_options(person, environments)
    teams = [environment.team] if environment and environment.team else policy.teams_to_launch_for(person)
    services = _services(teams)
    groups, preview = _judged(person, template, version, environment, answers, errors or {})
    return FormPage(
        template=template,
        version=version,
        versions=[(each.number, f"v{each.number}") for each in template.versions if each.may_be_launched],
        environment=environment,
        environments=options,
        teams=[(team.slug, team.name) for team in teams],
        services=services,
        team=given.get("team") or (teams[0].slug if teams else ""),
        service=given.get("service") or "",
        name=given.get("name") or "",
        groups=groups,
        preview=preview,
        errors=errors or {},
        summary=summary(errors or {}, groups),
    )


def with_stage(
    version: Version, environment: Environment | None, answers: Mapping[str, str | list[str]], *, made_for: str = ""
) -> Mapping[str, str | list[str]]:
    """Answer the stage from the environment, unless somebody chose another one for this very environment."""
    stage = next((each for each in parsed(version).parameters if each.name == STAGE_PARAMETER), None)
    if environment is None or stage is None or environment.stage not in stage.allowed_values:
        return answers
    is_chosen = STAGE_PARAMETER in answers and (not made_for or made_for.endswith(f" {environment.slug}"))
    return answers if is_chosen else {**answers, STAGE_PARAMETER: environment.stage.value}


def _services(teams: Sequence[Team]) -> list[tuple[str, str]]:
    query = select(Service).where(Service.team_id.in_([team.id for team in teams])).order_by(Service.slug)
    return [("", "None"), *((service.slug, service.slug) for service in db.session.scalars(query))]


def _judged(
    person: Person,
    template: Template,
    version: Version,
    environment: Environment | None,
    answers: Mapping[str, str | list[str]],
    errors: Mapping[str, list[str]],
    *,
    previous: Stack | None = None,
) -> tuple[list[FieldGroup], Preview]:
    """Judge the answers for an environment; without one only the template itself is shown."""
    body = parsed(version)
    typical = usual(template.id, "update" if previous else "create")
    if environment is None:
        groups = forms.build(body, answers, {}, errors)
        return groups, Preview((), (), 0, (), (), typical, 0)
    judged = checking.judge(version, environment, answers, person, previous=previous)
    kept = body.secrets if previous else frozenset()
    groups = forms.build(body, answers, judged.choices, errors, kept=kept)
    return groups, _preview(body, judged, environment, answers, typical)


def _preview(
    body: Any,
    judged: checking.Judged,
    environment: Environment,
    answers: Mapping[str, str | list[str]],
    typical: Usual,
) -> Preview:
    planned = outline(body.body, judged.checked.values, checking.pseudo(environment))
    labels = {parameter.name: parameter.label for parameter in body.parameters}
    creates = [each for each in planned if each.will_be_created is not False]
    blank = [name for name in judged.checked.errors if not answers.get(name)]
    return Preview(
        creates=creates,
        holds_data=[each.logical_id for each in creates if each.holds_data],
        depends=sum(each.will_be_created is None for each in creates),
        problems=[
            (labels.get(name, name), f"f-{forms.PREFIX}{name}", " ".join(sentences))
            for name, sentences in judged.checked.errors.items()
            if name not in blank
        ],
        undecided=[verdict.description for verdict in judged.verdicts if verdict.outcome is None],
        usual=typical,
        missing=len(blank),
    )


def change_page(
    person: Person,
    stack: Stack,
    template: Template,
    version: Version,
    answers: Mapping[str, str | list[str]],
    errors: Mapping[str, list[str]] | None = None,
    *,
    is_retry: bool = False,
) -> FormPage:
    """Make the form to change a stack ready, or to launch a failed one again."""
    shown = {parameter.name for parameter in parsed(version).parameters}
    answers = {name: value for name, value in answers.items() if name in shown}
    previous = None if is_retry else stack
    groups, preview = _judged(person, template, version, stack.environment, answers, errors or {}, previous=previous)
    permitted = [each for each in template.versions if each.may_be_launched or each.id == stack.version_id]
    return FormPage(
        template=template,
        version=version,
        versions=[(each.number, f"v{each.number}") for each in permitted],
        environment=stack.environment,
        environments=(),
        teams=(),
        services=(),
        team=stack.team.slug,
        service=stack.service.slug if stack.service else "",
        name=stack.name,
        groups=groups,
        preview=preview,
        errors=errors or {},
        summary=summary(errors or {}, groups),
    )


_OWN_LABELS = {"name": "Stack name", "environment": "Environment", "team": "Owner", "service": "Service"}


def summary(errors: Mapping[str, list[str]], groups: Sequence[FieldGroup]) -> list[tuple[str, str]]:
    """Return label and id of each field at fault, for the links on top of the form."""
    labels = _OWN_LABELS | {field.name: field.label for group in groups for field in group.fields}
    return [(labels.get(name, name.removeprefix(forms.PREFIX)), f"f-{name}") for name in errors]
