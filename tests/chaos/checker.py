"""Judges a run by its evidence alone: whatever it says is wrong is wrong, whatever the portal believes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.chaos import invariants_cloud, invariants_rows
from tests.chaos.evidence import Evidence
from tests.chaos.facts import Facts

INVARIANTS: dict[str, Callable[[Facts], Iterator[str]]] = {
    "I1": invariants_cloud.accepted_is_kept,
    "I2": invariants_cloud.unanswered_is_whole,
    "I3": invariants_cloud.nothing_is_doubled,
    "I4": invariants_cloud.one_at_a_time,
    "I5": invariants_rows.states_are_paths,
    "I6": invariants_rows.fences_hold,
    "I7": invariants_rows.changes_are_recorded,
    "I8": invariants_rows.nothing_is_stuck,
    "I9": invariants_cloud.cloud_is_rows,
    "I10": invariants_rows.secrets_stay_secret,
}


@dataclass(frozen=True)
class Violation:
    """Something that must never be, and is."""

    invariant: str
    sentence: str


def check(run: Evidence) -> list[Violation]:
    """Return everything that is wrong with a run; nothing is wrong with a good one."""
    facts = Facts(run)
    return [Violation(name, sentence) for name, judge in INVARIANTS.items() for sentence in judge(facts)]
