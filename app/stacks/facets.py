"""What a list of stacks can be narrowed to, and how many stacks each choice would leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, case, func, select
from werkzeug.utils import cached_property

from app import db
from app.catalog.models import Template
from app.environments.models import Environment
from app.facets import Choice, Facet
from app.identity.models import Team
from app.stacks.lifecycle import IN_TROUBLE, MOVING, StackStatus
from app.stacks.models import Grain, StackTally
from app.stacks.remembering import remembered

# Named sets of statuses, so that "in trouble" is one link.
SETS = {"trouble": IN_TROUBLE, "moving": MOVING, "ready": (StackStatus.READY,), "deleted": (StackStatus.DELETED,)}


MOST_CHOICES = 12
_FIELDS = {"status": "statuses", "team": "teams", "environment": "environments", "template": "templates"}
_COLUMNS: dict[str, tuple[Any, Any, Grain]] = {
    "team": (Team, StackTally.team_id, Grain.TEAM),
    "environment": (Environment, StackTally.environment_id, Grain.ENVIRONMENT),
    "template": (Template, StackTally.template_id, Grain.TEMPLATE),
}


@dataclass(frozen=True)
class Filters:
    """What a list of stacks is narrowed to; every part may be empty."""

    teams: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    words: str = ""

    @cached_property
    def ids(self) -> Mapping[str, tuple[int, ...]]:
        """The ids of the chosen teams, environments and templates, read once; a slug nobody has is left out."""
        return {name: _ids(model, getattr(self, _FIELDS[name])) for name, (model, _, _) in _COLUMNS.items()}

    def asks_for(self, name: str) -> bool:
        """Say whether the list is narrowed by this facet: `status`, `team`, `environment` or `template`."""
        return bool(getattr(self, _FIELDS[name]))


def _ids(model: Any, slugs: Sequence[str]) -> tuple[int, ...]:
    return tuple(db.session.scalars(select(model.id).where(model.slug.in_(slugs)))) if slugs else ()


def statuses_of(filters: Filters) -> tuple[str, ...]:
    """Return the statuses that are asked for, named sets spelled out; without any, everything but deleted."""
    if not filters.statuses:
        return tuple(status for status in StackStatus if status is not StackStatus.DELETED)
    spelled: list[str] = []
    for status in filters.statuses:
        spelled += SETS.get(status, (status,))
    return tuple(dict.fromkeys(spelled))


def count_stacks(filters: Filters) -> int:
    """Count from the tally, whose size depends on kinds of stacks and not on their number."""
    return remembered(("count", filters), lambda: sum(_sums(filters, StackTally.status, skip="").values()))


def facets(filters: Filters) -> list[Facet]:
    """Return the facets with counts; each counts what the other facets leave. A search narrows none of them."""
    return remembered(("facets", replace(filters, words="")), lambda: _facets(filters))


def _facets(filters: Filters) -> list[Facet]:
    by_status = _sums(filters, StackTally.status, skip="status")
    words = {status: (status, status.replace("_", " ").capitalize()) for status in by_status}
    return [
        _facet("Status", "status", {words[status]: n for status, n in by_status.items()}, filters),
        _facet("Owner", "team", _by_slug(filters, "team"), filters),
        _facet("Environment", "environment", _by_slug(filters, "environment"), filters),
        _facet("Template", "template", _by_slug(filters, "template"), filters),
    ]


def _sums(filters: Filters, by: Any, *, skip: str) -> dict[Any, int]:
    """Return sums of the tally by a column, narrowed by every filter but the skipped one, from the coarsest grain."""
    query = select(by, func.sum(StackTally.n)).group_by(by).having(func.sum(StackTally.n) > 0)
    return {key: int(n) for key, n in db.session.execute(_tally_narrowed(query, filters, by, skip))}


def _tally_narrowed(query: Select[Any], filters: Filters, by: Any, skip: str) -> Select[Any]:
    narrowed = [name for name in _COLUMNS if name != skip and filters.asks_for(name)]
    needed = {*narrowed, *(name for name, (_, column, _grain) in _COLUMNS.items() if column is by)}
    grain = Grain.EVERY if len(needed) > 1 else _COLUMNS[next(iter(needed), "template")][2]
    query = query.where(StackTally.grain == grain)
    if skip != "status":
        query = query.where(StackTally.status.in_(statuses_of(filters)))
    for name in narrowed:
        query = query.where(_COLUMNS[name][1].in_(filters.ids[name]))
    return query


def _by_slug(filters: Filters, name: str) -> dict[tuple[str, str], int]:
    """Return the largest sums by a thing's slug, and those of what is chosen however small."""
    model, column, _ = _COLUMNS[name]
    total = func.sum(StackTally.n).label("n")
    query = _tally_narrowed(select(column.label("id"), total).group_by(column).having(total > 0), filters, column, name)
    chosen = filters.ids[name]
    first = [case((column.in_(chosen), 0), else_=1)] if chosen else []
    # Names are put to the few that are left, not to all that were summed.
    largest = query.order_by(*first, total.desc(), column).limit(MOST_CHOICES).subquery()
    rows = db.session.execute(select(model.slug, largest.c.n).join(largest, largest.c.id == model.id))
    return {(slug, slug): int(n) for slug, n in rows}


def _facet(label: str, name: str, counts: Mapping[tuple[str, str], int], filters: Filters) -> Facet:
    chosen = getattr(filters, _FIELDS[name])
    ordered = sorted(counts.items(), key=lambda item: (item[0][0] not in chosen, -item[1], item[0][0]))
    return Facet(label, name, tuple(Choice(value, word, n, value in chosen) for (value, word), n in ordered))
