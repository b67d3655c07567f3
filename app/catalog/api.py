"""The catalog, as JSON: templates, their versions, and the bodies as published."""

from typing import Any

from flask import Response
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from app import api, db
from app.api import Paging
from app.catalog.bodies import parsed
from app.catalog.documents import (
    TemplateDocument,
    TemplatePage,
    VersionDocument,
    VersionPage,
    template_document,
    template_summary,
    version_document,
    version_summary,
)
from app.catalog.models import UNPUBLISHED, Template, Version
from app.errors import NotFound

bp = api.blueprint("templates", "The catalog: what may be launched.")

_MEDIA = {"json": "application/json", "yaml": "text/yaml"}
_BODY_ANSWER: Any = {
    "description": "The body, as published.",
    "content": {"text/yaml": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}}},
}


@bp.get("/templates")
@bp.input(Paging, location="query")
@bp.output(TemplatePage)
def list_templates(query_data: Paging) -> TemplatePage:
    """List the catalog's templates."""
    rows, following = api.page_of(_templates(), Template.slug, query_data)
    return TemplatePage(items=[template_summary(row) for row in rows], next=following)


@bp.get("/templates/<slug>")
@bp.output(TemplateDocument)
def get_template(slug: str) -> TemplateDocument:
    """Return one template with its documentation."""
    return template_document(_template(slug))


@bp.get("/templates/<slug>/versions")
@bp.input(Paging, location="query")
@bp.output(VersionPage)
def list_versions(slug: str, query_data: Paging) -> VersionPage:
    """List a template's versions, newest first."""
    query = _versions(_template(slug))
    rows, following = api.page_of(query, Version.position, query_data, newest_first=True)
    return VersionPage(items=[version_summary(row) for row in rows], next=following)


@bp.get("/templates/<slug>/versions/<number>")
@bp.output(VersionDocument)
def get_version(slug: str, number: str) -> VersionDocument:
    """Return one version with its parameters, and what it would create and return."""
    template = _template(slug)
    return version_document(_version(template, number), template)


@bp.get("/templates/<slug>/versions/<number>/body")
@bp.doc(responses={200: _BODY_ANSWER})
def get_body(slug: str, number: str) -> Response:
    """Return the body of a version exactly as it was published."""
    read = parsed(_version(_template(slug), number))
    return Response(read.text, mimetype=_MEDIA[read.body.language])


def _templates() -> Select[Template]:
    """Drafts alone do not make a template appear, here or on the pages."""
    return (
        select(Template)
        .where(Template.versions.any(Version.status.not_in(UNPUBLISHED)))
        .options(joinedload(Template.team), joinedload(Template.recommended))
    )


def _versions(template: Template) -> Select[Version]:
    return select(Version).where(Version.template_id == template.id, Version.status.not_in(UNPUBLISHED))


def _template(slug: str) -> Template:
    template = db.session.scalar(_templates().where(Template.slug == slug))
    if template is None:
        raise NotFound(f"There is no template {slug} in the catalog.")
    return template


def _version(template: Template, number: str) -> Version:
    version = db.session.scalar(_versions(template).where(Version.number == number))
    if version is None:
        raise NotFound(f"{template.slug} has no version {number}.")
    return version
