"""Bugs put in on purpose, one at a time: what does not catch them proves nothing by its silence.

A bug is a name and a way to catch it. Those the simulation can show are in `simulated`; others register theirs here
with a `catch` of their own, which plants the bug, lets it do harm, takes it out again and returns what was noticed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Caught:
    """What gave a bug away, and how many tries it took."""

    words: str
    tries: int = 1


@dataclass(frozen=True)
class Bug:
    """`catch` returns None where nothing was noticed."""

    name: str
    catch: Callable[[], Caught | None]


def all_bugs() -> Sequence[Bug]:
    """Return every planted bug there is."""
    from tests.chaos.planted import simulated

    return simulated.BUGS
