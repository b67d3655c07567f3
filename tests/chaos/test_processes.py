"""Programs that are killed, frozen and started again do come back where they were, and none outlives its cage."""

import contextlib
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from random import Random

import psutil
import psycopg
import pytest

from app import db, migrations
from app.config import Config
from tests.chaos.cage import Cage, Member, SmallDisk, may_mount
from tests.chaos.processes import Broker, Postgres, Web, Worker
from tests.chaos.proxy import Proxy
from tests.support.processes import DidNotStart
from tests.support.settings import settings

pytestmark = pytest.mark.chaos

FAMILY = "import subprocess, sys, time; subprocess.Popen(['sleep', '600']); print('up', flush=True); time.sleep(600)"


@pytest.fixture
def cage() -> Iterator[Cage]:
    with Cage() as cage:
        yield cage


class Family(Member):
    """A process with a child."""

    def __init__(self, cage: Cage):
        super().__init__(cage, "family", [sys.executable, "-c", FAMILY], seconds=10)

    def is_ready(self) -> bool:
        return len(self.children()) == 1


class Unready(Member):
    """A program that is never ready."""

    def is_ready(self) -> bool:
        return False


def runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def eventually(question: Callable[[], bool], seconds: float = 5) -> bool:
    until = time.monotonic() + seconds
    while not question():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class TestCage:
    @pytest.mark.parametrize("state", ["running", "frozen", "headless"])
    def test_leaves_nobody_behind(self, state: str) -> None:
        cage = Cage()
        with contextlib.suppress(ZeroDivisionError), cage:
            family = Family(cage).start()
            everybody = [psutil.Process(family.pid), *family.children()]
            assert f"{family.pid} family" in (cage.directory / "pids").read_text()
            if state == "frozen":
                family.stop()
            elif state == "headless":
                family.kill_main()
            raise ZeroDivisionError
        assert len(everybody) == 2
        assert eventually(lambda: not any(runs(each) for each in everybody))
        assert not cage.directory.exists()

    def test_freezes_and_lets_go_on(self, cage: Cage) -> None:
        family = Family(cage).start()
        family.stop()
        everybody = [psutil.Process(family.pid), *family.children()]
        assert eventually(lambda: {each.status() for each in everybody} == {psutil.STATUS_STOPPED})
        assert family.is_alive
        family.cont()
        assert eventually(lambda: {each.status() for each in everybody} == {psutil.STATUS_SLEEPING})

    def test_kills_a_child_alone(self, cage: Cage) -> None:
        family = Family(cage).start()
        child = family.children()[0]
        assert family.kill_child(Random(1)) == child.pid
        assert eventually(lambda: not runs(child))
        assert family.is_alive

    def test_tells_what_a_program_said_that_did_not_start(self, cage: Cage) -> None:
        with pytest.raises(DidNotStart, match="no such luck"):
            Unready(cage, "luckless", ["sh", "-c", "echo no such luck; exit 3"]).start()

    def test_hands_its_environment_on_and_keeps_the_output(self, cage: Cage) -> None:
        speaker = Member(cage, "speaker", ["sh", "-c", "echo $GREETING; exit 3"], env={"GREETING": "hello"})
        assert speaker.run() == 3
        assert speaker.output() == "hello\n"

    def test_starts_again_after_every_end(self, cage: Cage) -> None:
        family = Family(cage).start()
        for finish in (family.kill9, family.kill_main, family.term):
            before = family.pid
            finish()
            assert not family.is_alive
            assert family.restart().is_alive
            assert family.pid != before


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with Cage() as cage:
        postgres = Postgres(cage).start()
        with postgres.connect() as connection:
            connection.execute("CREATE TABLE ledger (entry text)")
        yield postgres


