"""Done but error: a fifth of all calls that change the cloud, commits and messages happen and are answered wrongly.

`python -m bench.doubt [--database sqlite] [--chances 2500]`: one line for each database. Every scenario of the crash
benchmark is played, over and over with another seed, until there were so many chances.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from bench import _chaos
from bench._figures import emit, machine
from tests.chaos.crash.doubt import SHARE, Report, run_in_doubt
from tests.chaos.crash.stage import stage
from tests.support.cloud import Cloud
from tests.support.databases import Template


def measure(kind: str, chances: int) -> int:
    """Play until there were so many chances; return how many things were wrong."""
    began, seed, report = time.monotonic(), 0, Report()
    with _chaos.ground(kind) as (directory, template, cloud):
        while report.chances.total() < chances:
            seed += 1
            _round(directory / f"round-{seed}", template, cloud, seed, report)
    emit(
        bench="doubt", database=kind, share=SHARE, seeds=seed, jobs_played=report.runs,
        eligible=dict(report.chances), eligible_in_all=report.chances.total(), done_but_error=dict(report.lost),
        gave_up=report.gave_up, violations=len(report.violations), wrong=report.violations,
        seconds=round(time.monotonic() - began),
    )  # fmt: skip
    return len(report.violations)


def _round(directory: Path, template: Template, cloud: Cloud, seed: int, report: Report) -> None:
    directory.mkdir()
    with template.copy(directory) as database, stage(database, cloud, directory) as here:
        run_in_doubt(here, seed, report)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=_chaos.KINDS)
    parser.add_argument("--chances", type=int, default=2500)
    given = parser.parse_args()
    if given.database:
        sys.exit(1 if measure(given.database, given.chances) else 0)
    emit(bench="doubt", machine=machine())
    # Most of the time is spent waiting, so both at once.
    commands = [[sys.executable, "-m", "bench.doubt", "--database", kind, *sys.argv[1:]] for kind in _chaos.KINDS]
    both = [subprocess.Popen(command) for command in commands]
    sys.exit(max(process.wait() for process in both))


if __name__ == "__main__":
    main()
