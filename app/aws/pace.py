"""How fast this process calls CloudFormation: a token bucket for each account and region.

AWS gives every account and region one allowance, which all of its callers share, and publishes no figure for it. So
the rate is found by asking: it halves when the cloud asks for fewer calls and comes back slowly when it does not.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from app.aws.errors import THROTTLED, Throttled

# Nobody waits longer than this for a turn: a worker's thread has other jobs, and the job is asked again later.
LONGEST_WAIT = 3.0
# From half the rate back to all of it.
RECOVERY_SECONDS = 60.0
# The calls under way when the cloud complains are all refused together; that is one complaint.
DEAF_SECONDS = 1.0
LEAST_SHARE = 1 / 32


class Pace:
    """A token bucket that holds one second's worth: no second sees more than twice the rate.

    Turns are given in the order they are asked for, so no thread is overtaken. Going below zero is a turn taken in
    advance. Safe between threads. `clock` and `sleep` stand in for time in tests.
    """

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.full = self.rate = per_second
        self._clock, self._sleep = clock, sleep
        self._tokens = max(per_second, 1.0)
        self._seen_at = self._slowed_at = clock()
        self._is_slowed = False
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for a turn. Raises Throttled, without waiting, when it would come too late."""
        wait = self._reserve()
        if wait > 0:
            self._sleep(wait)

    def _reserve(self) -> float:
        with self._lock:
            self._catch_up()
            wait = (1 - self._tokens) / self.rate
            if wait > LONGEST_WAIT:
                raise Throttled("Slipway holds back: the account has had many calls just now.", "HeldBack")
            self._tokens -= 1
            return wait

    def slow_down(self) -> None:
        """Halve the rate, and give up what was saved; the cloud has asked for fewer calls."""
        with self._lock:
            self._catch_up()
            if self._is_slowed and self._seen_at - self._slowed_at < DEAF_SECONDS:
                return
            self._is_slowed, self._slowed_at = True, self._seen_at
            self.rate = max(self.rate / 2, self.full * LEAST_SHARE)
            self._tokens = min(self._tokens, 0.0)

    def _catch_up(self) -> None:
        """Add what time has brought since the last look: tokens at the rate so far, then some of the rate itself."""
        now = self._clock()
        passed, self._seen_at = now - self._seen_at, now
        self._tokens = min(self._tokens + passed * self.rate, max(self.rate, 1.0))
        self.rate = min(self.full, self.rate + passed * self.full / 2 / RECOVERY_SECONDS)


class Paces:
    """The pace of each account and region, made when first needed; a rate of 0 means no limit."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._lock = threading.Lock()
        self._paces: dict[tuple[str, str], Pace] = {}

    def of(self, account: str, region: str) -> Pace:
        """Return the one pace of an account in a region."""
        with self._lock:
            return self._paces.setdefault((account, region), Pace(self.per_second))

    def govern(self, client: Any, account: str, region: str) -> None:
        """Make every request of the client take its turn: each page and each of botocore's own retries as well."""
        if not self.per_second:
            return
        pace = self.of(account, region)
        client.meta.events.register("before-send", lambda **_: pace.take())
        client.meta.events.register("response-received", lambda **told: _listen(pace, told["parsed_response"]))


def _listen(pace: Pace, answer: Any) -> None:
    if answer and answer.get("Error", {}).get("Code") in THROTTLED:
        pace.slow_down()
