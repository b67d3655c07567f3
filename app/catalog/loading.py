"""Bring the catalog's files into the database: what is published stays as it was published."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload, undefer

from app import audit, clock, db
from app.catalog.files import TemplateFiles, Trouble, VersionFile, read_catalog
from app.catalog.manifest import Manifest
from app.catalog.models import UNPUBLISHED, Template, Version
from app.identity.models import Team


class Outcome(StrEnum):
    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Line:
    """What became of one file; a rejected one says why and, where it can, in which line."""

    file: str
    outcome: Outcome
    line: int | None = None
    reason: str = ""

    @property
    def place(self) -> str:
        """The file, with the line where one is to blame, as editors open it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass
class Report:
    """What became of each file, and what was left aside on the way."""

    lines: list[Line] = field(default_factory=list)
    warnings: list[Trouble] = field(default_factory=list)

    def of(self, outcome: Outcome) -> list[Line]:
        """Return the lines with one outcome."""
        return [line for line in self.lines if line.outcome is outcome]

    @property
    def rejected(self) -> list[Line]:
        return self.of(Outcome.REJECTED)

    def reject(self, trouble: Trouble) -> None:
        self.lines.append(Line(trouble.file, Outcome.REJECTED, trouble.line, trouble.reason))


def load(directory: Path) -> Report:
    """Add the catalog's files to the current transaction and report on each; the caller commits. May be repeated.

    Documentation follows the files. A published version's body never changes, whatever the files say, and a version
    that is no longer on disk is kept: stacks may run it.
    """
    report = Report()
    teams = {team.slug: team.id for team in db.session.scalars(select(Team))}
    known = _templates()
    for found in read_catalog(directory):
        report.warnings += found.warnings
        for trouble in found.refused:
            report.reject(trouble)
        if found.manifest is not None:
            _take(found, found.manifest, known.get(found.slug), teams, report)
    db.session.flush()
    return report


def _templates() -> dict[str, Template]:
    query = select(Template).options(selectinload(Template.versions).options(undefer(Version.body)))
    return {template.slug: template for template in db.session.scalars(query)}


def _take(
    found: TemplateFiles, manifest: Manifest, template: Template | None, teams: dict[str, int], report: Report
) -> None:
    team_id = teams.get(manifest.owner)
    if team_id is None:
        sentence = f"owner: there is no team {manifest.owner}."
        report.reject(Trouble(found.file, sentence, manifest.lines["owner"]))
        return
    template, outcome = _take_template(found, manifest, template, team_id)
    report.lines.append(Line(found.file, outcome))
    for version in found.versions:
        _take_version(version, template, report)
    _recommend(template, manifest, found.file, report)


def _take_template(
    found: TemplateFiles, manifest: Manifest, template: Template | None, team_id: int
) -> tuple[Template, Outcome]:
    values = {
        "name": manifest.name,
        "summary": manifest.summary,
        "category": manifest.category,
        "icon": manifest.icon,
        "keywords": manifest.keywords,
        "team_id": team_id,
        "support": manifest.support,
        "tags": manifest.tags,
        "readme": found.readme,
        "changelog": found.changelog,
    }
    now = clock.now()
    if template is None:
        template = Template(slug=found.slug, created_at=now, updated_at=now, versions=[], **values)
        db.session.add(template)
        db.session.flush()
        audit.record("template:created", "template", template.slug, f"{template.slug} came into the catalog.")
        return template, Outcome.CREATED
    if not (changed := _change(template, values)):
        return template, Outcome.UNCHANGED
    template.updated_at = now
    audit.record("template:changed", "template", template.slug, f"{template.slug}: {', '.join(changed)} changed.")
    return template, Outcome.CHANGED


def _take_version(found: VersionFile, template: Template, report: Report) -> None:
    version = next((each for each in template.versions if each.position == found.entry.position), None)
    if version is None:
        _add_version(found, template)
        report.lines.append(Line(found.file, Outcome.CREATED))
    elif refusal := _why_not(found, version):
        report.reject(Trouble(found.file, refusal))
    else:
        report.lines.append(Line(found.file, _change_version(found, version, template)))


def _why_not(found: VersionFile, version: Version) -> str | None:
    """Say why a version may not become what the files say, or nothing."""
    if version.status in UNPUBLISHED:
        return None
    if found.digest != version.digest:
        return f"Version {version.number} is published and cannot change; publish a new version instead."
    if found.entry.status in UNPUBLISHED:
        return f"Version {version.number} was published and cannot become {found.entry.status} again; retire it."
    return None


def _values(found: VersionFile) -> dict[str, Any]:
    entry = found.entry
    return {
        "number": entry.number,
        "status": entry.status,
        "status_reason": entry.status_reason,
        "changes": entry.changes,
        "released_on": entry.released_on,
        "body": found.body,
        "digest": found.digest,
    }


def _add_version(found: VersionFile, template: Template) -> None:
    version = Version(position=found.entry.position, created_at=clock.now(), is_recommended=False, **_values(found))
    template.versions.append(version)
    ref = f"{template.slug} {version.number}"
    audit.record(f"version:{version.status}", "version", ref, f"{ref} is {version.status}.")


def _change_version(found: VersionFile, version: Version, template: Template) -> Outcome:
    before = version.status
    changed = _change(version, _values(found))
    if not changed:
        return Outcome.UNCHANGED
    ref = f"{template.slug} {version.number}"
    action = version.status if version.status != before else "changed"
    audit.record(f"version:{action}", "version", ref, f"{ref}: {', '.join(changed)} changed.")
    return Outcome.CHANGED


def _change(row: Template | Version, values: dict[str, Any]) -> list[str]:
    """Give a row its new values and return the names of those that differed."""
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    return changed


def _recommend(template: Template, manifest: Manifest, file: str, report: Report) -> None:
    """Recommend the manifest's version. The old one steps back first, since only one may be recommended at a time."""
    db.session.flush()
    wanted = next((each for each in template.versions if each.number == manifest.recommended), None)
    if manifest.recommended and wanted is None:
        sentence = f"recommended: version {manifest.recommended} was not taken in; the recommendation stays as it was."
        report.warnings.append(Trouble(file, sentence, manifest.lines["recommended"]))
        return
    others = update(Version).where(Version.template_id == template.id, Version.is_recommended)
    db.session.execute(others.where(Version.id != (wanted.id if wanted else 0)).values(is_recommended=False))
    if wanted is not None and not wanted.is_recommended:
        wanted.is_recommended = True
        summary = f"{template.slug} {wanted.number} is the version to launch."
        audit.record("version:recommended", "version", f"{template.slug} {wanted.number}", summary)
    db.session.flush()
