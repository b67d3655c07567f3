"""A plan as its page shows it: counted in one line, and what would lose data apart from the rest."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

# Words, tone and icon of each kind of change, the one to worry about most first.
_KINDS = (
    ("replace", "replaced", "warn", "replace"),
    ("may_replace", "may be replaced", "warn", "help-circle"),
    ("modify", "in place", None, "pencil"),
    ("add", "new", None, "plus"),
    ("import", "taken over", None, "download"),
    ("remove", "removed", "warn", "trash"),
)
_ALWAYS_SAID = ("replace", "remove")

Change = Mapping[str, Any]
Item = tuple[str, str | None, str | None, bool]


def sorted_out(changes: Sequence[Change], present: Collection[str]) -> dict[str, Any]:
    """Return `tally`, `worst` and `rest` for the page. `present` are the logical ids of what the stack holds now."""
    worst = [change for change in changes if change["holds_data"] and change["kind"] in _ALWAYS_SAID]
    untouched = len(set(present) - {change["logical_id"] for change in changes})
    return {
        "worst": worst,
        "rest": [change for change in changes if change not in worst],
        "tally": _tally(changes, {change["kind"] for change in worst}, untouched),
    }


def _tally(changes: Sequence[Change], losing: Collection[str], untouched: int) -> list[Item]:
    counts = Counter(change["kind"] for change in changes)
    items = [
        _item(counts[kind], words, "bad" if kind in losing else tone, icon)
        for kind, words, tone, icon in _KINDS
        if counts[kind]
    ]
    # That nothing is replaced or removed is worth saying; that nothing is new is not.
    none = [f"0 {words}" for kind, words, _, _ in _KINDS if kind in _ALWAYS_SAID and not counts[kind]]
    return [*items, (", ".join([*none, f"{untouched} untouched"]), "quiet", None, False)]


def _item(count: int, words: str, tone: str | None, icon: str) -> Item:
    return (f"{count} {words}{', holds data' if tone == 'bad' else ''}", tone, icon, False)
