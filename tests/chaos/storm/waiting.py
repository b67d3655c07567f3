"""Waiting for an installation to come to rest, or back."""

import time
from collections.abc import Callable

from tests.chaos.storm.installation import Installation


def wait_for_quiet(it: Installation, seconds: float) -> bool:
    """Wait until no job moves any more; say whether that came."""
    return seconds_until(lambda: it.unfinished() == 0, seconds) is not None


def seconds_until(question: Callable[[], bool], seconds: float, pause: float = 0.1) -> float | None:
    """Ask until the answer is yes; return how long that took, or None when it took longer than it may."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if question():
            return time.monotonic() - began
        time.sleep(pause)
    return None
