"""Plays cases, many on one stage, and returns what was wrong with each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from tests.chaos.checker import check
from tests.chaos.collect import evidence_of, file_texts
from tests.chaos.crash.cases import Case
from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import READY
from tests.chaos.crash.stage import SECRET, Stage, stage
from tests.support.cloud import Cloud
from tests.support.databases import Database

# More rows make each look at all of them slower, fewer cost a new installation more often.
CASES_A_STAGE = 25


@dataclass
class Report:
    """What came of some cases: how many ran, how often a process was killed, what was never reached, what was wrong."""

    runs: int = 0
    kills: int = 0
    unreached: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)


def run_cases(
    cases: Sequence[Case], copy: Callable[[Path], AbstractContextManager[Database]], cloud: Cloud, directory: Path
) -> Report:
    """Play the cases, each so many on a new installation. `copy` makes a database in a directory."""
    report = Report()
    for number, chunk in enumerate(_chunks(cases)):
        place = directory / f"stage-{number}"
        place.mkdir(parents=True)
        with copy(place) as database, stage(database, cloud, place) as here:
            _run_on(here, chunk, report)
    return report


def _chunks(cases: Sequence[Case]) -> Iterator[Sequence[Case]]:
    for start in range(0, len(cases), CASES_A_STAGE):
        yield cases[start : start + CASES_A_STAGE]


def _run_on(here: Stage, cases: Sequence[Case], report: Report) -> None:
    plays: dict[str, Play] = {}
    for number, case in enumerate(cases):
        report.runs += 1
        try:
            plays[case.label] = play = _play(here, case, number, list(plays.values()))
        except AssertionError as problem:
            report.violations.append(f"{case.label}: {problem}")
            continue
        report.kills += len(play.kills)
        if case.rules and case.rules[0] not in play.kills:
            report.unreached.append(case.label)
        if not case.scenario.may_end(ends := play.ends()):
            report.violations.append(f"{case.label}: the job is {ends[0]} and the stack {ends[1]}.")
    report.violations += judge(here, plays)


def _play(here: Stage, case: Case, number: int, earlier: Sequence[Play]) -> Play:
    scenario = case.scenario
    here.cloud.faults(*(dict(rule) for rule in scenario.faults))
    play = Play(here, f"{scenario.name}-{number}"[:60], f"round-{number}")
    used = next((each for each in earlier[::-1] if scenario.before == READY and each.is_as_new), None)
    if used:
        # Only the scenario matters, not how its stack came to be ready.
        used.is_as_new = False
        play.name, play.stack = used.name, used.stack
    else:
        for phase in scenario.before:
            phase.play(play, [])
    for position, phase in enumerate(scenario.phases):
        phase.play(play, list(case.rules) if position == case.phase else [])
    play.is_as_new = play.ends()[1] == "ready"
    return play


def judge(here: Stage, plays: dict[str, Play]) -> list[str]:
    """Return all that the checker finds, each after the case it is about."""
    texts = file_texts(here.directory)
    run = evidence_of(here.app, here.cloud, here.proxy.calls, here.history.read(), canaries=[SECRET], texts=texts)
    found = [f"{each.invariant} {each.sentence}" for each in check(run)] + list(_secrets_kept(here))
    return [f"{_about(sentence, plays)}: {sentence}" for sentence in found]


def _secrets_kept(here: Stage) -> Iterator[str]:
    query = select(Job.ref).where(Job.sealed.is_not(None), Job.status.not_in(UNFINISHED))
    with here.app.extensions["engine"].connect() as connection:
        for ref in connection.scalars(query):
            yield f"{ref} has ended and still keeps its secrets."


def _about(sentence: str, plays: dict[str, Play]) -> str:
    labels = [label for label, play in plays.items() if play.job in sentence or play.stack in sentence]
    return " | ".join(labels) or "one of these"
