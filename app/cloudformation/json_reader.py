"""Read JSON with the same limits and refusals as YAML: depth, size and repeated keys, each with its line."""

import json
import re
from typing import Any

from app.cloudformation.errors import (
    MAX_DEPTH,
    MAX_NODES,
    BrokenText,
    NotATemplate,
    duplicate_key,
    too_deep,
    too_many_nodes,
)

# Strings first, so that brackets inside them do not count. A string that never ends is left to the parser to refuse.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"(?P<key>\s*:)?|[{}\[\],\n]', re.DOTALL)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_NUMBER = 40


def read_json(text: str) -> Any:
    """Give the document of `text`.

    Raises BrokenText with a line for broken JSON, NotATemplate for repeated keys and anything beyond the limits.
    """
    _survey(text)
    try:
        document = json.loads(text, parse_int=_integer, parse_float=_decimal, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise BrokenText(f"The JSON breaks here: {error.msg.lower()}.", error.lineno) from error
    if _SURROGATE.search(text):
        _refuse_half_characters(document)
    return document


def _refuse_half_characters(document: Any) -> None:
    """Refuse half a surrogate pair: Python would carry it along until the first write to anywhere failed."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise NotATemplate("An escape stands for half a character; write \\u escapes in pairs.") from error


def _survey(text: str) -> None:
    """Walk the tokens once, before anything is built, and refuse what is too deep, too big or doubled."""
    line, nodes = 1, 0
    open_keys: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark == "\n":
            line += 1
        elif mark in "{[":
            open_keys.append(set())
            nodes += 1
            _within_limits(len(open_keys), nodes, line)
        elif mark in "}]":
            open_keys = open_keys[:-1]
        elif mark == ",":
            nodes += 1
            _within_limits(len(open_keys), nodes, line)
        else:
            _note_key(token, open_keys, line)
            line += mark.count("\n")


def _within_limits(depth: int, nodes: int, line: int) -> None:
    if depth > MAX_DEPTH:
        raise too_deep(line)
    if nodes > MAX_NODES:
        raise too_many_nodes(line)


def _note_key(token: re.Match[str], open_keys: list[set[str]], line: int) -> None:
    if token["key"] is None or not open_keys:
        return
    key = token.group()[: -len(token["key"])]
    if key in open_keys[-1]:
        raise duplicate_key(key.strip('"'), line)
    open_keys[-1].add(key)


def _integer(digits: str) -> int | str:
    """Keep absurdly long numbers as text: Python refuses to convert them and no template means them."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else digits


def _decimal(digits: str) -> float | str:
    number = float(digits)
    return digits if number in (float("inf"), float("-inf")) else number


def _constant(name: str) -> Any:
    raise NotATemplate(f"{name} is not a JSON value; write a number or text.")
