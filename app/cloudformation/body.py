"""Load the body of a CloudFormation template, JSON or YAML, trusted or hostile."""

from dataclasses import dataclass
from typing import Any, Literal

from app.cloudformation.errors import MAX_BYTES, BrokenText, NotATemplate, shorten
from app.cloudformation.json_reader import read_json
from app.cloudformation.strangers import refusal_after_failure, refusal_before_parsing, what_it_is
from app.cloudformation.yaml_reader import read_yaml

# Above this a body cannot be sent inline and has to go through S3.
INLINE_BYTES = 51_200

# fmt: off
_SECTIONS = frozenset([
    "AWSTemplateFormatVersion", "Conditions", "Constants", "Description", "Fn::Transform", "Globals", "Hooks",
    "Mappings", "Metadata", "Outputs", "Parameters", "Resources", "Rules", "Transform",
])
# fmt: on

Language = Literal["yaml", "json"]


@dataclass(frozen=True)
class Body:
    """A template that could be read: its document in long form, and what seemed odd about it."""

    document: dict[str, Any]
    language: Language
    size: int
    warnings: tuple[str, ...] = ()

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The declared resources, without loops, includes and anything else that is not a mapping."""
        return {name: entry for name, entry in self.mapping("Resources").items() if not name.startswith("Fn::")}

    def section(self, name: str) -> dict[str, Any]:
        """Give a top section as a mapping, empty where it is missing or malformed."""
        found = self.document.get(name)
        return found if isinstance(found, dict) else {}

    def mapping(self, name: str) -> dict[str, dict[str, Any]]:
        """Give the entries of a section that are mappings themselves."""
        return {key: value for key, value in self.section(name).items() if isinstance(value, dict)}


def load(text: str | bytes) -> Body:
    """Read a template body.

    Raises NotATemplate, with a line where there is one, for anything that is not a CloudFormation template or that
    crosses a limit. Never walks more than the limits allow, whatever the text holds.
    """
    plain, size = _decode(text)
    if refusal := refusal_before_parsing(plain):
        raise NotATemplate(*refusal)
    document, language, warnings = _parse(plain)
    checked = _shaped(document)
    return Body(checked, language, size, warnings + _section_warnings(checked))


def _decode(text: str | bytes) -> tuple[str, int]:
    if len(text) > MAX_BYTES:
        raise _too_big()
    try:
        raw = text.encode() if isinstance(text, str) else text
        plain = raw.decode("utf-8-sig")
    except UnicodeError as error:
        raise NotATemplate("The file is not UTF-8 text; save it as UTF-8.") from error
    if len(raw) > MAX_BYTES:
        raise _too_big()
    return plain, len(raw)


def _too_big() -> NotATemplate:
    return NotATemplate(f"The file is larger than the {MAX_BYTES // 1024 // 1024} MB CloudFormation accepts.")


def _parse(text: str) -> tuple[Any, Language, tuple[str, ...]]:
    if not text.lstrip().startswith(("{", "[")):
        return _parse_yaml(text)
    try:
        return read_json(text), "json", ()
    except BrokenText as refusal:
        return _parse_flow_yaml(text, refusal)


def _parse_flow_yaml(text: str, refusal: BrokenText) -> tuple[Any, Language, tuple[str, ...]]:
    """Try text that looks like JSON but is not as YAML, whose flow style allows comments and trailing commas.

    When YAML breaks too the first refusal stands: whoever starts a file with a brace meant JSON.
    """
    try:
        return _parse_yaml(text)
    except BrokenText as second:
        raise refusal from second


def _parse_yaml(text: str) -> tuple[Any, Language, tuple[str, ...]]:
    try:
        document, aliases = read_yaml(text)
    except NotATemplate as refusal:
        if cause := _cause_behind(refusal, text):
            raise NotATemplate(*cause) from refusal
        raise
    return document, "yaml", _alias_warnings(aliases)


def _cause_behind(refusal: NotATemplate, text: str) -> tuple[str, int | None] | None:
    """Look for another cause of broken YAML; a limit, a repeated key or a tag has a better sentence already."""
    if isinstance(refusal, BrokenText):
        return refusal_after_failure(text)
    return None


def _alias_warnings(aliases: int) -> tuple[str, ...]:
    return ("YAML aliases are used; CloudFormation itself may refuse them.",) if aliases else ()


def _shaped(document: Any) -> dict[str, Any]:
    if document is None:
        raise NotATemplate("The file is empty; a template has at least a Resources section.")
    if not isinstance(document, dict) or "Resources" not in document:
        raise NotATemplate(f"{what_it_is(document)}; a CloudFormation template has a Resources section.")
    if not isinstance(document["Resources"], dict):
        raise NotATemplate("The Resources section holds no mapping; a template declares each resource by its name.")
    return document


def _section_warnings(document: dict[str, Any]) -> tuple[str, ...]:
    unknown = sorted(document.keys() - _SECTIONS)
    odd = [f"CloudFormation has no section {shorten(name)}; it is ignored here." for name in unknown]
    if not document["Resources"]:
        odd.append("The Resources section is empty; CloudFormation wants at least one resource.")
    return tuple(odd)
