"""How long things usually take, from our own history: medians and ranges of what went well."""

from dataclasses import dataclass
from statistics import median, quantiles

from sqlalchemy import bindparam, select

from app import db
from app.stacks.models import Duration

# Enough for a steady median, few enough to follow a template that became slower.
NEWEST = 50
ROWS = 800
FEWEST = 3


@dataclass(frozen=True)
class Usual:
    """The usual length, in seconds, of a whole job (`low` to `high`, p10 to p90, over n) and of each resource."""

    n: int
    low: float | None
    high: float | None
    resources: dict[str, float]

    @property
    def is_known(self) -> bool:
        return self.n >= FEWEST


_NEWEST = (
    select(Duration.logical_id, Duration.seconds)
    .where(Duration.template_id == bindparam("template_id"), Duration.kind == bindparam("kind"))
    .order_by(Duration.id.desc())
    .limit(ROWS)
)


def usual(template_id: int, kind: str) -> Usual:
    """Return what is usual for a kind of job on a template, from its newest runs."""
    lengths: dict[str, list[float]] = {}
    for logical_id, seconds in db.session.execute(_NEWEST, {"template_id": template_id, "kind": kind}):
        lengths.setdefault(logical_id, []).append(seconds)
    whole = lengths.pop("", [])[:NEWEST]
    low, high = spread(whole)
    return Usual(len(whole), low, high, {name: median(found[:NEWEST]) for name, found in lengths.items()})


def spread(lengths: list[float]) -> tuple[float | None, float | None]:
    """Return the 10th and 90th percentile, in the unit given; nothing for nothing."""
    if not lengths:
        return None, None
    if len(lengths) == 1:
        return lengths[0], lengths[0]
    deciles = quantiles(lengths, n=10, method="inclusive")
    return deciles[0], deciles[-1]
