"""Workers that stop and go on, that lose their database, that die of one job: nobody else is harmed by them.

A small part of `./slipway bench zombies` and `./slipway bench takeover`.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select

from app.jobs.models import Job
from tests.chaos.cage import Cage
from tests.chaos.crash import zombies
from tests.chaos.crash.cases import Point
from tests.chaos.crash.driver import judge
from tests.chaos.crash.loops import SELF_FENCED, Looping
from tests.chaos.crash.phases import Play
from tests.chaos.crash.scenarios import READY, SCENARIOS, launch, update
from tests.chaos.crash.stage import KILLED, Stage, stage
from tests.chaos.processes import Worker
from tests.chaos.proxy import Proxy
from tests.support.cloud import Cloud
from tests.support.databases import PostgresqlTemplate
from tests.support.settings import settings

pytestmark = pytest.mark.chaos

LAUNCH = next(scenario for scenario in SCENARIOS if scenario.name == "launch")
# Before a call, between a call and its record, in the middle of a transaction, and before the last word.
STOPS = (
    "create/plan/create_change_set/before",
    "create/execute/execute_change_set/effect",
    "create/execute/take_over/effect",
    "create/verify/end_succeeded/before",
)
LEASE_SECONDS = 6.0
POISON = "update/plan/create_change_set/before:1:kill"


@pytest.fixture
def here(postgresql: PostgresqlTemplate, module_cloud: Cloud, tmp_path: Path) -> Iterator[Stage]:
    with (
        postgresql.copy(tmp_path) as database,
        stage(database, module_cloud, tmp_path, TICK_SECONDS="0.05", LEASE_SECONDS=str(LEASE_SECONDS)) as here,
    ):
        yield here


def test_what_a_worker_wants_that_was_given_up_does_not_count(here: Stage) -> None:
    report = zombies.Report()
    zombies.stop_at(here, [Point(LAUNCH, 1, name, 1) for name in STOPS], report)
    assert report.violations == []
    assert (report.stopped, report.unreached) == (len(STOPS), [])


def test_a_worker_that_loses_its_database_does_nothing_more_and_ends(here: Stage, tmp_path: Path) -> None:
    engine = here.app.extensions["engine"]
    info = psycopg.conninfo.conninfo_to_dict(str(engine.url.render_as_string(False)).replace("+psycopg", ""))
    with Proxy(Path(info["host"]) / ".s.PGSQL.5432") as proxy, Cage() as cage:
        through = f"postgresql://{info['user']}@127.0.0.1:{proxy.port}/{info['dbname']}"
        config = settings(through, tmp_path, AWS_ENDPOINT_URL=here.proxy.url, LEASE_SECONDS=str(LEASE_SECONDS))
        # It is on its way to the cloud when its database is cut off, and would get there after its time.
        place, seen = "create/plan/create_change_set/before", tmp_path / "places.txt"
        rule = {"FAILPOINTS": f"{place}:1:sleep={LEASE_SECONDS}", "FAILPOINTS_LOG": str(seen)}
        worker = Worker(cage, config, env=rule).start()
        play = Play(here, "refunds", "refunds")
        launch().play(play, [])
        assert _eventually(lambda: seen.exists() and place in seen.read_text())
        proxy.blackhole()
        cut_at = time.monotonic()
        assert _eventually(lambda: not worker.is_alive, LEASE_SECONDS)
        assert time.monotonic() - cut_at <= LEASE_SECONDS / 2 + 1
        assert worker.wait() == SELF_FENCED
    assert [call.operation for call in here.proxy.calls if call.operation == "CreateChangeSet"] == []
    with Looping(here, "the one who takes over", LEASE_SECONDS):
        assert _eventually(lambda: play.ends() == ("succeeded", "ready"), 30)
    assert judge(here, {"cut off": play}) == []


def test_a_job_that_kills_its_workers_stops_after_five(here: Stage) -> None:
    poison, other = Play(here, "refunds", "refunds"), Play(here, "orders", "orders")
    for phase in READY:
        phase.play(poison, [])
    update(True).play(poison, [])
    died = _supervise(here, lambda: poison.ends()[0] == "needs_attention")
    assert poison.ends() == ("needs_attention", "ready")
    assert 1 <= died <= 5
    with here.app.extensions["engine"].connect() as connection:
        failure = connection.scalar(select(Job.failure).where(Job.ref == poison.job))
    assert failure["sentence"] == "Slipway tried 5 times and did not get through this step."
    launch().play(other, [])
    assert _supervise(here, lambda: other.ends() == ("succeeded", "ready")) == 0
    assert other.ends() == ("succeeded", "ready")


def _supervise(here: Stage, is_over: Callable[[], bool], seconds: float = 60) -> int:
    """Keep one worker running that cannot survive a certain step; return how often that killed it."""
    died, until = 0, time.monotonic() + seconds
    with ExitStack() as workers:
        worker = workers.enter_context(Looping(here, "worker 0", LEASE_SECONDS / 3, POISON))
        while not is_over() and time.monotonic() < until:
            if not worker.is_alive:
                died += worker.status == KILLED
                worker = workers.enter_context(Looping(here, f"worker {died}", LEASE_SECONDS / 3, POISON))
            time.sleep(0.05)
    return died


def _eventually(question: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not question():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
