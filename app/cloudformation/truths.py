"""The functions that answer yes or no, in Conditions and in Rules.

An undecided part does not always leave the whole undecided: "no and whatever" is no, "yes or whatever" is yes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from app.cloudformation.scalars import as_text
from app.cloudformation.unknown import NoValue, Unknown, first_unknown, made_by

if TYPE_CHECKING:
    from app.cloudformation.evaluator import Evaluator, Truth


def _and(evaluator: Evaluator, argument: Any) -> Truth:
    return _combined(evaluator, argument, deciding=False)


def _or(evaluator: Evaluator, argument: Any) -> Truth:
    return _combined(evaluator, argument, deciding=True)


def _combined(evaluator: Evaluator, argument: Any, deciding: bool) -> Truth:
    """Let one deciding part settle the whole; else the first undecided part leaves it open."""
    if not isinstance(argument, list) or not argument:
        return made_by("condition", argument, "a condition lists nothing to combine")
    truths = [evaluator.truth(part) for part in argument]
    if deciding in truths:
        return deciding
    return next((truth for truth in truths if isinstance(truth, Unknown)), not deciding)


def _not(evaluator: Evaluator, argument: Any) -> Truth:
    inner = argument[0] if isinstance(argument, list) and len(argument) == 1 else argument
    truth = evaluator.truth(inner)
    return truth if isinstance(truth, Unknown) else not truth


def _condition(evaluator: Evaluator, name: Any) -> Truth:
    return evaluator.named_truth(name)


def _equals(evaluator: Evaluator, argument: Any) -> Truth:
    pair = _pair(evaluator, argument)
    if isinstance(pair, Unknown):
        return pair
    return comparable(pair[0]) == comparable(pair[1])


def _contains(evaluator: Evaluator, argument: Any) -> Truth:
    pair = _pair(evaluator, argument)
    if isinstance(pair, Unknown):
        return pair
    return comparable(pair[1]) in _members(pair[0])


def _each_member_equals(evaluator: Evaluator, argument: Any) -> Truth:
    pair = _pair(evaluator, argument)
    if isinstance(pair, Unknown):
        return pair
    return all(member == comparable(pair[1]) for member in _members(pair[0]))


def _each_member_in(evaluator: Evaluator, argument: Any) -> Truth:
    pair = _pair(evaluator, argument)
    if isinstance(pair, Unknown):
        return pair
    allowed = _members(pair[1])
    return all(member in allowed for member in _members(pair[0]))


def _pair(evaluator: Evaluator, argument: Any) -> list[Any] | Unknown:
    if not isinstance(argument, list) or len(argument) != 2:
        return made_by("condition", argument, "a comparison needs exactly two sides")
    sides = [evaluator.value(side) for side in argument]
    return first_unknown(sides) or sides


def _members(value: Any) -> list[Any]:
    """Give the members of a list; a function that found a single value counts as a list of it."""
    return [comparable(member) for member in (value if isinstance(value, list) else [value])]


def comparable(value: Any) -> Any:
    """Give a value the way CloudFormation compares it: numbers and booleans as the text they are written with."""
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, dict):
        return {key: comparable(item) for key, item in value.items()}
    if value is None or isinstance(value, NoValue):
        return ""
    text = as_text(value)
    return value if text is None else text


TRUTHS: dict[str, Callable[[Evaluator, Any], Truth]] = {
    "Fn::And": _and,
    "Fn::Or": _or,
    "Fn::Not": _not,
    "Fn::Equals": _equals,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": _each_member_equals,
    "Fn::EachMemberIn": _each_member_in,
    "Condition": _condition,
}
