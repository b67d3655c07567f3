"""How a cloud behaves: how long things take, what fails, what the wire does to a call."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Durations are seconds from–to, the rest are probabilities. As it stands everything goes well, at once."""

    plan_seconds: Range = (0.5, 0.5)
    resource_seconds: Range = (5.0, 5.0)
    cleanup_seconds: Range = (1.0, 1.0)
    # What happens to a stack.
    create_fails: float = 0.0
    update_fails: float = 0.0
    delete_fails: float = 0.0
    rollback_fails: float = 0.0
    plan_fails: float = 0.0
    # A change set that ran is forgotten: nothing promises how long it stays.
    forgets_change_sets: float = 0.0
    # A token seen before is refused with TokenAlreadyExistsException where the same answer could be given. Which of the
    # two the real cloud does, and when, is not documented: a client has to bear both.
    refuses_tokens: float = 0.0
    # What happens to a call.
    stale: float = 0.0
    stale_seconds: float = 10.0
    throttled: float = 0.0
    server_errors: float = 0.0
    unreachable: float = 0.0
    lost_answers: float = 0.0
    # How long assumed credentials live, and when the role can first be assumed.
    credentials_seconds: float = float("inf")
    role_ready_after: float = 0.0
    # DescribeEvents is young: older clouds and narrow roles have none.
    has_describe_events: bool = True
    page: int = 100

    @classmethod
    def drawn(cls, rng: Random) -> "Behaviour":
        """Return a behaviour drawn by seed: each trouble is absent in half of them, so that others are seen alone."""
        return cls(
            plan_seconds=(0.2, rng.choice((0.5, 3.0, 20.0))),
            resource_seconds=(0.5, rng.choice((2.0, 30.0, 300.0))),
            cleanup_seconds=(0.0, rng.choice((0.5, 10.0))),
            has_describe_events=rng.random() < 0.5,
            stale_seconds=rng.choice((2.0, 10.0)),
            role_ready_after=rng.choice((0.0, 0.0, 0.0, 20.0)),
            credentials_seconds=rng.choice((float("inf"), float("inf"), 60.0, 900.0)),
            page=rng.choice((2, 100, 100)),
            **{name: rng.uniform(0.0, most) if rng.random() < 0.5 else 0.0 for name, most in _MOST.items()},
        )


# The most of each trouble a drawn behaviour has: a few times what T4 and T15 of the reliability targets ask for.
_MOST: dict[str, Any] = {
    "create_fails": 0.5,
    "update_fails": 0.5,
    "delete_fails": 0.4,
    "rollback_fails": 0.6,
    "plan_fails": 0.1,
    "forgets_change_sets": 0.5,
    "refuses_tokens": 1.0,
    "stale": 0.5,
    "throttled": 0.3,
    "server_errors": 0.1,
    "unreachable": 0.1,
    "lost_answers": 0.3,
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What an operation on a stack will meet: the resource that fails, and the one its rollback fails at."""

    fails: str = ""
    rollback_fails: str = ""
    reason: str = field(default="The handler said: the request is not valid.")


REASONS = (
    "The handler said: the name is taken, it already exists.",
    "The handler said: not authorized to perform this action.",
    "The handler said: the limit of this account is exceeded.",
    "The handler said: it did not stabilize in time.",
)


def draw_fate(rng: Random, fails: float, rollback_fails: float, ids: Sequence[str]) -> Fate:
    """Draw what an operation over these resources will meet."""
    if not ids or rng.random() >= fails:
        return Fate(rollback_fails=_one_of(rng, rollback_fails, ids))
    return Fate(rng.choice(ids), _one_of(rng, rollback_fails, ids), rng.choice(REASONS))


def _one_of(rng: Random, probability: float, ids: Sequence[str]) -> str:
    return rng.choice(ids) if ids and rng.random() < probability else ""
