"""What the tests here share: a cloud of a module's own, in which nothing takes time."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cloud import Cloud
from tests.support.databases import PostgresqlTemplate
from tests.support.processes import stop
from tests.support.stand_ins import start_cloud


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An empty cloud, for stages one after the other."""
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)


@pytest.fixture(scope="session")
def postgresql(run_directory: Path, request: pytest.FixtureRequest) -> PostgresqlTemplate:
    """A migrated database on PostgreSQL, for what can only be seen there."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return PostgresqlTemplate(run_directory, f"{worker}_alone")
