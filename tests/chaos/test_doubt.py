"""It happened, and whoever asked hears that it did not: nothing is done twice, and everything ends as it should.

A seeded part of `./slipway bench doubt`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.crash.doubt import Report, play_through, run_in_doubt
from tests.chaos.crash.driver import judge
from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import SCENARIOS
from tests.chaos.crash.stage import Stage, stage
from tests.support.cloud import Cloud
from tests.support.databases import PostgresqlTemplate

pytestmark = pytest.mark.chaos

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
# A scenario in which each call that changes the cloud is made.
MADE_IN = {
    "CreateChangeSet": "launch",
    "ExecuteChangeSet": "update-in-advance",
    "DeleteChangeSet": "withdraw-plan",
    "DeleteStack": "delete",
    "CancelUpdateStack": "cancel-update",
    "ContinueUpdateRollback": "update-after-stuck",
    "UpdateTerminationProtection": "delete-protected",
}


@pytest.fixture
def here(template_database: Any, module_cloud: Cloud, tmp_path: Path) -> Iterator[Stage]:
    with template_database.copy(tmp_path) as database, stage(database, module_cloud, tmp_path) as here:
        yield here


@pytest.fixture
def on_postgresql(postgresql: PostgresqlTemplate, module_cloud: Cloud, tmp_path: Path) -> Iterator[Stage]:
    """A stage on one database alone, for what no database has a part in."""
    with postgresql.copy(tmp_path) as database, stage(database, module_cloud, tmp_path) as here:
        yield here


@pytest.mark.parametrize("operation", MADE_IN)
def test_a_call_that_was_heard_and_not_answered_changes_nothing(on_postgresql: Stage, operation: str) -> None:
    here, scenario = on_postgresql, BY_NAME[MADE_IN[operation]]
    here.proxy.faults.once(operation, "execute_then_fail")
    play = Play(here, "refunds", "refunds")
    play_through(play, scenario)
    assert play.ends() == (scenario.job, scenario.stack)
    assert judge(here, {scenario.name: play}) == []
    assert [call.fault for call in here.proxy.calls if call.operation == operation][0] == "execute_then_fail"


def test_nobody_can_believe_what_a_commit_or_the_broker_says(here: Stage) -> None:
    report = Report()
    run_in_doubt(here, 1, report, [BY_NAME["launch"], BY_NAME["update"]])
    assert report.violations == report.gave_up == []
    assert report.lost["commit"] >= 5
