"""What stands in for a value that only AWS knows."""

import json
from dataclasses import dataclass
from typing import Any

AFTER_IT_RUNS = "known after it runs"


@dataclass(frozen=True)
class Unknown:
    """A value that cannot be told beforehand.

    `because` finishes the sentence "undecidable because …". `sketch` is how the value is made, with every known part
    filled in: two unknown values with one sketch are the same as far as anybody can tell. `is_partly_known` marks text
    whose sketch is worth showing, such as `orders/${Queue.Arn}`.
    """

    because: str
    sketch: str
    is_partly_known: bool = False


class NoValue:
    """`AWS::NoValue`: the property, or the item of a list, is left out."""


NO_VALUE = NoValue()


def first_unknown(value: Any) -> Unknown | None:
    """Find what makes a value unknown, however deep inside it."""
    if isinstance(value, Unknown):
        return value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for part in parts if (found := first_unknown(part))), None)


def sketch_of(value: Any) -> str:
    """Write a value that may be unknown in parts; the parts show how they are made."""
    if isinstance(value, str):
        return value
    if isinstance(value, Unknown):
        return value.sketch
    if isinstance(value, NoValue):
        return "AWS::NoValue"
    return json.dumps(value, default=sketch_of, sort_keys=True)


def made_by(function: str, argument: Any, because: str) -> Unknown:
    """Describe what a function would make of an argument."""
    return Unknown(because, f"{function}({sketch_of(argument)})")
