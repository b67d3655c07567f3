"""Workers that stop in the middle of something, are given up, and then go on as if nothing had been."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.chaos.crash.cases import Point
from tests.chaos.crash.driver import judge
from tests.chaos.crash.loops import SELF_FENCED, Looping
from tests.chaos.crash.phases import Asks, Play
from tests.chaos.crash.scenarios import SCENARIOS
from tests.chaos.crash.stage import Stage

# Long enough that a busy machine alone makes nobody miss a lease, short enough to wait for three of them.
LEASE_SECONDS = 3.0
LEASES_AWAY = 3
LONGEST_SECONDS = 60.0
# The jobs whose steps are stopped at: each begins with one request and ends without another.
NAMES = ("launch", "update-in-advance", "delete")
CHOSEN = tuple(scenario for scenario in SCENARIOS if scenario.name in NAMES)


@dataclass
class Report:
    """How many workers stopped and went on, how many of them ended themselves then, and what was wrong."""

    stopped: int = 0
    ended_themselves: int = 0
    unreached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def points_to_stop_at(points: Sequence[Point]) -> list[Point]:
    """Return the places a worker reaches in the chosen scenarios, each once."""
    return [each for each in points if each.occasion == 1 and not isinstance(each.scenario.phases[each.phase], Asks)]


def stop_at(here: Stage, points: Sequence[Point], report: Report) -> None:
    """Have one worker stop at each of these places at the same time; another takes over; then all go on.

    On PostgreSQL only: a process that stops may be in the middle of a transaction, and on SQLite nobody writes until
    it goes on, so nothing can be taken from it.
    """
    plays: dict[str, Play] = {}
    wanted: dict[str, tuple[str, str]] = {}
    # All of them before the first worker that could take what is not meant for it.
    prepared = [_prepared(here, point, number) for number, point in enumerate(points)]
    with ExitStack() as workers:
        zombies = []
        for number, (point, play) in enumerate(zip(points, prepared, strict=True)):
            label = f"worker {number} stopped at {point.label}"
            plays[label], wanted[label] = play, (point.scenario.job, point.scenario.stack)
            rule = f"{point.name}:1:stop"
            zombies.append(workers.enter_context(Looping(here, f"zombie {number}", LEASE_SECONDS, rule)))
            point.scenario.phases[0].play(play, [])
            if not _wait_for_stop(zombies[-1], play):
                report.unreached.append(point.label)
                zombies.pop().end()
        workers.enter_context(Looping(here, "the one who takes over", LEASE_SECONDS))
        _let_go_on(zombies, report)
        _wait_for_ends(plays)
        # Whatever a worker that went on still wanted to do, it has done by now.
        report.ended_themselves += sum(each.wait(LEASE_SECONDS) and each.status == SELF_FENCED for each in zombies)
    for label, play in plays.items():
        if (ends := play.ends()) != wanted[label]:
            report.violations.append(f"{label}: the job is {ends[0]} and the stack {ends[1]}.")
    report.violations += judge(here, plays)


def _prepared(here: Stage, point: Point, number: int) -> Play:
    name = f"{point.scenario.name}-{here.processes}-{number}"
    play = Play(here, name, name)
    for phase in point.scenario.before:
        phase.play(play, [])
    return play


def _wait_for_stop(zombie: Looping, play: Play) -> bool:
    """Wait until the worker has stopped; say whether it did, and not the job's end or its own came first."""
    until = time.monotonic() + LONGEST_SECONDS
    while not zombie.is_stopped and zombie.is_alive and time.monotonic() < until:
        if play.ends()[0] not in ("queued", "running"):
            # It has done its last write, and may be on its way to the place after it.
            time.sleep(0.3)
            break
        time.sleep(0.02)
    return zombie.is_stopped


def _let_go_on(zombies: Sequence[Looping], report: Report) -> None:
    for zombie in zombies:
        time.sleep(max(0.0, zombie.stopped_at + LEASES_AWAY * LEASE_SECONDS - time.monotonic()))
        zombie.go_on()
        report.stopped += 1


def _wait_for_ends(plays: dict[str, Play]) -> None:
    until = time.monotonic() + LONGEST_SECONDS
    while any(play.ends()[0] in ("queued", "running") for play in plays.values()) and time.monotonic() < until:
        time.sleep(0.05)
