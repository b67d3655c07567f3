"""Read a `template.yaml` into what it says, naming the line of whatever is wrong with it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import yaml

from app.catalog.models import VersionStatus

NUMBER = re.compile(r"(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?")
_TEMPLATE_KEYS = (
    "name", "summary", "category", "owner", "support", "keywords", "icon", "tags", "recommended", "versions",
)  # fmt: skip
_VERSION_KEYS = ("number", "released", "status", "changes", "body", "deprecated_because", "retired_because")
_SUPPORT_KEYS = ("chat", "email", "url")


class Refusal(Exception):
    """Something in a file is not acceptable; `line` counts from 1, or is None where no line is to blame."""

    def __init__(self, sentence: str, line: int | None = None):
        super().__init__(sentence)
        self.sentence, self.line = sentence, line


@dataclass(frozen=True)
class VersionEntry:
    """What the manifest says of one version; `body` is the name of the file beside it."""

    number: str
    position: int
    released_on: date
    status: VersionStatus
    status_reason: str
    changes: str
    body: str
    line: int


@dataclass(frozen=True)
class Manifest:
    """What a `template.yaml` says, and what in it nobody will read."""

    name: str
    summary: str
    category: str
    owner: str
    support: dict[str, str]
    keywords: list[str]
    icon: str
    tags: list[str]
    recommended: str
    versions: tuple[VersionEntry, ...]
    lines: dict[str, int]
    warnings: tuple[tuple[int, str], ...] = ()


def read_manifest(text: str) -> Manifest:
    """Read a manifest. Raises Refusal, with the line, at the first thing that is missing or wrong."""
    top = _compose(text)
    versions = tuple(_version(each) for each in top.mappings("versions"))
    _refuse_twins(versions)
    manifest = Manifest(
        name=top.text("name", 200),
        summary=top.text("summary", 500),
        category=top.text("category", 100),
        owner=top.text("owner", 100),
        support=_support(top),
        keywords=top.texts("keywords"),
        icon=top.text("icon", 64, default="stack-2"),
        tags=top.texts("tags"),
        recommended=top.text("recommended", 32, default=""),
        versions=versions,
        lines=top.lines(),
        warnings=tuple(_strangers(top)),
    )
    _check_recommended(manifest)
    return manifest


def position_of(number: str) -> int | None:
    """Return where a version number stands among others ("1.2" is "1.2.0"), or None when it is no such number."""
    found = NUMBER.fullmatch(number)
    if found is None:
        return None
    major, minor, patch = (int(part or 0) for part in found.groups())
    return major * 1_000_000 + minor * 1_000 + patch


@dataclass(frozen=True)
class Mapping:
    """A YAML mapping whose values are asked for by key, each checked as it is read.

    Scalars stay text as written: a version number 1.10 must not become the number 1.1.
    """

    line: int
    nodes: dict[str, yaml.Node] = field(default_factory=dict)

    @classmethod
    def of(cls, node: yaml.Node, what: str) -> "Mapping":
        if not isinstance(node, yaml.MappingNode):
            raise Refusal(f"{what} is not a mapping of keys to values.", _line(node))
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.value in found:
                raise Refusal(f"{key.value}: this key stands twice; keep one of them.", _line(key))
            found[str(key.value)] = value
        return cls(_line(node), found)

    def lines(self) -> dict[str, int]:
        return {key: _line(node) for key, node in self.nodes.items()}

    def text(self, key: str, most: int, default: str | None = None) -> str:
        node = self.nodes.get(key)
        if node is None:
            return self._missing(key) if default is None else default
        if not isinstance(node, yaml.ScalarNode):
            raise Refusal(f"{key}: text is expected here.", _line(node))
        value = " ".join(node.value.split())
        if not value and default is None:
            self._missing(key)
        if len(value) > most:
            raise Refusal(f"{key}: at most {most} characters; this has {len(value)}.", _line(node))
        return value

    def _missing(self, key: str) -> str:
        raise Refusal(f"{key}: this is missing.", self.line)

    def texts(self, key: str) -> list[str]:
        node = self.nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(each, yaml.ScalarNode) for each in node.value):
            raise Refusal(f"{key}: a list of words is expected here.", _line(node))
        return [str(each.value) for each in node.value]

    def mapping(self, key: str) -> "Mapping":
        return Mapping.of(self.nodes[key], key) if key in self.nodes else Mapping(self.line)

    def mappings(self, key: str) -> list["Mapping"]:
        node = self.nodes.get(key)
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise Refusal(
                f"{key}: a list with at least one entry is expected here.", _line(node) if node else self.line
            )
        return [Mapping.of(each, f"An entry of {key}") for each in node.value]

    def line_of(self, key: str) -> int:
        return _line(self.nodes[key]) if key in self.nodes else self.line


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _compose(text: str) -> Mapping:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Refusal(f"This is not YAML: {error.problem}.", mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise Refusal("This is not YAML: it holds characters YAML does not allow.") from error
    if node is None:
        raise Refusal("The file is empty.")
    return Mapping.of(node, "The file")


def _version(entry: Mapping) -> VersionEntry:
    number = entry.text("number", 32)
    position = position_of(number)
    if position is None:
        sentence = f"number: {number} is no version number; write one such as 1.0 or 2.1.3."
        raise Refusal(sentence, entry.line_of("number"))
    status = _status(entry)
    return VersionEntry(
        number=number,
        position=position,
        released_on=_released_on(entry),
        status=status,
        status_reason=entry.text(f"{status}_because", 500, default=""),
        changes=entry.text("changes", 500, default=""),
        body=_body(entry),
        line=entry.line,
    )


def _status(entry: Mapping) -> VersionStatus:
    written = entry.text("status", 32)
    if written not in set(VersionStatus):
        known = ", ".join(VersionStatus)
        raise Refusal(f"status: {written} is none of {known}.", entry.line_of("status"))
    return VersionStatus(written)


def _released_on(entry: Mapping) -> date:
    written = entry.text("released", 32)
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        sentence = f"released: {written} is no date; write one such as 2026-02-10."
        raise Refusal(sentence, entry.line_of("released")) from error


def _body(entry: Mapping) -> str:
    name = entry.text("body", 200)
    if "/" in name or "\\" in name or name.startswith("."):
        raise Refusal(f"body: {name} must be a file beside template.yaml.", entry.line_of("body"))
    return name


def _support(top: Mapping) -> dict[str, str]:
    found = top.mapping("support")
    support = {key: found.text(key, 300) for key in _SUPPORT_KEYS if key in found.nodes}
    if not support.get("url", "https://").startswith(("https://", "http://")):
        raise Refusal("support: url must start with https://.", found.line_of("url"))
    return support


def _refuse_twins(versions: tuple[VersionEntry, ...]) -> None:
    seen: dict[int, str] = {}
    for version in versions:
        if twin := seen.get(version.position):
            raise Refusal(f"number: {version.number} and {twin} are the same version.", version.line)
        seen[version.position] = version.number


def _check_recommended(manifest: Manifest) -> None:
    if not manifest.recommended:
        return
    named = [version for version in manifest.versions if version.number == manifest.recommended]
    if not named:
        sentence = f"recommended: there is no version {manifest.recommended}."
    elif named[0].status is not VersionStatus.PUBLISHED:
        sentence = f"recommended: version {manifest.recommended} is {named[0].status}; only a published one can be."
    else:
        return
    raise Refusal(sentence, manifest.lines["recommended"])


def _strangers(top: Mapping) -> Iterator[tuple[int, str]]:
    """Name the keys nobody reads: they are probably misspelt."""
    yield from _unknown(top, _TEMPLATE_KEYS, "")
    yield from _unknown(top.mapping("support"), _SUPPORT_KEYS, "support: ")
    for each in top.mappings("versions"):
        yield from _unknown(each, _VERSION_KEYS, f"version {each.text('number', 32)}: ")


def _unknown(found: Mapping, known: tuple[str, ...], where: str) -> Iterator[tuple[int, str]]:
    for key, node in found.nodes.items():
        if key not in known:
            yield _line(node), f"{where}{key} is not a key Slipway knows; it is ignored."
