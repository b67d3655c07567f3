"""The functions that make values, each evaluated as far as its arguments are known."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from ipaddress import ip_network
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.cloudformation.lookups import ref_all, value_of, value_of_all
from app.cloudformation.scalars import as_text
from app.cloudformation.unknown import NO_VALUE, Unknown, first_unknown, made_by, sketch_of

if TYPE_CHECKING:
    from app.cloudformation.evaluator import Evaluator

_MARK = re.compile(r"\$\{(!?)([^}]*)\}")
_MOST_NETWORKS = 256


def _ref(evaluator: Evaluator, name: Any) -> Any:
    if not isinstance(name, str):
        return made_by("Ref", name, "a Ref names nothing")
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in evaluator.parameters:
        return evaluator.parameter_value(name)
    if name in evaluator.environment.pseudo:
        return evaluator.environment.pseudo[name]
    return Unknown(f"{name[:60]} is known after it runs", f"${{{name}}}")


def _get_att(_evaluator: Evaluator, argument: Any) -> Any:
    parts = argument if isinstance(argument, list) else [argument]
    name = ".".join(part if isinstance(part, str) else sketch_of(part) for part in parts)
    return Unknown(f"{name[:80]} is known after it runs", f"${{{name}}}")


def _sub(evaluator: Evaluator, argument: Any) -> Any:
    text, own = (argument, {}) if isinstance(argument, str) else _sub_parts(argument)
    if not isinstance(text, str) or not isinstance(own, dict):
        return made_by("Fn::Sub", argument, "a Sub has no text")
    return _assembled(evaluator, _sub_pieces(evaluator, text, own))


def _sub_parts(argument: Any) -> tuple[Any, Any]:
    return tuple(argument) if isinstance(argument, list) and len(argument) == 2 else (None, None)


def _sub_pieces(evaluator: Evaluator, text: str, own: dict[str, Any]) -> list[Any]:
    pieces: list[Any] = []
    end = 0
    for mark in _MARK.finditer(text):
        pieces += [text[end : mark.start()], _marked(evaluator, mark, own)]
        end = mark.end()
    return [*pieces, text[end:]]


def _marked(evaluator: Evaluator, mark: re.Match[str], own: dict[str, Any]) -> Any:
    literal, name = mark[1], mark[2].strip()
    if literal:
        return f"${{{mark[2]}}}"
    if name in own:
        return evaluator.value(own[name])
    return evaluator.value({"Fn::GetAtt": name.split(".", 1)} if "." in name else {"Ref": name})


def _assembled(evaluator: Evaluator, pieces: list[Any], separator: str = "") -> Any:
    """Put pieces together; unknown ones leave the whole unknown, with the known ones in its sketch."""
    kept = [piece for piece in pieces if piece is not NO_VALUE]
    text = evaluator.spend(separator.join(_piece(piece) for piece in kept))
    unknown = first_unknown(kept)
    return Unknown(unknown.because, sketch_of(text), is_partly_known=len(kept) > 1) if unknown else text


def _piece(piece: Any) -> str:
    """Give a piece as text; a list that lands in text stands there joined by commas."""
    if isinstance(piece, list):
        return ",".join(_piece(item) for item in piece)
    text = as_text(piece)
    return sketch_of(piece) if text is None else text


def _join(evaluator: Evaluator, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        return made_by("Fn::Join", argument, "a Join needs a separator and a list")
    separator, items = evaluator.value(argument[0]), evaluator.value(argument[1])
    if not isinstance(separator, str) or not isinstance(items, list):
        return _undecided("Fn::Join", [separator, items], "a Join has no list")
    return _assembled(evaluator, items, separator)


def _split(evaluator: Evaluator, argument: Any) -> Any:
    parts = evaluator.value(argument)
    if (
        not isinstance(parts, list)
        or len(parts) != 2
        or not all(isinstance(part, str) for part in parts)
        or not parts[0]
    ):
        return _undecided("Fn::Split", parts, "a Split needs a separator and a text")
    spent = evaluator.spend(parts[1])
    return spent if isinstance(spent, Unknown) else spent.split(parts[0])


def _select(evaluator: Evaluator, argument: Any) -> Any:
    parts = evaluator.value(argument)
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[1], list):
        return _undecided("Fn::Select", parts, "a Select needs a number and a list")
    index = as_text(parts[0]) or ""
    if index.isdecimal() and index.isascii() and len(index) < 6 and int(index) < len(parts[1]):
        return parts[1][int(index)]
    return _undecided("Fn::Select", parts[0], "a Select points beyond its list")


def _find_in_map(evaluator: Evaluator, argument: Any) -> Any:
    """Look a value up in the Mappings; the fourth part, from the language extensions, is what to use instead."""
    parts = evaluator.value(argument)
    if not isinstance(parts, list) or len(parts) < 3 or first_unknown(parts[:3]):
        return _undecided("Fn::FindInMap", parts, "a mapping is not named completely")
    found: Any = evaluator.body.section("Mappings")
    for key in parts[:3]:
        found = found.get(as_text(key)) if isinstance(found, dict) else None
    if found is None and len(parts) > 3 and isinstance(parts[3], dict):
        found = parts[3].get("DefaultValue")
    return made_by("Fn::FindInMap", parts[:3], "the mapping has no such entry") if found is None else found


def _if(evaluator: Evaluator, argument: Any) -> Any:
    if not isinstance(argument, list) or len(argument) != 3:
        return made_by("Fn::If", argument, "an If needs a condition and two values")
    truth = evaluator.named_truth(argument[0]) if isinstance(argument[0], str) else evaluator.truth(argument[0])
    if not isinstance(truth, Unknown):
        return evaluator.value(argument[1] if truth else argument[2])
    return made_by("Fn::If", [truth, evaluator.value(argument[1]), evaluator.value(argument[2])], truth.because)


def _base64(evaluator: Evaluator, argument: Any) -> Any:
    """Leave the text readable: a plan shows what changes in a script, not how its encoding does."""
    return evaluator.value(argument)


def _length(evaluator: Evaluator, argument: Any) -> Any:
    items = evaluator.value(argument)
    return len(items) if isinstance(items, list) else _undecided("Fn::Length", items, "a Length has no list")


def _to_json_string(evaluator: Evaluator, argument: Any) -> Any:
    value = evaluator.value(argument)
    return _undecided("Fn::ToJsonString", value, "") if first_unknown(value) else json.dumps(value, default=str)


def _cidr(evaluator: Evaluator, argument: Any) -> Any:
    parts = evaluator.value(argument)
    texts = [as_text(part) for part in parts] if isinstance(parts, list) and len(parts) in (2, 3) else []
    try:
        return _networks(*(text or "" for text in texts))
    except (ValueError, TypeError):
        return _undecided("Fn::Cidr", parts, "a Cidr does not fit its block")


def _networks(block: str, count: str, host_bits: str = "8") -> list[str]:
    network = ip_network(block)
    wanted = int(count)
    if not 0 < wanted <= _MOST_NETWORKS:
        raise ValueError(count)
    found = list(islice(network.subnets(new_prefix=network.max_prefixlen - int(host_bits)), wanted))
    if len(found) < wanted:
        raise ValueError(count)
    return [str(each) for each in found]


def _undecided(function: str, argument: Any, otherwise: str) -> Unknown:
    """Blame the part that is unknown, or else the shape of the argument."""
    unknown = first_unknown(argument)
    return made_by(function, argument, unknown.because if unknown else otherwise)


FUNCTIONS: dict[str, Callable[[Evaluator, Any], Any]] = {
    "Ref": _ref,
    "Fn::Base64": _base64,
    "Fn::Cidr": _cidr,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Length": _length,
    "Fn::RefAll": ref_all,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": _to_json_string,
    "Fn::ValueOf": value_of,
    "Fn::ValueOfAll": value_of_all,
}
