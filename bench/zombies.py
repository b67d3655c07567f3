"""Workers stopped for three leases in the middle of every step, who then go on: what is left of what they wanted.

`python -m bench.zombies [--times 200]`: on PostgreSQL, where a stopped worker does not stop all the others.
"""

import argparse
import sys
import time

from bench import _chaos
from bench._figures import emit, machine
from tests.chaos.crash import zombies
from tests.chaos.crash.cases import enumerate_points
from tests.chaos.crash.stage import stage

# So many workers are stopped at the same time.
AT_ONCE = 8


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    began, report, number = time.monotonic(), zombies.Report(), 0
    with _chaos.ground("postgresql") as (directory, template, cloud):
        (clean := directory / "clean").mkdir()
        with template.copy(clean) as database, stage(database, cloud, clean) as here:
            points = zombies.points_to_stop_at(enumerate_points(here, zombies.CHOSEN))
        while report.stopped < times and number < 2 * times:
            (place := directory / f"round-{number}").mkdir()
            chosen = [points[each % len(points)] for each in range(number, number + AT_ONCE)]
            with template.copy(place) as database, stage(database, cloud, place, TICK_SECONDS="0.05") as here:
                zombies.stop_at(here, chosen, report)
            number += AT_ONCE
    emit(
        bench="zombies", machine=machine(), lease_s=zombies.LEASE_SECONDS, leases_away=zombies.LEASES_AWAY,
        places=len(points), stopped=report.stopped, ended_themselves=report.ended_themselves,
        unreached=report.unreached, violations=len(report.violations), wrong=report.violations,
        seconds=round(time.monotonic() - began),
    )  # fmt: skip
    sys.exit(1 if report.violations else 0)


if __name__ == "__main__":
    main()
