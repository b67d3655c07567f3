"""Places at which a test ends this process, or breaks what it does, on purpose. Without FAILPOINTS they do nothing.

`FAILPOINTS=name:3:kill,other:1:raise` acts when a place is reached for the third, the first time. Names may end in `*`.
`FAILPOINTS_LOG=file` notes every place that is reached, one a line: that is how a test finds out which there are.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass


class Injected(Exception):
    """What a failpoint raises: no code of the product knows it."""


def _kill(argument: str) -> None:
    # As SIGKILL would: no handler runs, nothing is flushed.
    os._exit(137)


def _raise(argument: str) -> None:
    raise Injected("a failpoint")


def _stop(argument: str) -> None:
    # Until somebody sends SIGCONT: what a machine that hangs for a while does to all of its threads.
    os.kill(os.getpid(), signal.SIGSTOP)


ACTIONS: dict[str, Callable[[str], None]] = {
    "kill": _kill,
    "raise": _raise,
    "stop": _stop,
    "sleep": lambda seconds: time.sleep(float(seconds)),
}


@dataclass(frozen=True)
class Rule:
    """What happens when a place is reached for the so manieth time."""

    name: str
    occasion: int
    action: str
    argument: str


def _rule(text: str) -> Rule:
    name, occasion, action = text.split(":")
    word, _, argument = action.partition("=")
    return Rule(name, int(occasion), word, argument)


class Failpoints:
    """What is to happen where, and how often each place was reached so far."""

    def __init__(self, environ: Mapping[str, str]):
        self.rules = [_rule(rule) for rule in environ.get("FAILPOINTS", "").split(",") if rule]
        self.log = environ.get("FAILPOINTS_LOG", "")
        self.seen: Counter[Rule] = Counter()
        self.lock = threading.Lock()

    def reach(self, name: str) -> None:
        with self.lock:
            if self.log:
                _append(self.log, name)
            due = [rule for rule in self.rules if _fits(rule.name, name) and self._is_time(rule)]
        for rule in due:
            ACTIONS[rule.action](rule.argument)

    def _is_time(self, rule: Rule) -> bool:
        # Counted for each rule: two of them may speak of the same place.
        self.seen[rule] += 1
        return self.seen[rule] == rule.occasion


def _fits(rule: str, name: str) -> bool:
    return name.startswith(rule[:-1]) if rule.endswith("*") else name == rule


def _append(file: str, line: str) -> None:
    with open(file, "a", encoding="utf-8") as log:
        log.write(line + "\n")


_points: Failpoints | None = None


def arm(environ: Mapping[str, str]) -> None:
    """Read the plan anew: at the start of a process, and of each one forked from it."""
    global _points
    _points = Failpoints(environ) if environ.get("FAILPOINTS") or environ.get("FAILPOINTS_LOG") else None


def reached(name: str) -> None:
    """Say that the process is at this place now."""
    if _points is not None:
        _points.reach(name)


arm(os.environ)
