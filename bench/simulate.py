"""How the engine fares in many random histories: `./slipway bench simulate [--seeds 100000] [--seed N]`.

Every seed is one history of workers, people, faults and a cloud under a virtual clock (`tests/chaos/simulation`). One
line of JSON sums them up; each violation is a line before it. `--seed N` plays one and tells what happened.
"""

import argparse
import multiprocessing
import os
import sys
import time

from bench._figures import emit, machine
from tests.chaos.simulation.invariants import violations
from tests.chaos.simulation.scheduler import Simulation
from tests.chaos.simulation.story import Tally, digest, play, told

CHUNK = 250


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, default=100_000, help="how many (100000)")
    asked.add_argument("--first", type=int, default=0, help="the first of them (0)")
    asked.add_argument("--seed", type=int, help="play this one and tell what happened")
    asked.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = asked.parse_args()
    sys.exit(replay(given.seed) if given.seed is not None else many(given.first, given.seeds, given.processes))


def replay(seed: int) -> int:
    """Play one seed, twice, and tell it."""
    sim, again = Simulation(seed).run(), Simulation(seed).run()
    assert digest(sim) == digest(again), "a seed replays exactly"
    print("\n".join(told(sim)))
    found = violations(sim)
    emit(bench="simulate", seed=seed, digest=digest(sim), violations=found)
    return 1 if found else 0


def many(first: int, seeds: int, processes: int) -> int:
    """Play many seeds and sum them up."""
    began, tally = time.monotonic(), Tally()
    chunks = [range(at, min(at + CHUNK, first + seeds)) for at in range(first, first + seeds, CHUNK)]
    with multiprocessing.Pool(processes) as pool:
        for part in pool.imap_unordered(play, chunks):
            for seed, words in part.violations:
                emit(bench="simulate", seed=seed, violation=words)
            tally += part
    report(tally, time.monotonic() - began)
    return 1 if tally.violations else 0


def report(tally: Tally, seconds: float) -> None:
    faults = tally.faults()
    emit(
        bench="simulate",
        machine=machine(),
        seeds=tally.seeds,
        violations=len(tally.violations),
        seconds=round(seconds, 1),
        jobs=sum(tally.jobs.values()),
        requests=tally.requests,
        cloud_calls=tally.calls,
        crashes=sum(times for fault, times in faults.items() if fault.startswith("crash")),
        zombies=sum(times for fault, times in faults.items() if fault.startswith("stop")),
        stale_reads=tally.stale_reads,
        refused=tally.refused,
        faults=dict(sorted(faults.items())),
        ended=dict(sorted(tally.jobs.items())),
        cloud_statuses=len(tally.statuses),
        places=len({place for place, _ in tally.covered}),
        places_and_faults=len(tally.covered),
    )


if __name__ == "__main__":
    main()
