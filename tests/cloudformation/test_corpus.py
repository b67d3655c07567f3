"""Every published template we were given: read, or refused with a sentence; never an exception."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cloudformation.answers import check
from app.cloudformation.body import Body, load
from app.cloudformation.capabilities import capabilities, macros, nested_stacks
from app.cloudformation.diff import property_changes
from app.cloudformation.errors import NotATemplate
from app.cloudformation.inputs import pseudo_parameters
from app.cloudformation.interface import groups
from app.cloudformation.outline import outline, outputs
from app.cloudformation.parameters import parameter_warnings, parameters
from app.cloudformation.rules import evaluate
from app.cloudformation.suggest import suggest

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("SLIPWAY_CORPUS", ROOT / ".." / "shared" / "corpus")) / "cloudformation"

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no published templates under {CORPUS}; set SLIPWAY_CORPUS"),
]


def files() -> list[Path]:
    return sorted(path for path in CORPUS.rglob("*") if path.is_file())


def templates() -> Iterator[tuple[str, Body]]:
    for path in files():
        try:
            yield str(path.relative_to(CORPUS)), load(path.read_bytes())
        except NotATemplate:
            continue


def test_every_file_is_read_or_refused_with_a_sentence():
    refusals = {}
    for path in files():
        try:
            load(path.read_bytes())
        except NotATemplate as refusal:
            refusals[path] = refusal.sentence
    assert len(files()) - len(refusals) > 700
    assert all(sentence.endswith(".") and len(sentence) < 250 for sentence in refusals.values())


def test_every_template_gives_a_form_whose_suggestions_are_accepted():
    refused = {}
    for name, body in templates():
        fields = parameters(body)
        assert [field for group in groups(body) for field in group.parameters if field not in fields] == []
        checked = check(fields, {field.name: suggest(field) for field in fields})
        refused |= {f"{name} {field}": sentences for field, sentences in checked.errors.items()}
    assert refused == {}


def test_every_template_is_understood_without_an_exception():
    pseudo = pseudo_parameters("eu-west-1", "123456789012", "orders")
    for name, body in templates():
        answers = {field.name: suggest(field) for field in parameters(body)}
        assert len(outline(body, answers, pseudo)) == len([one for one in body.section("Resources").values() if one]), (
            name
        )
        assert property_changes(body, answers, body, answers, pseudo) == {}, name
        outputs(body, answers, pseudo)
        evaluate(body, answers)
        capabilities(body), macros(body), nested_stacks(body), parameter_warnings(body)


def test_json_and_yaml_twins_load_alike():
    """Most published pairs are one document; the others were edited apart, or write Yes unquoted in YAML only."""
    pairs = [(path, path.with_suffix(".json")) for path in files() if path.suffix in (".yaml", ".yml")]
    loaded = [tuple(document_of(path) for path in pair) for pair in pairs if pair[1].is_file()]
    alike = [pair for pair in loaded if pair[0] is not None and pair[0] == pair[1]]
    assert len(alike) >= 50


def document_of(path: Path) -> dict[str, object] | None:
    try:
        return load(path.read_bytes()).document
    except NotATemplate:
        return None
