"""What the tests here share: a cloud of a module's own, in which nothing takes time."""

from collections.abc import Iterator

import pytest

from tests.support.cloud import Cloud
from tests.support.processes import stop
from tests.support.stand_ins import start_cloud


@pytest.fixture(scope="module")
def module_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An empty cloud, for stages one after the other."""
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)
