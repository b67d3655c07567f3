"""Take the published templates through the portal: `python -m bench.corpus [--limit N] [--only GLOB] [--database URL]`.

Every file is read or refused with a sentence; every template gets its form, its check and an answer to what is sent.
Those that cfn-lint accepts, below 51,200 bytes, without macros or nested stacks, are launched by the engine on a local
cloud of the run's own and deleted again. Prints one JSON object per repository and one for all, then the tables.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.published import files, report
from bench.published.portal import running
from bench.published.trial import Tried, try_all

# Accounts in which templates are tried side by side, and unused ones for a second try.
LANES, SPARES = 4, 6


def main(arguments: list[str] | None = None) -> int:
    """Run the trial and print it; the exit status tells whether anything happened that nobody was prepared for."""
    options = _options(arguments)
    if not files.corpus_directory().is_dir():
        print(f"No published templates under {files.corpus_directory()}; set SLIPWAY_CORPUS.", file=sys.stderr)
        return 2
    found = files.read_files(files.list_files(options.only, options.limit))
    with (
        tempfile.TemporaryDirectory(prefix="slipway-corpus-") as directory,
        running(options.keep or Path(directory), options.database, LANES, SPARES) as portal,
    ):
        tried = try_all(portal, found, is_launched=lambda one: options.all or not one.not_counted_because, tell=_tell)
    for line in report.summaries(tried):
        print(json.dumps(line))
    if options.table:
        options.table.write_text(report.tables(tried))
    else:
        print(report.tables(tried))
    return 1 if any(one.is_unhandled for one in tried) else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.corpus", description="Take published templates through the portal.")
    parser.add_argument("--limit", type=int, help="try only the first N files")
    parser.add_argument("--only", default="*", help="try only files whose place in the corpus matches, such as '*vpc*'")
    parser.add_argument("--database", help="address of an empty database (default: SQLite, thrown away at the end)")
    parser.add_argument("--all", action="store_true", help="launch also what does not count, such as macros")
    parser.add_argument("--table", type=Path, help="write the tables to this file instead of printing them")
    parser.add_argument("--keep", type=Path, help="keep data and logs in this directory")
    return parser.parse_args(arguments)


def _tell(tried: Tried) -> None:
    """Print what became of a template as soon as it is known, on the error stream: the run takes minutes."""
    print(json.dumps(asdict(tried)), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
