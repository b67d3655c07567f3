"""Read the catalog's directory: no database, no network, only files and what is wrong with them."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.catalog.manifest import Manifest, Refusal, VersionEntry, read_manifest
from app.cloudformation.body import load
from app.cloudformation.errors import NotATemplate
from app.errors import Invalid

SLUG = re.compile(r"[a-z][a-z0-9-]{0,98}[a-z0-9]")
MAX_DOCUMENT_BYTES = 256 * 1024


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a file: a refusal, or a warning about something that was left aside."""

    file: str
    reason: str
    line: int | None = None


@dataclass(frozen=True)
class VersionFile:
    """One version as it lies on disk, its body known to be a CloudFormation template."""

    file: str
    entry: VersionEntry
    body: str
    digest: str


@dataclass
class TemplateFiles:
    """One template's directory. Without a manifest it could not be read, and `refused` says why."""

    slug: str
    file: str
    manifest: Manifest | None = None
    readme: str = ""
    changelog: str = ""
    versions: list[VersionFile] = field(default_factory=list)
    refused: list[Trouble] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)


def read_catalog(directory: Path) -> Iterator[TemplateFiles]:
    """Give every template under `templates/`, by name. Bad ones come with their refusals, so that none stops the rest.

    Raises Invalid when there is no such directory.
    """
    templates = directory / "templates"
    if not templates.is_dir():
        raise Invalid(f"There is no catalog in {directory}: it has no directory called templates.", field="directory")
    for folder in sorted(templates.iterdir()):
        if folder.is_dir() and not folder.name.startswith((".", "_")):
            yield read_template(folder, directory)


def read_template(folder: Path, root: Path) -> TemplateFiles:
    """Read one template's directory; file names are given relative to `root`."""
    file = folder / "template.yaml"
    found = TemplateFiles(folder.name, str(file.relative_to(root)))
    try:
        _check_slug(folder.name)
        found.manifest = read_manifest(_text(file))
    except Refusal as refusal:
        found.refused.append(Trouble(found.file, refusal.sentence, refusal.line))
        return found
    found.warnings += [Trouble(found.file, sentence, line) for line, sentence in found.manifest.warnings]
    found.readme = _document(found, folder / "README.md", root)
    found.changelog = _document(found, folder / "CHANGELOG.md", root)
    for entry in found.manifest.versions:
        _read_version(found, entry, folder / entry.body, root)
    return found


def _check_slug(name: str) -> None:
    if not SLUG.fullmatch(name):
        raise Refusal(f"The directory's name {name} is the template's; use small letters, digits and hyphens.")


def _text(file: Path, most: int = MAX_DOCUMENT_BYTES) -> str:
    try:
        raw = file.read_bytes()
    except FileNotFoundError as error:
        raise Refusal("This file is missing.") from error
    except OSError as error:
        raise Refusal(f"This file cannot be read: {error.strerror}.") from error
    if len(raw) > most:
        raise Refusal(f"This file is larger than {most // 1024} kB.")
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\0", "")
    except UnicodeDecodeError as error:
        raise Refusal("This file is not UTF-8 text; save it as UTF-8.") from error


def _document(found: TemplateFiles, file: Path, root: Path) -> str:
    """Read a document. One that is missing or unreadable costs a warning, not the template."""
    try:
        return _text(file)
    except Refusal as refusal:
        found.warnings.append(Trouble(str(file.relative_to(root)), refusal.sentence, refusal.line))
        return ""


def _read_version(found: TemplateFiles, entry: VersionEntry, file: Path, root: Path) -> None:
    name = str(file.relative_to(root))
    try:
        text = _text(file, most=1024 * 1024)
        body = load(text)
    except (Refusal, NotATemplate) as refusal:
        found.refused.append(Trouble(name, refusal.sentence, refusal.line))
    else:
        found.versions.append(VersionFile(name, entry, text, hashlib.sha256(text.encode()).hexdigest()))
        found.warnings += [Trouble(name, warning) for warning in body.warnings]
