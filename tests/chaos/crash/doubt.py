"""Done but error: calls, commits and messages that happen, and whose caller hears that they did not."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from tests.chaos.cloud_faults import Faults
from tests.chaos.crash.driver import judge
from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import SCENARIOS, Scenario
from tests.chaos.crash.stage import Stage

SHARE = 0.2
WRITES = (
    "CreateChangeSet",
    "ExecuteChangeSet",
    "DeleteChangeSet",
    "DeleteStack",
    "CancelUpdateStack",
    "ContinueUpdateRollback",
    "UpdateTerminationProtection",
)


@dataclass(frozen=True)
class Doubt:
    """Makes a process unable to believe what it hears, by seed. Each chance it had is a line in `log`."""

    seed: int
    log: Path
    share: float = SHARE

    def prepare(self, app: Flask, number: int) -> None:
        """Take over the commits and messages of this process. It ends with it."""
        chance = random.Random(f"{self.seed}:{number}")
        dialect, celery = app.extensions["engine"].dialect, app.extensions["celery"]
        lost = dialect.loaded_dbapi.OperationalError("the connection was lost over the commit")
        dialect.do_commit = self._doubtful(dialect.do_commit, "commit", lost, chance)
        celery.send_task = self._doubtful(celery.send_task, "publish", OSError("the broker did not confirm"), chance)

    def _doubtful(
        self, act: Callable[..., Any], name: str, error: Exception, chance: random.Random
    ) -> Callable[..., Any]:
        def acted(*args: Any, **named: Any) -> Any:
            answer = act(*args, **named)
            is_lost = chance.random() < self.share
            self._note(f"{name} {'lost' if is_lost else 'heard'}")
            if is_lost:
                raise error
            return answer

        return acted

    def _note(self, line: str) -> None:
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(handle, f"{line}\n".encode())
        os.close(handle)


@dataclass
class Report:
    """How many chances there were to be in doubt and how many were taken, by kind, and what was wrong."""

    runs: int = 0
    chances: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    # What stopped in needs attention: kept whole, and nothing of it was done twice.
    gave_up: list[str] = field(default_factory=list)


def run_in_doubt(here: Stage, seed: int, report: Report, scenarios: Sequence[Scenario] = SCENARIOS) -> None:
    """Play each scenario once while nothing that is heard can be believed, and add what came of it."""
    doubt = Doubt(seed, here.directory / f"doubt-{seed}")
    here.prepare = doubt.prepare
    here.proxy.faults = Faults(seed, {operation: {"execute_then_fail": SHARE} for operation in WRITES})
    before = len(here.proxy.calls)
    plays = {}
    for scenario in scenarios:
        label = f"{scenario.name} {seed}"
        report.runs += 1
        play = plays[label] = Play(here, f"{scenario.name}-{seed}", f"{scenario.name}-{seed}")
        try:
            play_through(play, scenario)
        except AssertionError as problem:
            _note_broken(play, f"{label}: {problem}", report)
            continue
        if play.ends()[0] == "needs_attention":
            _note_broken(play, label, report)
            continue
        if not scenario.may_end(ends := play.ends()):
            report.violations.append(f"{label}: the job is {ends[0]} and the stack {ends[1]}.")
    report.violations += judge(here, plays)
    _count(here, before, doubt.log, report)


def play_through(play: Play, scenario: Scenario) -> None:
    """Play all of a scenario on its stage."""
    play.stage.cloud.faults(*(dict(rule) for rule in scenario.faults))
    for phase in (*scenario.before, *scenario.phases):
        phase.play(play, [])


def _note_broken(play: Play, words: str, report: Report) -> None:
    """A job whose claims were not believed five times waits for a person, as it should; anything else is wrong."""
    is_given_up = bool(play.job) and play.ends()[0] == "needs_attention"
    (report.gave_up if is_given_up else report.violations).append(words)


def _count(here: Stage, before: int, log: Path, report: Report) -> None:
    calls = [call for call in here.proxy.calls[before:] if call.operation in WRITES]
    report.chances["call"] += len(calls)
    report.lost["call"] += sum(call.fault == "execute_then_fail" for call in calls)
    for line in log.read_text().splitlines():
        name, how = line.split()
        report.chances[name] += 1
        report.lost[name] += how == "lost"
