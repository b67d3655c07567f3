"""Storms of faults over whole installations, and what held: one line for each part, with its seed.

`./slipway bench chaos [--part NAME] [--seed N] [--short]`: every part as large as docs/reliability.md tells it, or with
`--short` as small as the tests run it. A line's `ok` says whether everything held that must; the command fails if not.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bench._figures import emit, machine
from tests.chaos.storm import broker, conflicts, launches

Figures = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A storm: `full` and `short` are its sizes; figures named in `zero` must be 0, and those in `most` no more."""

    run: Callable[..., Figures]
    full: Figures
    short: Figures
    zero: tuple[str, ...] = ()
    most: dict[str, float] = field(default_factory=dict)


KEPT = ("violations", "stuck", "unanswered", "refused")
PARTS = (
    {
        f"launches-{database}": Part(
            launches.run,
            {"database": database, "launches": 1000, "kills": 200},
            {"database": database, "launches": 20, "kills": 8},
            KEPT,
        )
        for database in ("postgresql", "sqlite")
    }
    | {
        f"broker-{mode}": Part(
            broker.run,
            {"mode": mode, "launches": 200},
            {"mode": mode, "launches": 8},
            ("violations", "stuck"),
            {"start_p95_s": 6},
        )
        for mode in broker.MODES
    }
    | {
        f"conflicts-{database}": Part(
            conflicts.run,
            {"database": database, "stacks": 200},
            {"database": database, "stacks": 3},
            ("not_one_winner", "unnamed", "not_one_active", "other_answers", "deadlocks", "violations"),
        )
        for database in ("postgresql", "sqlite")
    }
)


def play(name: str, seed: int, short: bool, **changes: Any) -> bool:
    """Run one part and print what it found; say whether everything held."""
    part, began = PARTS[name], time.monotonic()
    figures = part.run(seed=seed, **{**(part.short if short else part.full), **changes})
    ok = not any(figures[each] for each in part.zero) and all(figures[each] <= part.most[each] for each in part.most)
    emit(bench="chaos", part=name, ok=ok, seed=seed, took_s=round(time.monotonic() - began, 1), **figures)
    return ok


def main() -> None:
    parser = argparse.ArgumentParser(description="Storms of faults, and what held.")
    parser.add_argument("--part", choices=sorted(PARTS), action="append", help="one of them (all); may be repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--short", action="store_true", help="as small as the tests run them")
    parser.add_argument("--launches", type=int, help="another number of launches, where a part has them")
    given = parser.parse_args()
    emit(bench="chaos", machine=machine())
    changes = {"launches": given.launches} if given.launches else {}
    held = [play(name, given.seed, given.short, **changes) for name in given.part or PARTS]
    sys.exit(0 if all(held) else 1)


if __name__ == "__main__":
    main()
