"""The catalog's files become rows: once, unchanged when published, and each mistake with its line."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from app import db
from app.audit import AuditEntry
from app.catalog.loading import Outcome, load
from app.catalog.models import Template, Version, VersionStatus
from app.errors import Invalid

SHIPPED = Path(__file__).resolve().parents[2] / "catalog"
MANIFEST = """\
name: Queue
summary: A queue for the ledger.
category: Messaging
owner: platform
support: {chat: "#platform-help", email: platform@seabright.example}
keywords: [sqs, queue]
icon: mail
recommended: "1.10"
versions:
  - number: "1.9"
    released: 2026-02-10
    status: deprecated
    deprecated_because: It has no alarm.
    changes: First version.
    body: v1.9.yaml
  - number: 1.10
    released: 2026-05-12
    status: published
    changes: Adds an alarm.
    body: v1.10.yaml
"""
BODY = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"


@pytest.fixture
def catalog(tmp_path: Path, make) -> Path:
    """A catalog of one template on disk, and the team that owns it."""
    make.team("platform")
    folder = tmp_path / "catalog" / "templates" / "ledger-queue"
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text(MANIFEST)
    (folder / "README.md").write_text("# Queue\n")
    (folder / "CHANGELOG.md").write_text("# Changes\n")
    (folder / "v1.9.yaml").write_text(BODY)
    (folder / "v1.10.yaml").write_text(BODY + "  Second:\n    Type: AWS::SQS::Queue\n")
    return tmp_path / "catalog"


def folder_of(catalog: Path) -> Path:
    return catalog / "templates" / "ledger-queue"


def edit(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def outcomes(report) -> dict[str, str]:
    return {line.file.rpartition("/")[2]: line.outcome.value for line in report.lines}


def queue() -> Template:
    db.session.expire_all()
    return db.session.scalars(select(Template)).one()


def test_files_become_a_template_with_its_versions_in_order(catalog):
    report = load(catalog)
    assert outcomes(report) == {"template.yaml": "created", "v1.9.yaml": "created", "v1.10.yaml": "created"}
    template = queue()
    assert (template.slug, template.team.slug, template.support["chat"]) == (
        "ledger-queue",
        "platform",
        "#platform-help",
    )
    # 1.10 comes after 1.9, and YAML has not read it as the number 1.1.
    assert [version.number for version in template.versions] == ["1.10", "1.9"]
    assert template.recommended.number == "1.10"
    assert template.versions[1].status_reason == "It has no alarm."


def test_loading_again_changes_nothing(catalog):
    load(catalog)
    before = (queue().updated_at, db.session.scalar(select(func.count()).select_from(AuditEntry)))
    report = load(catalog)
    assert {line.outcome for line in report.lines} == {Outcome.UNCHANGED}
    assert (queue().updated_at, db.session.scalar(select(func.count()).select_from(AuditEntry))) == before


def test_documentation_and_status_follow_the_files(catalog):
    load(catalog)
    folder = folder_of(catalog)
    (folder / "README.md").write_text("# Queue\n\nNow with advice.\n")
    edit(folder / "template.yaml", 'recommended: "1.10"', 'recommended: ""')
    edit(folder / "template.yaml", "status: published", "status: retired\n    retired_because: Nobody needs it.")
    report = load(catalog)
    assert outcomes(report) == {"template.yaml": "changed", "v1.9.yaml": "unchanged", "v1.10.yaml": "changed"}
    template = queue()
    assert "advice" in template.readme
    assert (template.versions[0].status, template.versions[0].status_reason) == ("retired", "Nobody needs it.")
    assert template.recommended is None


def test_a_published_body_is_never_replaced(catalog):
    load(catalog)
    digest = queue().versions[0].digest
    (folder_of(catalog) / "v1.10.yaml").write_text(BODY)
    report = load(catalog)
    [line] = report.rejected
    assert line.file == "templates/ledger-queue/v1.10.yaml"
    assert "publish a new version" in line.reason
    assert queue().versions[0].digest == digest


def test_a_published_version_cannot_slip_back_into_a_draft_to_be_changed(catalog):
    load(catalog)
    edit(folder_of(catalog) / "template.yaml", "status: deprecated", "status: draft")
    assert "cannot become draft again" in load(catalog).rejected[0].reason
    assert queue().versions[1].status == VersionStatus.DEPRECATED


def test_a_draft_may_still_change(catalog):
    edit(folder_of(catalog) / "template.yaml", "status: deprecated", "status: draft")
    load(catalog)
    (folder_of(catalog) / "v1.9.yaml").write_text(BODY + "  Third:\n    Type: AWS::SNS::Topic\n")
    assert outcomes(load(catalog))["v1.9.yaml"] == "changed"
    assert "Third" in db.session.scalars(select(Version.body).where(Version.number == "1.9")).one()


def test_versions_and_templates_missing_on_disk_are_kept(catalog):
    load(catalog)
    text = (folder_of(catalog) / "template.yaml").read_text()
    start, end = text.index('  - number: "1.9"'), text.index("  - number: 1.10")
    (folder_of(catalog) / "template.yaml").write_text(text[:start] + text[end:])
    assert load(catalog).rejected == []
    assert [version.number for version in queue().versions] == ["1.10", "1.9"]


def test_the_recommendation_moves(catalog):
    load(catalog)
    folder = folder_of(catalog)
    edit(folder / "template.yaml", 'recommended: "1.10"', 'recommended: "2.0"')
    (folder / "v2.0.yaml").write_text(BODY)
    with (folder / "template.yaml").open("a") as file:
        file.write('  - {number: "2.0", released: 2026-10-01, status: published, body: v2.0.yaml}\n')
    load(catalog)
    assert queue().recommended.number == "2.0"
    assert db.session.scalar(select(func.count()).where(Version.is_recommended)) == 1


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("name: Queue", "nom: Queue", 1, "name: this is missing"),
        ("owner: platform", "owner: nobody", 4, "owner: there is no team nobody"),
        ("status: published", "status: shiny", 18, "status: shiny is none of draft"),
        ("released: 2026-05-12", "released: soon", 17, "released: soon is no date"),
        ("number: 1.10", "number: latest", 16, "number: latest is no version number"),
        ("number: 1.10", "number: 1.9.0", 16, "1.9.0 and 1.9 are the same version"),
        ('recommended: "1.10"', 'recommended: "3.0"', 8, "recommended: there is no version 3.0"),
        ('recommended: "1.10"', 'recommended: "1.9"', 8, "version 1.9 is deprecated"),
        ("body: v1.10.yaml", "body: ../../../secret.yaml", 20, "must be a file beside"),
        ("icon: mail", "name: Again", 7, "name: this key stands twice"),
        ("keywords: [sqs, queue]", "keywords: sqs", 6, "keywords: a list of words"),
        ("support: {chat: ", "support: {url: 'javascript:x', chat: ", 5, "url must start with https"),
        ("versions:", "versions: [", None, "This is not YAML"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_nothing_is_written(catalog, before, after, line, words):
    edit(folder_of(catalog) / "template.yaml", before, after)
    [refused] = load(catalog).rejected
    assert refused.file == "templates/ledger-queue/template.yaml"
    assert words in refused.reason
    assert line is None or refused.line == line
    assert db.session.scalars(select(Template)).all() == []


def test_a_body_that_is_no_template_costs_only_its_version(catalog):
    (folder_of(catalog) / "v1.10.yaml").write_text("Resources:\n  Queue: {Type: [\n")
    report = load(catalog)
    [line] = report.rejected
    assert line.place.startswith("templates/ledger-queue/v1.10.yaml:")
    assert [version.number for version in queue().versions] == ["1.9"]
    assert "1.10 was not taken in" in report.warnings[0].reason


def test_one_bad_template_does_not_spoil_the_others(catalog):
    other = catalog / "templates" / "a-broken-one"
    other.mkdir()
    report = load(catalog)
    assert [(line.file, line.reason) for line in report.rejected] == [
        ("templates/a-broken-one/template.yaml", "This file is missing.")
    ]
    assert queue().slug == "ledger-queue"


def test_unknown_keys_and_missing_documents_are_warnings(catalog):
    edit(folder_of(catalog) / "template.yaml", "icon: mail", "icon: mail\ncolour: red")
    (folder_of(catalog) / "README.md").unlink()
    report = load(catalog)
    assert report.rejected == []
    assert [(each.file.rpartition("/")[2], each.line) for each in report.warnings] == [
        ("template.yaml", 8),
        ("README.md", None),
    ]
    assert "colour is not a key" in report.warnings[0].reason


def test_a_directory_without_a_catalog_is_named(app, tmp_path):
    with pytest.raises(Invalid, match="it has no directory called templates"):
        load(tmp_path)


def test_the_shipped_catalog_loads_without_a_word(make):
    make.team("platform")
    report = load(SHIPPED)
    assert report.rejected == []
    assert {line.outcome for line in report.lines} == {Outcome.CREATED}
    assert {line.outcome for line in load(SHIPPED).lines} == {Outcome.UNCHANGED}
