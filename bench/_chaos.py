"""The ground for benchmarks that break things: a database to copy and a local cloud, both gone afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import _servers
from tests.support import databases, processes
from tests.support.cloud import Cloud
from tests.support.databases import Template
from tests.support.stand_ins import start_cloud

KINDS = ("sqlite", "postgresql")


@contextmanager
def ground(kind: str) -> Iterator[tuple[Path, Template, Cloud]]:
    """Yield a directory, a migrated database that can be copied, and an empty cloud in which nothing takes time."""
    with _servers.scratch() as directory:
        (directory / "cloud").mkdir()
        process = start_cloud(directory / "cloud")
        try:
            yield directory, databases.TEMPLATES[kind](directory, "main"), Cloud(process, directory / "cloud")
        finally:
            processes.stop(process)
            databases.stop_server(directory)
