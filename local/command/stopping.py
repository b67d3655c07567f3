"""Stopping when asked: a signal sets a flag, and whoever waits looks at it."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from command.problems import Stopped

_asked = threading.Event()


def listen() -> None:
    """From here on SIGINT, SIGTERM and SIGHUP ask to stop instead of ending the process in the middle of something."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ask)


def _ask(number: int, frame: Any) -> None:
    _asked.set()


def pause(seconds: float) -> None:
    """Wait; raise Stopped as soon as somebody asks to stop."""
    if _asked.wait(seconds):
        raise Stopped


@contextmanager
def handed_on(popen: subprocess.Popen[bytes]) -> Iterator[None]:
    """Meanwhile a request to stop is the other program's business: it is handed on, and its end is ours."""

    def hand_on(number: int, frame: Any) -> None:
        # A terminal sends Ctrl-C to both; only what came to us alone is passed on.
        if number != signal.SIGINT:
            popen.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
