"""The list: facets with counts, the order chosen, a card for each template. Nothing here reads the database."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app import words
from app.catalog.queries import Entry
from app.facets import Choice, Facet
from app.jobs.history import Outcomes
from app.stacks.paces import Pace
from app.stacks.tallies import Use
from app.status import look

ORDERS = {
    "used": "Most used",
    "reliable": "Most reliable",
    "newest": "Newest version",
    "name": "Name",
}
RELEVANCE = "relevance"


@dataclass(frozen=True)
class Item:
    """A template with everything that is known about it."""

    entry: Entry
    use: Use
    outcomes: Outcomes
    pace: Pace | None


@dataclass(frozen=True)
class Card:
    """What a card prints."""

    slug: str
    href: str
    icon: str
    version: str
    summary: str
    facts: tuple[tuple[str, str, str], ...]
    team: str
    end: str
    refused: str | None = None


@dataclass(frozen=True)
class Listing:
    """The list as its page prints it: what is left of all templates, and how to narrow or order it."""

    cards: tuple[Card, ...]
    facets: tuple[Facet, ...]
    total: int
    order: str
    orders: tuple[tuple[str, str], ...]

    @property
    def order_words(self) -> str:
        return dict(self.orders)[self.order]


@dataclass(frozen=True)
class _Axis:
    """A way to tell templates apart: the value each has, and how that value reads."""

    label: str
    name: str
    value_of: Callable[[Item], str]
    words_of: Callable[[str], str] = str


_AXES = (
    _Axis("Kind", "category", lambda item: item.entry.category),
    _Axis("Kept by", "owner", lambda item: item.entry.owner),
    _Axis(
        "To launch", "state", lambda item: item.entry.status or "none",
        lambda value: "No version now" if value == "none" else look(value).word,
    ),
    _Axis("Used by", "used", lambda item: "mine" if item.use.mine else "", lambda value: "My team"),
)  # fmt: skip


def items_of(
    found: Iterable[Entry], uses: Mapping[int, Use], outcomes: Mapping[int, Outcomes], paces: Mapping[int, Pace]
) -> list[Item]:
    """Put what was read about each template together."""
    return [
        Item(entry, uses.get(entry.id, Use()), outcomes.get(entry.id, Outcomes()), paces.get(entry.id))
        for entry in found
    ]


def listing(items: Sequence[Item], chosen: Mapping[str, Sequence[str]], order: str, is_search: bool) -> Listing:
    """Narrow the items to the chosen facet values and put them in order.

    Values of one facet add up, facets narrow each other; each count says how many templates its link would show.
    """
    orders = ((RELEVANCE, "Best match"), *ORDERS.items()) if is_search else tuple(ORDERS.items())
    order = order if order in dict(orders) else orders[0][0]
    left = [item for item in items if all(_fits(item, axis, chosen) for axis in _AXES)]
    return Listing(
        cards=tuple(_card(item) for item in _ordered(left, order)),
        facets=tuple(_facet(axis, items, chosen) for axis in _AXES),
        total=len(items),
        order=order,
        orders=orders,
    )


def _fits(item: Item, axis: _Axis, chosen: Mapping[str, Sequence[str]]) -> bool:
    wanted = chosen.get(axis.name)
    return not wanted or axis.value_of(item) in wanted


def _facet(axis: _Axis, items: Sequence[Item], chosen: Mapping[str, Sequence[str]]) -> Facet:
    others = [each for each in _AXES if each is not axis]
    counts = Counter(axis.value_of(item) for item in items if all(_fits(item, each, chosen) for each in others))
    wanted = chosen.get(axis.name, ())
    # A chosen value stays in sight at zero, or nobody could take it off again.
    values = sorted({*counts, *wanted} - {""})
    choices = (Choice(value, axis.words_of(value), counts[value], value in wanted) for value in values)
    return Facet(axis.label, axis.name, tuple(choices))


def _ordered(items: list[Item], order: str) -> list[Item]:
    if order == "used":
        return sorted(items, key=lambda item: -item.use.stacks)
    if order == "reliable":
        # By the low end of the likely range: 3 of 3 must not stand above 99 of 100.
        return sorted(items, key=lambda item: -item.outcomes.likely[0])
    if order == "newest":
        return sorted(items, key=lambda item: item.entry.released_on or date.min, reverse=True)
    if order == "name":
        return sorted(items, key=lambda item: item.entry.slug)
    return items


def _card(item: Item) -> Card:
    entry = item.entry
    card = Card(
        slug=entry.slug,
        href=f"/catalog/{entry.slug}",
        icon=entry.icon,
        version=f"v{entry.number}" if entry.number else "",
        summary=entry.summary,
        facts=(_success(item.outcomes), _usually(item.pace), _released(entry)),
        team=entry.owner,
        end=words.plural(item.use.stacks, "stack"),
    )
    return card if entry.number else replace(card, refused="No version can be launched now.")


def _success(outcomes: Outcomes) -> tuple[str, str, str]:
    if not outcomes.n:
        return ("Succeeds", "no data", "")
    return ("Succeeds", words.share(outcomes.succeeded, outcomes.n), f"n={words.number(outcomes.n)}")


def _usually(pace: Pace | None) -> tuple[str, str, str]:
    if pace is None:
        return ("Usually", "no data", "")
    return ("Usually", pace_words(pace) if pace.is_enough else "too few runs", "")


def _released(entry: Entry) -> tuple[str, str, str]:
    return ("Released", f"{entry.released_on:%b %Y}" if entry.released_on else "–", "")


def pace_words(pace: Pace) -> str:
    """Say how long it usually takes, as a range: half of the runs to nine in ten."""
    return words.eta_range(pace.half, pace.most, joined_by="–")
