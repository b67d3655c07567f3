"""Kill Slipway at every place where it does something, and twice more while that is made good, on both databases.

`python -m bench.crash [--database sqlite] [--every 1] [--write]`: one line for each database. `--every 12` plays each
twelfth case. The places found must be those of `tests/chaos/crash/places.txt`; `--write` writes them there anew.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from bench import _chaos
from bench._figures import emit, machine
from tests.chaos.crash import driver
from tests.chaos.crash.cases import PLACES, Point, cases_of, enumerate_points
from tests.chaos.crash.stage import stage
from tests.support.cloud import Cloud
from tests.support.databases import Template


def measure(kind: str, every: int, write: bool) -> int:
    """Play the cases on one database; return how many things were wrong."""
    began = time.monotonic()
    with _chaos.ground(kind) as (directory, template, cloud):
        points = _points(directory / "clean", template, cloud)
        cases = [case for point in points for case in cases_of(point)][::every]
        report = driver.run_cases(cases, template.copy, cloud, directory / "stages")
    places = sorted({point.place for point in points})
    if write:
        PLACES.write_text("\n".join(places) + "\n")
    wrong = report.violations + _differences(places)
    emit(
        bench="crash", database=kind, points=len(places), kills_at=len({point.label for point in points}),
        runs=report.runs, kills=report.kills, unreached=report.unreached, violations=len(wrong), wrong=wrong,
        seconds=round(time.monotonic() - began),
    )  # fmt: skip
    return len(wrong)


def _points(directory: Path, template: Template, cloud: Cloud) -> list[Point]:
    directory.mkdir()
    with template.copy(directory) as database, stage(database, cloud, directory) as here:
        return enumerate_points(here)


def _differences(places: list[str]) -> list[str]:
    known = PLACES.read_text().split()
    lost = [f"{place} is written down and was not reached." for place in known if place not in places]
    return lost + [f"{place} was reached and is not written down." for place in places if place not in known]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--database", choices=_chaos.KINDS)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.database:
        sys.exit(1 if measure(given.database, given.every, given.write) else 0)
    emit(bench="crash", machine=machine())
    # Each database in a process of its own: a process that forks should have little else to do.
    commands = [[sys.executable, "-m", "bench.crash", "--database", kind, *sys.argv[1:]] for kind in _chaos.KINDS]
    both = [subprocess.Popen(command) for command in commands]
    sys.exit(max(process.wait() for process in both))


if __name__ == "__main__":
    main()
