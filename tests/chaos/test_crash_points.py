"""A worker or a web process dies anywhere, and again while it is made good: nothing is lost, doubled or left behind.

A seeded part of `./slipway bench crash`, which kills at every place.
"""

import random
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.crash import driver
from tests.chaos.crash.cases import Point, cases_of, enumerate_points
from tests.chaos.crash.scenarios import SCENARIOS
from tests.chaos.crash.stage import stage
from tests.support.cloud import Cloud

pytestmark = pytest.mark.chaos

# Both databases together play most scenarios.
SEEDS = {"SqliteTemplate": 1, "PostgresqlTemplate": 2}
SCENARIOS_A_RUN, CASES_A_RUN = 5, 10


@pytest.fixture
def chance(template_database: Any) -> random.Random:
    return random.Random(SEEDS[type(template_database).__name__])


@pytest.fixture
def points(template_database: Any, module_cloud: Cloud, tmp_path: Path, chance: random.Random) -> list[Point]:
    with template_database.copy(tmp_path) as database, stage(database, module_cloud, tmp_path) as here:
        return enumerate_points(here, chance.sample(SCENARIOS, SCENARIOS_A_RUN))


def test_dying_anywhere_changes_nothing_in_the_end(
    points: list[Point], template_database: Any, module_cloud: Cloud, tmp_path: Path, chance: random.Random
) -> None:
    cases = [case for point in points for case in cases_of(point)]
    report = driver.run_cases(
        chance.sample(cases, CASES_A_RUN), template_database.copy, module_cloud, tmp_path / "stages"
    )
    assert report.violations == []
    assert report.kills >= CASES_A_RUN
    assert report.unreached == []
