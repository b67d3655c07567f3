"""Which fault the next call to the cloud meets: by seed and operation, so that the same calls meet the same faults."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

# What is answered without asking the cloud: status, code, message.
REFUSALS = {
    "throttle": (400, "Throttling", "Rate exceeded"),
    "error": (503, "ServiceUnavailable", "Service is unable to handle request."),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "denied": (403, "AccessDenied", "User is not authorized to perform this action"),
}
# The rest: never answered; answered late; done but answered wrongly; answered from before.
OTHERS = ("timeout", "reset", "slow", "execute_then_fail", "garbled", "stale")
KINDS = (*REFUSALS, *OTHERS)


@dataclass(frozen=True)
class Choice:
    """A fault, or none, and the chance left over for its details."""

    kind: str
    random: random.Random


class Faults:
    """`Faults(7, {"*": {"throttle": 0.3}, "ExecuteChangeSet": {"execute_then_fail": 0.2}})`.

    What is said of an operation stands instead of what is said of `*`, and `*` speaks of CloudFormation only. The n-th
    call of an operation meets the same fault under the same seed, whatever else goes on.
    """

    def __init__(
        self,
        seed: int = 0,
        shares: Mapping[str, Mapping[str, float]] | None = None,
        *,
        hang_seconds: float = 25,
        slow_seconds: tuple[float, float] = (0.05, 1.0),
        stale_seconds: float = 10,
    ):
        self.seed = seed
        self.hang_seconds, self.slow_seconds, self.stale_seconds = hang_seconds, slow_seconds, stale_seconds
        self._shares: dict[str, dict[str, float]] = {}
        self._forced: dict[str, list[str]] = {}
        self._seen: Counter[str] = Counter()
        self._is_paused = False
        for operation, kinds in (shares or {}).items():
            self.set(operation, **kinds)

    def set(self, operation: str, **kinds: float) -> None:
        """Say how large a share of an operation's calls meets each fault, from here on; nothing: none does."""
        if unknown := set(kinds) - set(KINDS):
            raise ValueError(f"There is no fault {', '.join(sorted(unknown))}; there are {', '.join(KINDS)}.")
        if sum(kinds.values()) > 1:
            raise ValueError(f"The shares of {operation} are more than the whole.")
        self._shares[operation] = dict(kinds)

    def once(self, operation: str, kind: str, times: int = 1) -> None:
        """Let the next calls of an operation meet a fault for certain."""
        if kind not in KINDS:
            raise ValueError(f"There is no fault {kind}; there are {', '.join(KINDS)}.")
        self._forced.setdefault(operation, []).extend([kind] * times)

    def pause(self) -> None:
        """Break nothing until resumed."""
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False

    def choose(self, service: str, operation: str) -> Choice:
        """Say what the next call of an operation meets; an empty kind is no fault."""
        if self._is_paused:
            return Choice("", random.Random(0))
        if self._forced.get(operation):
            return Choice(self._forced[operation].pop(0), random.Random(self.seed))
        self._seen[operation] += 1
        chance = random.Random(f"{self.seed}:{operation}:{self._seen[operation]}")
        fallback = self._shares.get("*", {}) if service == "cloudformation" else {}
        return Choice(_drawn(self._shares.get(operation, fallback), chance.random()), chance)


def _drawn(shares: Mapping[str, float], point: float) -> str:
    for kind, share in shares.items():
        if point < share:
            return kind
        point -= share
    return ""
