"""Templates and versions as JSON documents."""

from datetime import date
from decimal import Decimal
from typing import Any

from app.api import Document, Page
from app.catalog.bodies import parsed
from app.catalog.models import Template, Version, VersionStatus
from app.cloudformation.capabilities import capabilities
from app.cloudformation.outline import Output, Planned, outline, outputs
from app.cloudformation.parameters import Parameter


class TemplateSummary(Document):
    """An entry of the catalog; `version` is the one new stacks get."""

    slug: str
    name: str
    summary: str
    category: str
    owner: str
    tags: list[str]
    version: str | None


class TemplateDocument(TemplateSummary):
    """An entry of the catalog with its documentation in Markdown."""

    readme: str
    changelog: str
    support: dict[str, Any]


class VersionSummary(Document):
    """One immutable revision of a template."""

    number: str
    status: VersionStatus
    status_reason: str
    recommended: bool
    changes: str
    digest: str
    released_on: date


class ConstraintsDocument(Document):
    """What an answer has to be like; null is no constraint."""

    pattern: str | None
    description: str
    min_length: int | None
    max_length: int | None
    min_value: int | float | None
    max_value: int | float | None


class ParameterDocument(Document):
    """One question of the form. A hidden answer's default is never told."""

    name: str
    type: str
    label: str
    description: str
    group: str
    default: str | None
    required: bool
    allowed_values: list[str]
    constraints: ConstraintsDocument
    no_echo: bool


class PlannedResource(Document):
    """A resource the template declares; `will_be_created` null: the answers decide, or only a change set can tell."""

    logical_id: str
    type: str
    will_be_created: bool | None
    holds_data: bool


class PlannedOutput(Document):
    """Something a stack will return."""

    key: str
    description: str


class VersionDocument(VersionSummary):
    """A version with what it asks, creates and returns."""

    template: str
    parameters: list[ParameterDocument]
    resources: list[PlannedResource]
    outputs: list[PlannedOutput]
    capabilities: list[str]


class TemplatePage(Page[TemplateSummary]):
    """One part of the catalog, by slug."""


class VersionPage(Page[VersionSummary]):
    """One part of a template's versions, newest first."""


def template_summary(template: Template) -> TemplateSummary:
    return TemplateSummary(**_of_template(template))


def template_document(template: Template) -> TemplateDocument:
    return TemplateDocument(
        **_of_template(template), readme=template.readme, changelog=template.changelog, support=template.support
    )


def version_summary(version: Version) -> VersionSummary:
    return VersionSummary(**_of_version(version))


def version_document(version: Version, template: Template) -> VersionDocument:
    """Return a version with what its body says, judged without any answer."""
    read = parsed(version)
    return VersionDocument(
        **_of_version(version),
        template=template.slug,
        parameters=[_parameter(parameter) for group in read.groups for parameter in group.parameters],
        resources=[_resource(planned) for planned in outline(read.body, {})],
        outputs=[_output(output) for output in outputs(read.body, {})],
        capabilities=list(capabilities(read.body)),
    )


def _of_template(template: Template) -> dict[str, Any]:
    return {
        "slug": template.slug,
        "name": template.name,
        "summary": template.summary,
        "category": template.category,
        "owner": template.team.slug,
        "tags": template.tags,
        "version": template.recommended.number if template.recommended else None,
    }


def _of_version(version: Version) -> dict[str, Any]:
    return {
        "number": version.number,
        "status": version.status,
        "status_reason": version.status_reason,
        "recommended": version.is_recommended,
        "changes": version.changes,
        "digest": version.digest,
        "released_on": version.released_on,
    }


def _parameter(parameter: Parameter) -> ParameterDocument:
    return ParameterDocument(
        name=parameter.name,
        type=parameter.type,
        label=parameter.label,
        description=parameter.description,
        group=parameter.group,
        default=None if parameter.no_echo else parameter.default,
        required=parameter.is_required,
        allowed_values=list(parameter.allowed_values),
        constraints=_constraints(parameter),
        no_echo=parameter.no_echo,
    )


def _constraints(parameter: Parameter) -> ConstraintsDocument:
    return ConstraintsDocument(
        pattern=parameter.allowed_pattern,
        description=parameter.constraint_description,
        min_length=parameter.min_length,
        max_length=parameter.max_length,
        min_value=_number(parameter.min_value),
        max_value=_number(parameter.max_value),
    )


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _resource(planned: Planned) -> PlannedResource:
    return PlannedResource(
        logical_id=planned.logical_id,
        type=planned.type,
        will_be_created=planned.will_be_created,
        holds_data=planned.holds_data,
    )


def _output(output: Output) -> PlannedOutput:
    return PlannedOutput(key=output.name, description=output.description)
