"""What can happen to a call on its way there and on its way back.

A failure on the way back is the one that matters most: the effect is there and the caller reads an error (Temporal's
persistence faults call it ExecuteAndTimeout).
"""

from collections.abc import Callable
from random import Random
from typing import TypeAlias

from botocore.exceptions import BotoCoreError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from tests.chaos.model.behaviour import Behaviour
from tests.chaos.model.refusals import Refusal

_URL = "https://cloudformation.model/"
Trouble: TypeAlias = Refusal | BotoCoreError

_SERVER_ERRORS: tuple[Callable[[], Trouble], ...] = (
    lambda: Refusal("InternalFailure", "The request could not be processed.", 500),
    lambda: Refusal("ServiceUnavailable", "The service cannot answer now.", 503),
)
_LOST: tuple[Callable[[], Trouble], ...] = (
    *_SERVER_ERRORS,
    lambda: ReadTimeoutError(endpoint_url=_URL),
    lambda: ConnectionClosedError(endpoint_url=_URL),
)


class Wire:
    """Draws what happens to each call."""

    def __init__(self, behaviour: Behaviour, rng: Random):
        self.rng = rng
        self.change(behaviour)

    def change(self, behaviour: Behaviour) -> None:
        """Behave differently from here on."""
        self._throttled = behaviour.throttled
        self._failed = self._throttled + behaviour.server_errors
        self._unreachable = self._failed + behaviour.unreachable
        self._lost = behaviour.lost_answers

    def there(self) -> None:
        """Raise what keeps the call from arriving."""
        if not self._unreachable:
            return
        drawn = self.rng.random()
        if drawn < self._throttled:
            raise Refusal("Throttling", "Rate exceeded")
        if drawn < self._failed:
            raise self.rng.choice(_SERVER_ERRORS)()
        if drawn < self._unreachable:
            raise EndpointConnectionError(endpoint_url=_URL)

    def back(self) -> None:
        """Raise what keeps the answer from arriving, after the effect."""
        if self._lost and self.rng.random() < self._lost:
            raise self.rng.choice(_LOST)()