class TestPostgres:
    @pytest.fixture(autouse=True)
    def running(self, postgres: Postgres) -> None:
        if not postgres.is_alive:
            postgres.start()

    @pytest.mark.parametrize("way", ["kill9", "stop_immediately", "term"])
    def test_keeps_what_was_committed(self, postgres: Postgres, way: str) -> None:
        with postgres.connect() as connection:
            connection.execute("INSERT INTO ledger VALUES (%s)", (way,))
        getattr(postgres, way)()
        assert not postgres.is_ready()
        postgres.restart()
        assert way in entries(postgres)

    def test_waits_for_the_disk(self, postgres: Postgres) -> None:
        with postgres.connect() as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)

    def test_resets_everybody_when_one_backend_is_killed(self, postgres: Postgres) -> None:
        with postgres.connect() as one, postgres.connect() as other:
            assert postgres.kill_backend(Random(1))
            for connection in (one, other):
                with pytest.raises(psycopg.OperationalError):
                    connection.execute("SELECT pg_sleep(5)")
        assert eventually(postgres.is_ready)

    def test_is_silent_while_frozen(self, postgres: Postgres) -> None:
        with postgres.connect() as connection:
            postgres.stop()
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(postgres.url(), connect_timeout=2)
            postgres.cont()
            assert connection.execute("SELECT 1").fetchone() == (1,)

    @pytest.mark.parametrize(("arriving", "kept"), [(1, True), (0, False)])
    def test_a_swallowed_commit_is_unknown_to_the_client(self, postgres: Postgres, arriving: int, kept: bool) -> None:
        entry = f"swallowed, arriving {arriving}"
        with Proxy(postgres.socket) as proxy:
            connection = psycopg.connect(postgres.url(port=proxy.port))
            connection.execute("INSERT INTO ledger VALUES (%s)", (entry,))
            proxy.swallow_commits(1, arriving)
            with pytest.raises(psycopg.OperationalError):
                connection.commit()
            assert proxy.swallowed == 1
            proxy.heal()
            with psycopg.connect(postgres.url(port=proxy.port)) as again:
                assert again.execute("SELECT count(*) FROM ledger").fetchone()
        assert (entry in entries(postgres)) is kept

    def test_other_words_than_commit_pass(self, postgres: Postgres) -> None:
        with Proxy(postgres.port) as proxy:
            proxy.swallow_commits(1)
            with psycopg.connect(postgres.url(port=proxy.port), autocommit=True) as connection:
                connection.execute("INSERT INTO ledger VALUES ('COMMIT')")
            assert proxy.swallowed == 0


def entries(postgres: Postgres) -> set[str]:
    with postgres.connect() as connection:
        return {row[0] for row in connection.execute("SELECT entry FROM ledger")}


class TestBroker:
    @pytest.mark.parametrize("keeps", [False, True])
    def test_comes_back_on_its_port_with_or_without_its_messages(self, cage: Cage, keeps: bool) -> None:
        broker = Broker(cage, keeps=keeps).start()
        broker.client().lpush("slipway", "job 1")
        # An append-only file is written once a second.
        time.sleep(1.2 if keeps else 0)
        broker.kill9()
        assert not broker.is_ready()
        broker.restart()
        assert broker.client().llen("slipway") == (1 if keeps else 0)
        broker.flush()
        assert broker.client().llen("slipway") == 0


class TestPortal:
    @pytest.fixture
    def config(self, cage: Cage) -> Config:
        config = settings(f"sqlite:///{cage.directory}/slipway.db", cage.directory, WEB_PROCESSES="1")
        engine = db.connect(config.database_url)
        migrations.upgrade(engine)
        engine.dispose()
        return config

    def test_web_and_worker_are_killed_frozen_and_started_again(self, cage: Cage, config: Config) -> None:
        web, worker = Web(cage, config), Worker(cage, config)
        cage.start(web, worker)
        web.stop()
        assert not web.is_ready()
        web.cont()
        assert eventually(web.is_ready)
        assert web.kill_child(Random(1))
        assert eventually(web.is_ready)
        worker.kill9()
        assert not worker.is_alive
        assert worker.restart().is_ready()
        assert web.term() == 0
        with pytest.raises(OSError, match="refused"):
            urllib.request.urlopen(web.url + "/healthz")


@pytest.fixture(scope="module")
def mounts() -> None:
    if not may_mount():
        pytest.skip("this machine does not let us mount a small disk of our own")


@pytest.mark.usefixtures("mounts")
class TestSmallDisk:
    def test_is_full_when_it_is_full_and_nobody_else_sees_it(self, cage: Cage) -> None:
        disk = SmallDisk(cage, megabytes=2)
        disk.start()
        assert (cage.directory / "disk").is_dir()
        assert not any(disk.place.iterdir())
        disk.fill()
        assert disk.room() == 0
        assert "No space left" in self.write(cage, disk, 1000)
        disk.free()
        assert self.write(cage, disk, 1000) == ""
        assert [each.name for each in disk.seen_from_here.iterdir()] == ["written"]
        assert not any(disk.place.iterdir())

    def write(self, cage: Cage, disk: SmallDisk, size: int) -> str:
        """What a program inside says when it writes so many bytes."""
        script = f"head -c {size} /dev/zero > {disk.place}/written"
        writer = Member(cage, f"writer-{len(cage.members)}", ["sh", "-c", script], disk=disk)
        writer.run()
        return writer.output()
