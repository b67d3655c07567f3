"""AWS's query protocol: a form comes in, XML goes out.

Source: botocore's serialize.QuerySerializer and parsers.QueryParser, the two ends it has to fit.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from tests.chaos.model.refusals import Refusal

_XMLNS = {
    "cloudformation": "http://cloudformation.amazonaws.com/doc/2010-05-15/",
    "sts": "https://sts.amazonaws.com/doc/2011-06-15/",
}
_WORDS = {"true": True, "false": False}
# Everything else that reads "true" is a text, such as a parameter's value.
_BOOLEANS = {
    "DisableRollback",
    "EnableTerminationProtection",
    "FailedEvents",
    "IncludeNestedStacks",
    "IncludePropertyValues",
    "UsePreviousTemplate",
    "UsePreviousValue",
}


def read(body: str) -> tuple[str, dict[str, Any]]:
    """Return the operation and its arguments."""
    tree: dict[str, Any] = {}
    for key, value in parse_qsl(body, keep_blank_values=True):
        *parents, name = key.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[name] = _WORDS.get(value, value) if name in _BOOLEANS else value
    operation = str(tree.pop("Action", ""))
    tree.pop("Version", None)
    return operation, {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {"member"}:
        members: Mapping[str, Any] = value["member"]
        return [_lists(members[number]) for number in sorted(members, key=int)]
    return {name: _lists(each) for name, each in value.items()}


def answer(service: str, operation: str, found: Mapping[str, Any], request_id: str) -> bytes:
    """Return the XML of an answer."""
    parts = [f'<{operation}Response xmlns="{_XMLNS[service]}"><{operation}Result>']
    _write(found.items(), parts.append)
    parts.append(f"</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
    parts.append(f"</{operation}Response>")
    return "".join(parts).encode()


def _write(items: Iterable[tuple[str, Any]], put: Any) -> None:
    for name, value in items:
        put(f"<{name}>")
        if isinstance(value, str):
            put(escape(value))
        elif isinstance(value, dict):
            _write(value.items(), put)
        elif isinstance(value, list):
            _write((("member", each) for each in value), put)
        elif isinstance(value, bool):
            put("true" if value else "false")
        elif isinstance(value, datetime):
            put(value.isoformat(timespec="milliseconds"))
        else:
            put(str(value))
        put(f"</{name}>")


def refusal(service: str, found: Refusal, request_id: str) -> bytes:
    """Return the XML of a refusal."""
    who = "Sender" if found.status < 500 else "Receiver"
    error = f"<Type>{who}</Type><Code>{found.code}</Code><Message>{escape(found.words)}</Message>"
    xmlns = _XMLNS.get(service, _XMLNS["sts"])
    return (
        f'<ErrorResponse xmlns="{xmlns}"><Error>{error}</Error><RequestId>{request_id}</RequestId></ErrorResponse>'
    ).encode()
