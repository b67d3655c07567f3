"""Which kills there are: found by playing every scenario once undisturbed and noting each place it reaches."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import SCENARIOS, Scenario
from tests.chaos.crash.stage import Stage

# Every place there is, as `./slipway bench crash` found it last.
PLACES = Path(__file__).parent / "places.txt"
# How often a place has to be reached before killing there a second time is another case.
OFTEN = 2


@dataclass(frozen=True)
class Point:
    """A place in a scenario: its failpoint's name, and which time it is reached."""

    scenario: Scenario
    phase: int
    name: str
    occasion: int

    @property
    def label(self) -> str:
        """The name, with what was asked for where the name alone does not tell; the same in all scenarios."""
        phase = self.scenario.phases[self.phase]
        owner = getattr(phase, "op", phase.prefix)
        return self.name if self.name.startswith(f"{owner}/") else f"{owner}/{self.name}"

    @property
    def place(self) -> str:
        """The label without its last word: before, effect or after."""
        return self.label.rpartition("/")[0]


@dataclass(frozen=True)
class Case:
    """A scenario, and the failpoints that its processes meet one after the other in one of its phases."""

    scenario: Scenario
    label: str
    phase: int = -1
    rules: tuple[str, ...] = ()


def points_of(scenario: Scenario, seen: Mapping[int, Sequence[str]]) -> Iterator[Point]:
    """Yield the places of a scenario by what each phase reached: the first time and, where there is one, the next."""
    for phase, names in seen.items():
        for name, times in Counter(names).items():
            yield Point(scenario, phase, name, 1)
            if times >= OFTEN and not name.endswith("/before"):
                yield Point(scenario, phase, name, OFTEN)


def distinct(points: Sequence[Point]) -> list[Point]:
    """Return each place once, in the first scenario that reaches it."""
    first: dict[tuple[str, int], Point] = {}
    for point in points:
        first.setdefault((point.label, point.occasion), point)
    return list(first.values())


def cases_of(point: Point) -> list[Case]:
    """Return the kills at one place: one; and three, of which the second is where the next process begins."""
    once = f"{point.name}:{point.occasion}:kill"
    # Claims and wake-ups come first in any process; what tells is where it goes from there.
    first, again = f"{point.scenario.phases[point.phase].prefix}/*:1:kill", f"{point.name}:1:kill"
    label = f"{point.scenario.name} {point.label}#{point.occasion}"
    return [
        Case(point.scenario, label, point.phase, (once,)),
        Case(point.scenario, f"{label}, and again", point.phase, (once, first, again)),
    ]


def enumerate_points(stage: Stage, scenarios: Sequence[Scenario] = SCENARIOS) -> list[Point]:
    """Play every scenario undisturbed and return each distinct place. Raises AssertionError where one ends wrongly."""
    found: list[Point] = []
    for scenario in scenarios:
        play = Play(stage, f"clean-{scenario.name}", scenario.name)
        stage.cloud.faults(*(dict(rule) for rule in scenario.faults))
        for phase in scenario.before:
            phase.play(play, [])
        found += points_of(scenario, _seen(stage.directory, play, scenario))
        assert play.ends() == (scenario.job, scenario.stack), f"{scenario.name} ended as {play.ends()}"
    return distinct(found)


def _seen(directory: Path, play: Play, scenario: Scenario) -> dict[int, list[str]]:
    """Play the phases, and return the names of the places each reached."""
    seen = {}
    for number, phase in enumerate(scenario.phases):
        log = directory / f"seen-{play.name}-{number}"
        phase.play(play, [], str(log))
        seen[number] = log.read_text().split() if log.exists() else []
    return seen
