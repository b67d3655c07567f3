"""What goes wrong, and how often, drawn by seed. Each trouble is absent in half of the seeds, so others come alone."""

from dataclasses import dataclass, replace
from random import Random

from tests.chaos.model import Behaviour

# The most of each, for one point of one claim.
_MOST = {
    "crash": 0.02,
    "stop": 0.01,
    "cut": 0.006,
    "slow": 0.02,
    "commit_refused": 0.03,
    "commit_unanswered": 0.03,
}
_HINTS = {"hint_lost": 1.0, "hint_doubled": 0.5, "hint_late": 0.5}
_OTHERS = {"interference": 1.0, "strangers": 1.0, "poison": 0.1}


@dataclass(frozen=True)
class Faults:
    """Probabilities. `interference`, `strangers`: somebody else at work in the account. `poison`: a step that kills."""

    crash: float = 0.0
    stop: float = 0.0
    cut: float = 0.0
    slow: float = 0.0
    commit_refused: float = 0.0
    commit_unanswered: float = 0.0
    hint_lost: float = 0.0
    hint_doubled: float = 0.0
    hint_late: float = 0.0
    interference: float = 0.0
    strangers: float = 0.0
    poison: float = 0.0

    @classmethod
    def drawn(cls, rng: Random) -> "Faults":
        most = _MOST | _HINTS | _OTHERS
        return cls(**{name: rng.random() * limit if rng.random() < 0.5 else 0.0 for name, limit in most.items()})


CALM = Faults()


def drawn_behaviour(rng: Random) -> Behaviour:
    """Return how the cloud behaves in one seed: with all its troubles, and quick enough for many seeds."""
    longest = rng.choice((2.0, 20.0, 90.0))
    return replace(
        Behaviour.drawn(rng),
        plan_seconds=(0.2, rng.choice((0.5, 3.0))),
        resource_seconds=(0.5, longest),
        page=rng.choice((2, 100, 100, 100)),
    )


def calmed(behaviour: Behaviour) -> Behaviour:
    """Return the same cloud on a good day: operations take as long as before, and nothing goes wrong any more."""
    return Behaviour(
        plan_seconds=behaviour.plan_seconds,
        resource_seconds=behaviour.resource_seconds,
        cleanup_seconds=behaviour.cleanup_seconds,
    )
