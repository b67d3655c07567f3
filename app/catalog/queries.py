"""What the catalog's pages read: entries that match a search, and one template with its versions."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, bindparam, case, cast, func, literal, select
from sqlalchemy.orm import aliased, joinedload, selectinload

from app import db
from app.catalog.models import UNPUBLISHED, Template, Version, VersionStatus
from app.errors import NotFound
from app.identity.models import Team

# More words than this narrow nothing and cost a comparison each.
MOST_TERMS = 8


@dataclass(frozen=True)
class Entry:
    """A template as the list shows it, with its recommended version if there is one."""

    id: int
    slug: str
    name: str
    summary: str
    category: str
    icon: str
    owner: str
    number: str | None
    status: VersionStatus | None
    released_on: date | None
    relevance: int


def entries(search: str = "") -> list[Entry]:
    """Return the templates that hold every word of the search somewhere, most relevant first, then by name.

    Without a search, all of them. Drafts alone do not make a template appear.
    """
    query = _searching(tuple(search.lower().split()[:MOST_TERMS]))
    return [Entry(*row) for row in db.session.execute(query)]


# Kept for the words that are searched most, and for no words at all: to write it takes longer than to answer it.
@lru_cache(maxsize=128)
def _searching(terms: tuple[str, ...]) -> Select[*tuple[Any, ...]]:
    relevance = sum((_relevance(term) for term in terms), start=literal(0))
    return (
        select(
            Template.id, Template.slug, Template.name, Template.summary, Template.category, Template.icon,
            Team.slug.label("owner"), Version.number, Version.status, Version.released_on,
            relevance.label("relevance"),
        )
        .join(Team, Team.id == Template.team_id)
        .outerjoin(Version, and_(Version.template_id == Template.id, Version.is_recommended))
        .where(_is_shown(), *(_relevance(term) > 0 for term in terms))
        .order_by(relevance.desc(), Template.slug)
    )  # fmt: skip


def _is_shown() -> ColumnElement[bool]:
    known = aliased(Version)
    return select(known.id).where(known.template_id == Template.id, known.status.not_in(UNPUBLISHED)).exists()


def _relevance(term: str) -> ColumnElement[int]:
    """Weigh one word: most by where in the name it stands, least somewhere in the documentation; 0 is nowhere."""

    def holds(column: Any) -> ColumnElement[bool]:
        return func.lower(column).contains(term, autoescape=True)

    keywords = cast(Template.keywords, String)
    return case(
        (func.lower(Template.slug) == term, 100),
        (func.lower(Template.slug).startswith(term, autoescape=True), 60),
        (holds(Template.slug), 40),
        (func.lower(keywords).contains(f'"{term}"', autoescape=True), 35),
        (holds(Template.name), 30),
        (holds(keywords), 20),
        (holds(Template.summary), 10),
        (holds(Template.category), 10),
        (holds(Template.readme), 1),
        else_=0,
    )


_TEMPLATE = (
    select(Template)
    .where(Template.slug == bindparam("slug"))
    .options(joinedload(Template.team), selectinload(Template.versions))
)


def get_template(slug: str) -> Template:
    """Return the template with its team and versions, newest first. Raises NotFound."""
    template = db.session.scalar(_TEMPLATE, {"slug": slug})
    if template is None:
        raise NotFound(f"There is no template {slug} in the catalog. It may have another name; search for it there.")
    return template


def choose_version(template: Template, number: str | None) -> Version | None:
    """Return the version asked for, else the recommended one, else the newest that was published, else the newest.

    Raises NotFound for a number the template does not have.
    """
    if number:
        return get_version(template, number)
    recommended = [version for version in template.versions if version.is_recommended]
    released = [version for version in template.versions if version.status not in UNPUBLISHED]
    return next(iter(recommended or released or template.versions), None)


def get_version(template: Template, number: str) -> Version:
    """Return a version by its number. Raises NotFound."""
    for version in template.versions:
        if version.number == number:
            return version
    raise NotFound(f"{template.slug} has no version {number}.")
