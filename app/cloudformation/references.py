"""Find which resources an expression speaks of."""

import re
from collections.abc import Iterator
from typing import Any

_SUB_NAME = re.compile(r"\$\{([A-Za-z0-9:]+)(?:\.[^}]*)?\}")


def references(expression: Any) -> Iterator[str]:
    """Name everything that Ref, GetAtt and Sub mention inside an expression, in order, repeats included."""
    if isinstance(expression, list):
        for part in expression:
            yield from references(part)
    elif isinstance(expression, dict):
        for key, argument in expression.items():
            yield from _mentioned(key, argument)


def _mentioned(key: str, argument: Any) -> Iterator[str]:
    if key == "Ref" and isinstance(argument, str):
        yield argument
    elif key == "Fn::GetAtt":
        yield from _attribute_of(argument)
    else:
        if key == "Fn::Sub":
            yield from _substituted(argument)
        yield from references(argument)


def _attribute_of(argument: Any) -> Iterator[str]:
    first = argument[0] if isinstance(argument, list) and argument else argument
    if isinstance(first, str):
        yield first.split(".", 1)[0]
    else:
        yield from references(first)


def _substituted(argument: Any) -> Iterator[str]:
    text = argument[0] if isinstance(argument, list) and argument else argument
    own = argument[1] if isinstance(argument, list) and len(argument) > 1 and isinstance(argument[1], dict) else {}
    if isinstance(text, str):
        yield from (name for name in _SUB_NAME.findall(text) if name not in own)
