"""Say what changes between two versions of a stack: answers, and properties of resources, before → after."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.evaluator import Evaluator
from app.cloudformation.inputs import Environment
from app.cloudformation.parameters import Parameter
from app.cloudformation.scalars import as_text
from app.cloudformation.truths import comparable
from app.cloudformation.unknown import AFTER_IT_RUNS, Unknown, sketch_of

HIDDEN = "••••••"

_ATTRIBUTES = ("Type", "DeletionPolicy", "UpdateReplacePolicy", "Properties")
_LONGEST_SHOWN = 400
_MOST_CHANGES = 200


@dataclass(frozen=True)
class PropertyChange:
    """One property of one resource, as text to show. None means that it is not there on that side."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class AnswerChange:
    """One answer, as text to show. None means that the version on that side does not ask for it."""

    name: str
    label: str
    before: str | None
    after: str | None


def property_changes(
    old_body: Body,
    old_values: Mapping[str, str],
    new_body: Body,
    new_values: Mapping[str, str],
    pseudo: Mapping[str, str] | None = None,
) -> dict[str, tuple[PropertyChange, ...]]:
    """Compare the resources both sides declare, as far as the answers decide their properties.

    What AWS alone knows reads "known after it runs"; hidden answers read as dots, alone or inside a longer text. A
    hidden answer missing from the new side keeps its previous value, so it counts as unchanged.
    """
    place = Environment(pseudo or {})
    stays = _staying(new_body, new_values)
    before = _Side(old_body, old_values, place, stays | _staying(old_body, old_values))
    after = _Side(new_body, new_values, place, stays)
    shared = [name for name in new_body.resources if name in old_body.resources]
    changes = {name: tuple(islice(_compared(before, after, name), _MOST_CHANGES)) for name in shared}
    return {name: found for name, found in changes.items() if found}


def answer_changes(
    old: Mapping[str, str],
    new: Mapping[str, str],
    parameters: Iterable[Parameter] = (),
    kept: Collection[str] = (),
) -> tuple[AnswerChange, ...]:
    """Compare two sets of answers, in the order of `parameters`; names in `kept` stay as they were."""
    known = {parameter.name: parameter for parameter in parameters}
    names = dict.fromkeys([*known, *old, *new])
    changed = [name for name in names if name not in kept and old.get(name) != new.get(name)]
    return tuple(_answer_change(name, known.get(name), old.get(name), new.get(name)) for name in changed)


def _answer_change(name: str, parameter: Parameter | None, before: str | None, after: str | None) -> AnswerChange:
    label = parameter.label if parameter else name
    if parameter and parameter.no_echo:
        return AnswerChange(name, label, before and HIDDEN, after and HIDDEN)
    return AnswerChange(name, label, before, after)


class _Side:
    """One side of the comparison, evaluated twice: with the real answers to compare, with hidden ones to show."""

    def __init__(self, body: Body, values: Mapping[str, str], place: Environment, not_told: Collection[str]) -> None:
        self.body = body
        self.real = Evaluator(body, values, place, not_told)
        dots = dict.fromkeys(_secrets(self.real), HIDDEN)
        self.shown = Evaluator(body, {**values, **dots}, place)

    def exists(self, name: str) -> bool:
        condition = self.body.resources[name].get("Condition")
        return condition is None or self.real.named_truth(condition) is not False

    def resolved(self, name: str) -> "_Value":
        resource = {key: value for key, value in self.body.resources[name].items() if key in _ATTRIBUTES}
        return _Value(self.real.value(resource), self.shown.value(resource))


def _secrets(evaluator: Evaluator) -> list[str]:
    return [field.name for field in evaluator.parameters.values() if field.no_echo]


def _staying(body: Body, values: Mapping[str, str]) -> set[str]:
    """Name the hidden parameters that have no value among the answers: it is stored nowhere and stays as it was."""
    return {name for name in _secrets(Evaluator(body, values)) if name not in values}


@dataclass(frozen=True)
class _Value:
    """A value to compare beside the same value to show."""

    real: Any
    shown: Any

    def parts(self) -> dict[str, "_Value"] | None:
        """Take a mapping or a list apart; None for what has no parts, or whose parts cannot be told apart."""
        if isinstance(self.real, dict) and isinstance(self.shown, dict):
            return {key: _Value(value, self.shown.get(key, HIDDEN)) for key, value in self.real.items()}
        if isinstance(self.real, list) and isinstance(self.shown, list) and len(self.real) == len(self.shown):
            pairs = zip(self.real, self.shown, strict=True)
            return {f"[{position}]": _Value(*pair) for position, pair in enumerate(pairs)}
        return None

    def text(self) -> str:
        """Give the value as a person may see it."""
        if isinstance(self.shown, Unknown) and not self.shown.is_partly_known:
            return AFTER_IT_RUNS
        plain = as_text(self.shown)
        text = sketch_of(self.shown) if plain is None else plain
        return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _compared(before: _Side, after: _Side, name: str) -> Iterator[PropertyChange]:
    if before.exists(name) and after.exists(name):
        yield from _differences("", before.resolved(name), after.resolved(name))


def _differences(path: str, old: _Value | None, new: _Value | None) -> Iterator[PropertyChange]:
    """Go down as long as both sides have the same shape, and tell the places where they part."""
    if old and new and comparable(old.real) == comparable(new.real):
        return
    old_parts, new_parts = (value.parts() if value else None for value in (old, new))
    if old_parts is None or new_parts is None or type(old and old.real) is not type(new and new.real):
        yield PropertyChange(path, old.text() if old else None, new.text() if new else None)
        return
    for key in dict.fromkeys([*old_parts, *new_parts]):
        yield from _differences(_below(path, key), old_parts.get(key), new_parts.get(key))


def _below(path: str, key: str) -> str:
    """Write a path as people do, without the word Properties: `Tags[0].Value`."""
    if key.startswith("["):
        return f"{path}{key}"
    return key if path in ("", "Properties") else f"{path}.{key}"
