"""A sample of the published templates through the real portal: form, check, answers, and a dozen launches.

`./slipway bench corpus` takes all of them; its figures are in docs/corpus.md.
"""

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bench.published import files
from bench.published.files import Found, read_file
from bench.published.lint import lint_verdicts
from bench.published.portal import running
from bench.published.trial import Tried, try_all
from tests.support.databases import Database

CORPUS = files.corpus_directory()
FORMS, LAUNCHES, CANDIDATES = 40, 12, 24

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published templates under {CORPUS}; set SLIPWAY_CORPUS"),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    """The same templates in every run; those to launch are the first that cfn-lint accepts and that count."""
    paths = files.list_files()
    Random(20261123).shuffle(paths)
    found = [one for one in (read_file(path, True) for path in paths) if one.body is not None][:FORMS]
    candidates = [one for one in found if not one.not_counted_because][:CANDIDATES]
    verdicts = lint_verdicts([one.path for one in candidates], tmp_path_factory.mktemp("lint"))
    accepted = [path for path, is_accepted in verdicts.items() if is_accepted][:LAUNCHES]
    return [replace(one, is_lint_accepted=one.path in accepted) for one in found]


def test_published_templates_get_forms_and_launch(sample: list[Found], database: Database, tmp_path: Path) -> None:
    with running(tmp_path, database.url, lanes=3, spares=1) as portal:
        tried = try_all(portal, sample, is_launched=lambda one: not one.not_counted_because, tell=lambda one: None)
    assert [one for one in tried if one.is_unhandled] == []
    assert [one for one in tried if not has_form(one)] == []
    launched = [one for one in tried if one.is_counted]
    assert len(launched) == LAUNCHES
    failed = [one for one in launched if one.launch != "succeeded"]
    assert all(one.cause for one in failed)
    assert len(failed) <= 1, failed
    assert all(one.deletion == "succeeded" for one in launched if one.launch == "succeeded"), launched


def has_form(one: Tried) -> bool:
    """Whether the form had a field for every parameter and the answers were accepted, or refused with reasons."""
    sent = one.sent
    if sent is None or (sent.form_status, sent.check_status, sent.without_field) != (200, 200, []):
        return False
    return sent.submit_status == 303 or (sent.submit_status == 422 and bool(sent.reasons))
