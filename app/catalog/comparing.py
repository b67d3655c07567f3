"""What differs between two versions: in words, and line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.catalog.bodies import Parsed

# Comparing takes the square of the lines at worst; nobody reads a difference this long either.
MOST_LINES = 6_000
_AROUND = 3


@dataclass(frozen=True)
class Line:
    """One line of a comparison: `same`, `gone`, `new`, or `gap` where unchanged lines are left out."""

    kind: str
    before: int | None
    after: int | None
    text: str


@dataclass(frozen=True)
class Comparison:
    """Two versions side by side. Without `lines` they are equal, or too long to compare (`is_too_long`)."""

    lines: tuple[Line, ...]
    new_parameters: tuple[str, ...]
    gone_parameters: tuple[str, ...]
    new_resources: tuple[str, ...]
    gone_resources: tuple[str, ...]
    is_too_long: bool = False

    @property
    def added(self) -> int:
        return sum(line.kind == "new" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.kind == "gone" for line in self.lines)


def compare(before: Parsed, after: Parsed) -> Comparison:
    """Compare two bodies."""
    old, new = before.text.splitlines(), after.text.splitlines()
    is_too_long = max(len(old), len(new)) > MOST_LINES
    asked_before, asked_after = _names(before), _names(after)
    made_before, made_after = list(before.body.resources), list(after.body.resources)
    return Comparison(
        lines=() if is_too_long else tuple(_lines(old, new)),
        new_parameters=_without(asked_after, asked_before),
        gone_parameters=_without(asked_before, asked_after),
        new_resources=_without(made_after, made_before),
        gone_resources=_without(made_before, made_after),
        is_too_long=is_too_long,
    )


def _names(parsed: Parsed) -> list[str]:
    return [parameter.name for parameter in parsed.parameters]


def _without(names: list[str], others: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others)


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    reached = 0
    for group in SequenceMatcher(None, old, new).get_grouped_opcodes(_AROUND):
        if skipped := group[0][1] - reached:
            yield Line("gap", None, None, f"{skipped:,} unchanged")
        for operation, i1, i2, j1, j2 in group:
            yield from _block(operation, old, new, (i1, i2), (j1, j2))
        reached = group[-1][2]
    if 0 < reached < len(old):
        yield Line("gap", None, None, f"{len(old) - reached:,} unchanged")


def _block(operation: str, old: list[str], new: list[str], i: tuple[int, int], j: tuple[int, int]) -> Iterator[Line]:
    if operation == "equal":
        for before, after in zip(range(*i), range(*j), strict=True):
            yield Line("same", before + 1, after + 1, old[before])
        return
    yield from (Line("gone", at + 1, None, old[at]) for at in range(*i))
    yield from (Line("new", None, at + 1, new[at]) for at in range(*j))
