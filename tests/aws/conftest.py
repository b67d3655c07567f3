"""A local cloud and a client of it, past the portal; a stubbed client for what that cloud cannot be made to say."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.support.cloud import Cloud
from tests.support.processes import stop
from tests.support.stand_ins import start_cloud


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    data = tmp_path_factory.mktemp("cloud")
    process = start_cloud(data)
    yield Cloud(process, data)
    stop(process)


@pytest.fixture
def cloud(running_cloud: Cloud) -> Iterator[Cloud]:
    """The cloud, where nothing fails until the test says so."""
    yield running_cloud
    running_cloud.faults()


@pytest.fixture
def stubbed() -> Iterator[tuple[Any, Stubber]]:
    """A CloudFormation client that is given its answers by the test."""
    client = boto3.client(
        "cloudformation", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
    )
    with Stubber(client) as stubber:
        yield client, stubber
