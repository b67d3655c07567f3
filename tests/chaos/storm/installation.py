"""An installation to be broken: web, workers, broker, database and cloud as processes of one cage."""

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from typing import Any, Self

from flask import Flask
from sqlalchemy import func, select

from app import db, demo, migrations
from app.catalog.loading import load
from app.config import ROOT, Config
from app.identity import tokens
from app.identity.models import Person
from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from app.web import create_app
from tests.chaos import watch
from tests.chaos.cage import Cage, Member, SmallDisk
from tests.chaos.checker import Violation, check
from tests.chaos.cloud_faults import Faults
from tests.chaos.cloud_proxy import CloudProxy
from tests.chaos.collect import evidence_of
from tests.chaos.history import History
from tests.chaos.processes import Broker, Postgres, Web, Worker
from tests.chaos.proxy import Proxy
from tests.chaos.storm.client import Client
from tests.support.cloud import Cloud
from tests.support.processes import Process, free_port
from tests.support.settings import CLOUD_ACCOUNT, settings

# Short enough that a killed worker's jobs are taken over well within a minute.
LEASE_SECONDS = 6


class ModelCloud(Member):
    """The model of CloudFormation, over HTTP: it keeps every promise about tokens, which other stand-ins do not."""

    def __init__(self, cage: Cage, seed: int, resource_seconds: float):
        self.port = free_port()
        command = [sys.executable, "-m", "tests.chaos.model.server", "--port", str(self.port), "--seed", str(seed)]
        super().__init__(cage, "cloud", [*command, "--resource-seconds", *[str(resource_seconds)] * 2])

    def is_ready(self) -> bool:
        return "listens" in self.output()

    def as_cloud(self) -> Cloud:
        """Return it as tests see a cloud."""
        assert isinstance(self.popen, Popen)
        return Cloud(Process(self.popen, f"http://127.0.0.1:{self.port}", self.log), self.cage.directory)


