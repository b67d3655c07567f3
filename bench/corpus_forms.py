"""Try the forms on every published template: `python -m bench.corpus_forms [--limit N] [--no-lint]`.

Prints one JSON object per repository and one for all, then the same as a Markdown table. Templates are found through
SLIPWAY_CORPUS; verdicts of cfn-lint, which takes most of the time, are kept in the data directory by content.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from app.cloudformation.answers import check
from app.cloudformation.body import INLINE_BYTES, Body, load
from app.cloudformation.capabilities import nested_stacks, uses_macros
from app.cloudformation.errors import NotATemplate
from app.cloudformation.inputs import pseudo_parameters
from app.cloudformation.interface import groups
from app.cloudformation.outline import outline
from app.cloudformation.parameters import Parameter, parameters
from app.cloudformation.rules import evaluate
from app.cloudformation.suggest import suggest
from bench.published.lint import lint_verdicts

ROOT = Path(__file__).parents[1]
PLACE = pseudo_parameters("us-east-1", "123456789012", "corpus")
Columns = tuple[tuple[str, str], ...]
COLUMNS: Columns = (
    ("files", "Files"),
    ("refused", "Refused with a sentence"),
    ("forms", "Forms"),
    ("fields", "Fields"),
    ("answers accepted", "Answers accepted"),
    ("answers refused", "Answers refused with a reason"),
    ("launchable", "Launchable inline"),
    ("exceptions", "Exceptions"),
)
LINT_COLUMNS: Columns = (
    ("lint accepted", "Accepted by cfn-lint"),
    ("lint accepted with form", "… of those with a form"),
)


@dataclass(frozen=True)
class Tried:
    """What became of one file. `exception` is never to be set."""

    repository: str
    file: str
    seconds: float
    refusal: str | None = None
    fields: int = 0
    reasons: tuple[str, ...] = ()
    is_launchable: bool = False
    exception: str | None = None
    is_lint_accepted: bool | None = None


def main(arguments: list[str] | None = None) -> int:
    """Run the trial and print it; the exit status tells whether any file raised an exception."""
    options = _options(arguments)
    corpus = Path(os.environ.get("SLIPWAY_CORPUS", ROOT / ".." / "shared" / "corpus")) / "cloudformation"
    if not corpus.is_dir():
        print(f"No published templates under {corpus}; set SLIPWAY_CORPUS.", file=sys.stderr)
        return 2
    files = [path for path in sorted(corpus.rglob("*")) if path.is_file()][: options.limit]
    verdicts = {} if options.no_lint else lint_verdicts(files, _data_directory())
    tried = [try_file(path, corpus, verdicts.get(path)) for path in files]
    report(tried, COLUMNS if options.no_lint else COLUMNS + LINT_COLUMNS, show_files=options.files)
    return 1 if any(each.exception for each in tried) else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.corpus_forms", description="Try the forms on published templates.")
    parser.add_argument("--limit", type=int, help="try only the first N files")
    parser.add_argument("--no-lint", action="store_true", help="leave cfn-lint out")
    parser.add_argument("--files", action="store_true", help="print one line per file as well")
    return parser.parse_args(arguments)


def _data_directory() -> Path:
    return Path(os.environ.get("SLIPWAY_DATA", ROOT / "var"))


def try_file(path: Path, corpus: Path, is_lint_accepted: bool | None) -> Tried:
    """Load a file, build its form, answer it, and follow the answers to the resources."""
    place = path.relative_to(corpus)
    found: dict[str, object] = {}
    started = perf_counter()
    try:
        found = _form_of(load(path.read_bytes()))
    except NotATemplate as refusal:
        found = {"refusal": str(refusal)}
    except Exception as error:  # noqa: BLE001 - counting the exceptions nobody expected is what this is for
        found = {"exception": repr(error)}
    seconds = perf_counter() - started
    return Tried(place.parts[0], str(place), seconds, is_lint_accepted=is_lint_accepted, **found)  # type: ignore[arg-type] # one of three shapes


def _form_of(body: Body) -> dict[str, object]:
    fields = parameters(body)
    json.dumps([[describe(field) for field in group.parameters] for group in groups(body)])
    checked = check(fields, {field.name: suggest(field) for field in fields})
    evaluate(body, checked.values)
    outline(body, checked.values, PLACE)
    return {
        "fields": len(fields),
        "reasons": tuple(f"{name}: {' '.join(sentences)}" for name, sentences in checked.errors.items()),
        "is_launchable": body.size <= INLINE_BYTES and not uses_macros(body) and not nested_stacks(body),
    }


def describe(field: Parameter) -> dict[str, object]:
    """Give everything a page shows of a field, as plain values."""
    shown = {key: value for key, value in asdict(field).items() if value not in (None, "", ())}
    return {key: str(value) for key, value in shown.items()} | {"widget": field.widget, "required": field.is_required}


def report(tried: list[Tried], columns: Columns, show_files: bool) -> None:
    """Print the JSON lines, then the table."""
    if show_files:
        for each in tried:
            print(json.dumps(asdict(each)))
    rows = list(_rows(tried, columns))
    for row in rows:
        print(json.dumps(row))
    print("\n".join(["", *_table(rows, columns)]))


def _rows(tried: list[Tried], columns: Columns) -> Iterator[dict[str, object]]:
    for repository in sorted({each.repository for each in tried}):
        yield _row(repository, [each for each in tried if each.repository == repository], columns)
    yield _row("all", tried, columns)


def _row(name: str, tried: list[Tried], columns: Columns) -> dict[str, object]:
    counts: Counter[str] = Counter()
    for each in tried:
        counts.update(_counted(each))
    slowest = max((each.seconds for each in tried), default=0.0)
    return {"repository": name, **{key: counts[key] for key, _ in columns}, "slowest ms": round(slowest * 1000, 1)}


def _counted(each: Tried) -> dict[str, int]:
    has_form = each.refusal is None and each.exception is None
    return {
        "files": 1,
        "refused": each.refusal is not None,
        "forms": has_form,
        "fields": each.fields,
        "answers accepted": has_form and not each.reasons,
        "answers refused": has_form and bool(each.reasons),
        "lint accepted": each.is_lint_accepted is True,
        "lint accepted with form": each.is_lint_accepted is True and has_form,
        "launchable": has_form and each.is_launchable,
        "exceptions": each.exception is not None,
    }


def _table(rows: list[dict[str, object]], columns: Columns) -> Iterator[str]:
    yield "| Repository | " + " | ".join(title for _, title in columns) + " |"
    yield "|---" * (len(columns) + 1) + "|"
    for row in rows:
        yield f"| {row['repository']} | " + " | ".join(str(row[key]) for key, _ in columns) + " |"


if __name__ == "__main__":
    sys.exit(main())
