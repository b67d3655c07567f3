"""One seed from beginning to end, and what is left of it: figures, violations, a digest of everything that happened."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.simulation.invariants import violations
from tests.chaos.simulation.scheduler import START, Simulation

Setup = Callable[[int], Simulation]


@dataclass
class Tally:
    """What came of some seeds together. `covered` counts what happened where; `violations` names the seeds."""

    seeds: int = 0
    jobs: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    covered: Counter[tuple[str, str]] = field(default_factory=Counter)
    calls: int = 0
    refused: int = 0
    stale_reads: int = 0
    violations: list[tuple[int, str]] = field(default_factory=list)

    def add(self, sim: Simulation) -> None:
        self.seeds += 1
        self.jobs.update(f"{job.kind} {job.status}" for job in sim.world.jobs)
        self.statuses.update(status for stack in sim.cloud.stacks for _, status, _ in stack.history)
        self.covered.update(sim.covered)
        self.calls += len(sim.cloud.calls)
        self.refused += sim.people.refusals
        self.stale_reads += sim.cloud.stale_reads
        self.violations += [(sim.seed, words) for words in violations(sim)]

    def __iadd__(self, other: "Tally") -> "Tally":
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)
        return self

    @property
    def requests(self) -> int:
        return sum(times for (_, what), times in self.covered.items() if what == "before")

    def faults(self) -> Counter[str]:
        """Return how often each kind of fault happened, wherever it did."""
        found: Counter[str] = Counter()
        for (_, what), times in self.covered.items():
            if what not in ("before", "effect"):
                found[what] += times
        return found


def play(seeds: range, setup: Setup = Simulation) -> Tally:
    """Play these seeds one after the other."""
    tally = Tally()
    for seed in seeds:
        tally.add(setup(seed).run())
    return tally


def told(sim: Simulation) -> list[str]:
    """Return what happened, a line each, in the order of time: workers, people, and the cloud's own log of calls."""
    lines = [(at, " ".join(map(str, words))) for at, *words in sim.trace]
    for call in sim.cloud.calls:
        happened = "happened" if call.happened else "changed nothing"
        lines.append(
            (call.t, f"cloud: {call.operation} by {call.actor}, {call.token}, {happened} {call.error}".strip())
        )
    return [f"{at - START:10.3f} {words}" for at, words in sorted(lines, key=lambda line: line[0])]


def digest(sim: Simulation) -> str:
    """Return a digest of everything that happened."""
    return hashlib.sha256("\n".join(told(sim)).encode()).hexdigest()
