"""The proxy before the local cloud: it passes calls on, writes them down, and breaks those it is told to break."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError
from botocore.parsers import ResponseParserError

from tests.chaos.calls import read_calls
from tests.chaos.cloud_faults import Faults
from tests.chaos.cloud_proxy import CloudProxy
from tests.support.processes import Process, stop
from tests.support.stand_ins import start_cloud

pytestmark = pytest.mark.chaos

BODY = '{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}'
ACCOUNT = "111122223333"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    process = start_cloud(tmp_path_factory.mktemp("cloud"))
    yield process
    stop(process)


@pytest.fixture
def proxy(cloud: Process, tmp_path: Path) -> Iterator[CloudProxy]:
    with CloudProxy(cloud.port, tmp_path / "calls.jsonl") as proxy:
        yield proxy


@pytest.fixture
def client(proxy: CloudProxy) -> Callable[..., Any]:
    """Clients that go through the proxy and try only once."""

    def make(service: str = "cloudformation", key: str = ACCOUNT, **more: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=proxy.url,
            region_name="eu-west-1",
            aws_access_key_id=key,
            aws_secret_access_key="any",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=5, proxies={}),
            **more,
        )

    return make


@pytest.fixture
def aws(client: Callable[..., Any]) -> Any:
    return client()


def plan(aws: Any, name: str) -> dict[str, Any]:
    return aws.create_change_set(
        StackName=name,
        ChangeSetName=f"p-{name}-plan-1",
        ChangeSetType="CREATE",
        TemplateBody=BODY,
        ClientToken=f"p-{name}-plan-1",
        Tags=[{"Key": "owner", "Value": "payments"}, {"Key": "slipway:stack", "Value": f"stk_{name}"}],
    )


def exists(aws: Any, name: str) -> bool:
    try:
        return bool(aws.describe_stacks(StackName=name)["Stacks"])
    except ClientError:
        return False


def test_writes_down_who_asked_for_what(proxy: CloudProxy, aws: Any, tmp_path: Path) -> None:
    made = plan(aws, "orders")
    aws.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="p-orders-execute-1")
    created, executed = proxy.calls
    assert (created.operation, created.stack, created.token) == ("CreateChangeSet", "orders", "p-orders-plan-1")
    assert (created.tag_ref, created.outcome, created.happened) == ("stk_orders", "ok", True)
    assert (executed.change_set, executed.stack_id) == (made["Id"], made["StackId"])
    assert created.stack_id == made["StackId"]
    assert read_calls(tmp_path / "calls.jsonl") == proxy.calls


def test_knows_the_account_behind_an_assumed_role(proxy: CloudProxy, client: Callable[..., Any]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/slipway-launch"
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="dana")["Credentials"]
    client(key=given["AccessKeyId"], aws_session_token=given["SessionToken"]).describe_stacks()
    call = proxy.calls[-1]
    assert (call.operation, call.account, call.region) == ("DescribeStacks", ACCOUNT, "eu-west-1")


def test_passes_other_services(client: Callable[..., Any], proxy: CloudProxy) -> None:
    proxy.faults.set("*", throttle=1)
    s3 = client("s3")
    s3.create_bucket(Bucket="ledgers", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="ledgers", Key="2026", Body=b"x" * 300_000)
    assert s3.get_object(Bucket="ledgers", Key="2026")["Body"].read() == b"x" * 300_000
    assert client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert proxy.calls == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("throttle", "Throttling"),
        ("error", "ServiceUnavailable"),
        ("expired", "ExpiredToken"),
        ("denied", "AccessDenied"),
    ],
)
def test_refuses(proxy: CloudProxy, aws: Any, kind: str, code: str) -> None:
    proxy.faults.once("CreateChangeSet", kind)
    with pytest.raises(ClientError) as refused:
        plan(aws, f"refused-{kind}")
    assert refused.value.response["Error"]["Code"] == code
    assert not exists(aws, f"refused-{kind}")
    assert [(call.outcome, call.happened, call.fault) for call in proxy.calls[:1]] == [(code, False, kind)]


@pytest.mark.parametrize(("seed", "problem"), [(2, ClientError), (1, ConnectionClosedError)])
def test_does_it_and_says_it_failed(proxy: CloudProxy, aws: Any, seed: int, problem: type[Exception]) -> None:
    proxy.faults = Faults(seed)
    proxy.faults.once("CreateChangeSet", "execute_then_fail")
    with pytest.raises(problem):
        plan(aws, f"done-{seed}")
    assert exists(aws, f"done-{seed}")
    assert proxy.calls[0].happened
    assert proxy.calls[0].outcome in ("InternalFailure", "unanswered")
    assert proxy.calls[0].stack_id.startswith("arn:")


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_leaves_unanswered(proxy: CloudProxy, aws: Any, kind: str) -> None:
    proxy.faults = Faults(hang_seconds=0.2)
    proxy.faults.once("CreateChangeSet", kind)
    with pytest.raises((HTTPClientError, ConnectionClosedError)):
        plan(aws, f"silent-{kind}")
    assert not exists(aws, f"silent-{kind}")
    assert (proxy.calls[0].outcome, proxy.calls[0].happened) == ("unanswered", False)


def test_garbles(proxy: CloudProxy, aws: Any) -> None:
    proxy.faults.once("DescribeStacks", "garbled")
    with pytest.raises(ResponseParserError):
        aws.describe_stacks()


def test_answers_from_before(proxy: CloudProxy, aws: Any) -> None:
    made = plan(aws, "stale")
    before = aws.describe_stacks(StackName="stale")["Stacks"][0]["StackStatus"]
    aws.execute_change_set(ChangeSetName=made["Id"])
    proxy.faults.once("DescribeStacks", "stale")
    assert aws.describe_stacks(StackName="stale")["Stacks"][0]["StackStatus"] == before == "REVIEW_IN_PROGRESS"
    assert aws.describe_stacks(StackName="stale")["Stacks"][0]["StackStatus"] != before


def test_draws_the_same_faults_from_the_same_seed() -> None:
    def drawn(seed: int) -> list[str]:
        faults = Faults(seed, {"*": {"throttle": 0.3, "execute_then_fail": 0.2}})
        return [faults.choose("cloudformation", "DescribeStacks").kind for _ in range(1000)]

    assert drawn(7) == drawn(7) != drawn(8)
    assert 250 < drawn(7).count("throttle") < 350
    assert 150 < drawn(7).count("execute_then_fail") < 250


def test_pauses(proxy: CloudProxy, aws: Any) -> None:
    proxy.faults.set("*", error=1)
    proxy.faults.pause()
    aws.describe_stacks()
    proxy.faults.resume()
    with pytest.raises(ClientError):
        aws.describe_stacks()


def test_cuts_while_the_cloud_is_away(tmp_path: Path) -> None:
    with CloudProxy(9, tmp_path / "calls.jsonl") as proxy:
        aws = boto3.client(
            "cloudformation", endpoint_url=proxy.url, region_name="eu-west-1", aws_access_key_id=ACCOUNT,
            aws_secret_access_key="any", config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )  # fmt: skip
        with pytest.raises(ConnectionClosedError):
            aws.describe_stacks()
        assert [call.outcome for call in proxy.calls] == ["unanswered"]


def test_keeps_up_with_thousands_of_calls_a_minute(aws: Any) -> None:
    began = time.monotonic()
    for _ in range(200):
        aws.describe_stacks()
    assert time.monotonic() - began < 6