class Installation:
    """`with Installation("postgresql", seed=7) as it: it.start_all() …`; everything it started ends with it.

    `proxied` puts a proxy before PostgreSQL (`it.line`); `broker` is `redis`, `files`, or an address where nobody is.
    `changes` are settings.
    """

    def __init__(
        self,
        database: str,
        *,
        seed: int = 1,
        broker: str = "",
        workers: int = 2,
        proxied: bool = False,
        faults: Faults | None = None,
        resource_seconds: float = 0.05,
        disk_megabytes: int = 0,
        make_web: Callable[..., Web] = Web,
        worker_env: Callable[[int], dict[str, str]] = lambda number: {},
        **changes: str,
    ):
        self.database, self.seed, self.proxied = database, seed, proxied
        self.broker_kind = broker or ("redis" if database == "postgresql" else "files")
        self.worker_count, self.worker_env, self.make_web = workers, worker_env, make_web
        self.faults, self.resource_seconds = faults or Faults(seed), resource_seconds
        self.disk_megabytes, self.changes = disk_megabytes, changes
        self.postgres: Postgres | None = None
        self.broker: Broker | None = None
        self.line: Proxy | None = None
        self.disk: SmallDisk | None = None
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def _build(self) -> None:
        self.cage = self._exit.enter_context(Cage())
        self.cloud = ModelCloud(self.cage, self.seed, self.resource_seconds).start()
        self.proxy = self._exit.enter_context(
            CloudProxy(self.cloud.port, self.cage.directory / "calls.jsonl", self.faults)
        )
        self.history = History(self.cage.directory / "history.jsonl")
        self._exit.callback(self.history.close)
        self.config = self._config(self._database_url(), self._broker_url())
        self.app = self._prepared()
        self._exit.callback(self.app.extensions["engine"].dispose)
        self.web = self.make_web(self.cage, self.config, env=CLOUD_ACCOUNT, disk=self.disk)
        self.workers = [self.new_worker(number) for number in range(self.worker_count)]
        self.client = Client(self.web.url, self.token)

    def new_worker(self, number: int) -> Worker:
        """Return another worker, not started."""
        env = {**CLOUD_ACCOUNT, **self.worker_env(number)}
        return Worker(self.cage, self.config, name=f"worker-{number}", env=env, disk=self.disk)

    def start_all(self) -> Self:
        """Start web and workers and return when they are ready."""
        self.cage.start(self.web, *self.workers)
        return self

    @property
    def members(self) -> list[Member]:
        """All its programs but the cloud, which is not ours to break."""
        return [member for member in (self.postgres, self.broker, self.web, *self.workers) if member is not None]

    # --- how it is made ---------------------------------------------------------------------------------------------

    def _database_url(self) -> str:
        if self.database == "sqlite":
            return f"sqlite:///{self._disk_place()}/slipway.db"
        self.postgres = Postgres(self.cage).start()
        with self.postgres.connect() as connection:
            connection.execute("CREATE DATABASE slipway")
        if not self.proxied:
            return self.postgres.url("slipway")
        self.line = self._exit.enter_context(Proxy(self.postgres.port, seed=self.seed))
        return self.postgres.url("slipway", self.line.port)

    def _disk_place(self) -> Path:
        """Where SQLite's file lies for the programs: on the small disk if there is one."""
        if not self.disk_megabytes:
            return self.cage.directory
        self.disk = SmallDisk(self.cage, self.disk_megabytes)
        self.disk.start()
        return self.disk.place

    def _broker_url(self) -> str:
        if self.broker_kind == "redis":
            self.broker = Broker(self.cage).start()
            return self.broker.url
        return "" if self.broker_kind == "files" else self.broker_kind

    def _config(self, database_url: str, broker_url: str) -> Config:
        data = self.cage.directory / "data"
        data.mkdir(exist_ok=True)
        values = {
            "CELERY_BROKER_URL": broker_url,
            "AWS_ENDPOINT_URL": self.proxy.url,
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "FOLLOW_SECONDS": "0.5",
            "LOOKUP_SECONDS": "0",
            "DATABASE_POOL": "10",
        }
        return settings(database_url, data, **values | self.changes)

    def _prepared(self) -> Flask:
        """Return an application of this process on the same database, filled and watched."""
        app = create_app(self._seen_from_here())
        engine = app.extensions["engine"]
        migrations.upgrade(engine)
        with app.app_context():
            demo.load(ROOT / "local" / "demo.yaml", self.config["OIDC_ISSUER"])
            load(ROOT / "catalog")
            dana = db.session.scalars(select(Person).where(Person.username == "dana")).one()
            self.token = tokens.create(dana, "storm")
            db.session.commit()
        watch.install(engine)
        return app

    def _seen_from_here(self) -> Config:
        """The same settings for this process, which sees neither the proxy's faults nor the small disk's name."""
        if self.postgres is not None:
            url = self.postgres.url("slipway")
        elif self.disk is not None:
            url = f"sqlite:///{self.disk.seen_from_here}/slipway.db"
        else:
            return self.config
        return Config({**self.config.values, "DATABASE_URL": url})

    # --- what is found in it ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def looking(self) -> Iterator[Any]:
        """A session of this process's own, ended afterwards."""
        with self.app.app_context():
            yield db.session
            db.session.rollback()

    def unfinished(self) -> int:
        """Return how many jobs are not over."""
        with self.looking() as session:
            return session.scalar(select(func.count()).select_from(Job).where(Job.status.in_(UNFINISHED))) or 0

    def jobs_by_status(self) -> dict[str, int]:
        """Return how many jobs stand how."""
        with self.looking() as session:
            rows = session.execute(select(Job.status, func.count()).group_by(Job.status))
            return {str(status): count for status, count in rows}

    def violations(self, *, grace_seconds: float = 60, ignore: Iterable[str] = ()) -> list[Violation]:
        """Judge the run by its evidence."""
        evidence = evidence_of(
            self.app, self.cloud.as_cloud(), self.proxy.calls, self.history.read(), grace_seconds=grace_seconds
        )
        return [each for each in check(evidence) if each.invariant not in set(ignore)]
