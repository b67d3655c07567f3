"""One local cloud and one identity provider for all tests of this folder that do not stop theirs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.cloud import client
from tests.support.processes import Process, stop
from tests.support.stand_ins import start_cloud, start_idp

PORTAL = "http://localhost:9/signed-in"
SIGNED_OUT = "http://localhost:9/signed-out"


@pytest.fixture(scope="session")
def cloud_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared cloud keeps its state, and where its fault rules go."""
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="session")
def cloud(cloud_data: Path) -> Iterator[Process]:
    """A local cloud without pace."""
    process = start_cloud(cloud_data)
    yield process
    stop(process)


@pytest.fixture
def cloudformation(cloud: Process) -> Any:
    """CloudFormation of the non-production account, in Ireland."""
    return client(cloud)


@pytest.fixture(scope="session")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The identity provider, knowing a portal that is not there."""
    process = start_idp(tmp_path_factory.mktemp("idp"), redirect_uris=[PORTAL], post_logout_uri=SIGNED_OUT)
    yield process
    stop(process)
