"""How long launches of a template usually take, from the newest that went well."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from app import db
from app.catalog.models import Template
from app.stacks.models import Duration

NEWEST = 50
# Fewer runs say nothing about the next one.
FEWEST = 3


@dataclass(frozen=True)
class Pace:
    """Half of the runs took at most `half` seconds, nine in ten at most `most`; of `n` runs."""

    half: float
    most: float
    n: int

    @property
    def is_enough(self) -> bool:
        return self.n >= FEWEST


# For each template, the id its newest runs start at: a seek in the index, where a window would read them all.
_NTH = (
    select(Duration.id)
    .where(Duration.template_id == Template.id, Duration.kind == bindparam("kind"), Duration.logical_id == "")
    .order_by(Duration.id.desc())
    .offset(NEWEST - 1)
    .limit(1)
    .correlate(Template)
    .scalar_subquery()
)
_STARTS = (
    select(Template.id.label("template_id"), func.coalesce(_NTH, 0).label("first"))
    .where(Template.id.in_(bindparam("ids", expanding=True)))
    .cte("starts")
)
_RUNS = (
    select(Duration.template_id, Duration.seconds)
    .join(_STARTS, Duration.template_id == _STARTS.c.template_id)
    .where(Duration.kind == bindparam("kind"), Duration.logical_id == "", Duration.id >= _STARTS.c.first)
)


def paces_by_template(template_ids: Sequence[int], kind: str = "create") -> dict[int, Pace]:
    """Return the pace of each template that has any run, by template id, in one query."""
    runs: dict[int, list[float]] = defaultdict(list)
    for template_id, seconds in db.session.execute(_RUNS, {"ids": list(template_ids), "kind": kind}):
        runs[template_id].append(seconds)
    return {template_id: _pace(seconds) for template_id, seconds in runs.items()}


def pace_of(template_id: int, kind: str = "create") -> Pace | None:
    """Return the pace of one template, or None when nothing of the kind went well yet."""
    return paces_by_template([template_id], kind).get(template_id)


def _pace(seconds: list[float]) -> Pace:
    ordered = sorted(seconds)
    return Pace(_at(ordered, 0.5), _at(ordered, 0.9), len(ordered))


def _at(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of the ordered values lies, by the nearest rank."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
