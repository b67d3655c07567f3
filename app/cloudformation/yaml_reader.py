"""Read YAML as CloudFormation does: short tags become long functions, dates stay text, nothing explodes.

The document is built straight from the parser's events, so that depth, size and repeated aliases are counted before
anything large exists.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from app.cloudformation.errors import (
    MAX_ALIASES,
    MAX_DEPTH,
    MAX_NODES,
    BrokenText,
    NotATemplate,
    duplicate_key,
    shorten,
    too_deep,
    too_many_nodes,
)

_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# fmt: off
_FUNCTIONS = frozenset([
    "And", "Base64", "Cidr", "Contains", "EachMemberEquals", "EachMemberIn", "Equals", "FindInMap", "GetAtt", "GetAZs",
    "GetStackOutput", "If", "ImportValue", "Join", "Length", "Not", "Or", "RefAll", "Select", "Split", "Sub",
    "ToJsonString", "Transform", "ValueOf", "ValueOfAll",
])
# fmt: on
_STANDARD = "tag:yaml.org,2002:"
_AS_TEXT = frozenset(f"{_STANDARD}{name}" for name in ("str", "timestamp", "binary"))
_AS_RESOLVED = frozenset(f"{_STANDARD}{name}" for name in ("int", "float", "bool", "null", "map", "seq"))

_TRUE = frozenset(["yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]{0,30})")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F_]{1,30}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9][0-9_]{0,30}\.[0-9_]{0,30}|\.[0-9][0-9_]{0,30})(?:[eE][-+][0-9]{1,2})?")


def read_yaml(text: str) -> tuple[Any, int]:
    """Give the single document of `text` and how many aliases it uses.

    Raises NotATemplate with a line for broken YAML, unknown tags, repeated keys and anything beyond the limits.
    """
    reader = _Reader(text)
    try:
        return reader.document(), reader.aliases
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenText(_broken(error.problem), mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise BrokenText("The file holds characters that YAML does not allow; save it as plain UTF-8 text.") from error


def _broken(problem: str | None) -> str:
    return f"The YAML breaks here: {problem or 'it could not be read'}."


class _Reader:
    """One pass over the events of one text."""

    def __init__(self, text: str) -> None:
        self.events: Iterator[Any] = yaml.parse(text, Loader=_PARSER)
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.aliases = 0
        self.nodes = 0
        self.depth = 0

    def document(self) -> Any:
        next(self.events)
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self.value(next(self.events))
        next(self.events)
        after = next(self.events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise NotATemplate("A second YAML document begins here; a template is one document.", _line(after))
        return value

    def value(self, event: Any) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self.repeat(event)
        before = self.nodes
        self.count(1, event)
        built = self.build(event)
        if event.anchor:
            self.anchors[event.anchor] = (built, self.nodes - before)
        return built

    def repeat(self, event: Any) -> Any:
        """Give what the alias stands for, counting its whole size again: that is what a walk would meet."""
        if event.anchor not in self.anchors:
            raise NotATemplate(f"The alias *{event.anchor} has no finished anchor above it.", _line(event))
        built, size = self.anchors[event.anchor]
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise NotATemplate(f"More than {MAX_ALIASES} YAML aliases; write the values out.", _line(event))
        self.count(size, event)
        return built

    def count(self, nodes: int, event: Any) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise too_many_nodes(_line(event))

    def build(self, event: Any) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            return _tagged(event, _scalar(event))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep(_line(event))
        built: Any = self.mapping() if isinstance(event, yaml.MappingStartEvent) else self.sequence()
        self.depth -= 1
        return _tagged(event, built)

    def sequence(self) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self.value(event))
        return items

    def mapping(self) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: list[Any] = []
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self.key(event)
            if key in own:
                raise duplicate_key(key, _line(event))
            value = self.value(next(self.events))
            if key == "<<" and _is_plain(event):
                merged += _mappings(value, event)
            else:
                own[key] = value
        return _with_merged(own, merged) if merged else own

    def key(self, event: Any) -> str:
        """Give a key as it is written: keys are text here, so `80:` is not a number and `no:` not a boolean."""
        if isinstance(event, yaml.AliasEvent):
            aliased = self.repeat(event)
            if isinstance(aliased, str):
                return aliased
        if not isinstance(event, yaml.ScalarEvent):
            raise BrokenText("A mapping or a list stands where a key belongs; quote it if it is text.", _line(event))
        if event.tag and event.tag not in _AS_TEXT:
            raise NotATemplate(f"The key {shorten(event.value)} carries a tag; keys are plain text.", _line(event))
        self.count(1, event)
        if event.anchor:
            self.anchors[event.anchor] = (event.value, 1)
        return event.value


def _mappings(value: Any, event: Any) -> list[Any]:
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) for each in found):
        raise NotATemplate("The merge key << takes a mapping or a list of mappings.", _line(event))
    return found


def _with_merged(own: dict[str, Any], merged: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for each in reversed(merged):
        result.update(each)
    result.update(own)
    return result


def _tagged(event: Any, value: Any) -> Any:
    """Turn `!Name value` into the long form; standard tags and no tag leave the value as it is."""
    tag = event.tag
    if tag is None or tag == "!" or tag in _AS_TEXT or tag in _AS_RESOLVED:
        return value
    name = tag.removeprefix("!")
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt" and isinstance(value, str):
        return {"Fn::GetAtt": value.split(".", 1)}
    if name in _FUNCTIONS:
        return {f"Fn::{name}": value}
    raise _unknown_tag(tag, _line(event))


def _unknown_tag(tag: str, line: int) -> NotATemplate:
    if tag.startswith("!Rain::"):
        return NotATemplate(f"{tag} belongs to the rain tool: run `rain pkg` first and import what it writes.", line)
    shown = tag.replace(_STANDARD, "!!")
    return NotATemplate(f"CloudFormation has no tag {shorten(shown)}; use its own functions or plain values.", line)


def _scalar(event: Any) -> Any:
    """Give the value of a scalar: quoted text, blocks and everything tagged stay text unless the tag says otherwise."""
    if not _is_plain(event) or (event.tag is not None and event.tag not in _AS_RESOLVED):
        return event.value
    return _plain(event.value)


def _is_plain(event: Any) -> bool:
    """Whether a scalar stands unquoted; the C parser says so with an empty style, the Python one with none."""
    return not event.style


def _plain(text: str) -> Any:
    """Resolve a plain scalar by YAML 1.1, less the readings that surprise people.

    Dates, times such as 12:30 and digits with a leading zero (account numbers, file modes) stay as written.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text)


def _number(text: str) -> Any:
    bare = text.replace("_", "")
    if _INTEGER.fullmatch(text):
        return int(bare)
    if _HEXADECIMAL.fullmatch(text) and bare != "0x":
        return int(bare, 16)
    if _DECIMAL.fullmatch(text):
        return float(bare)
    return text


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
