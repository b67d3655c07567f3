"""What the local cloud keeps through a stop and through a kill, and what it goes on with."""

import time
from pathlib import Path

import psutil

from tests.local.cloud import client, events, launch, outputs, settled
from tests.support.processes import kill, stop
from tests.support.stand_ins import start_cloud

SLOW = "\n".join(
    ["Resources:"]
    + [f"  Topic{n}: {{Type: AWS::SNS::Topic, DependsOn: [{f'Topic{n - 1}' if n else ''}]}}" for n in range(6)]
)
QUEUE = "Resources: {Refunds: {Type: AWS::SQS::Queue}}\nOutputs: {Address: {Value: !Ref Refunds}}"


def test_a_stop_is_quick_and_keeps_everything(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path)
    before = launch(client(cloud), "queue", QUEUE)
    client(cloud, "s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    assert stop(cloud, seconds=3) == 0

    again = start_cloud(tmp_path, port=cloud.port)
    try:
        # Work rather than time: other tests may share the machine.
        spent = psutil.Process(again.pid).cpu_times()
        assert spent.user + spent.system < 3
        after = settled(client(again), "queue")
        assert (after["StackId"], outputs(after)) == (before["StackId"], outputs(before))
        assert client(again, "sqs").get_queue_attributes(QueueUrl=outputs(after)["Address"])
        assert "kept" in [bucket["Name"] for bucket in client(again, "s3").list_buckets()["Buckets"]]
    finally:
        stop(again)


def test_a_kill_keeps_what_is_older_than_a_few_seconds(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path)
    before = launch(client(cloud), "queue", QUEUE)
    time.sleep(4)
    kill(cloud)
    again = start_cloud(tmp_path)
    try:
        assert settled(client(again), "queue")["StackId"] == before["StackId"]
    finally:
        stop(again)


def test_a_stack_in_progress_goes_on_at_the_next_start(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path, pace=0.4)
    client(cloud).create_stack(StackName="slow", TemplateBody=SLOW)
    time.sleep(1)
    stop(cloud)
    again = start_cloud(tmp_path)
    try:
        assert settled(client(again), "slow")["StackStatus"] == "CREATE_COMPLETE"
        complete = [name for name, status, _ in events(client(again), "slow") if status == "CREATE_COMPLETE"]
        assert complete == [*[f"Topic{n}" for n in range(6)], "slow"]
    finally:
        stop(again)


def test_a_delete_in_progress_goes_on_at_the_next_start(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path, pace=0.2)
    stack = launch(client(cloud), "slow", SLOW)
    client(cloud).delete_stack(StackName="slow")
    time.sleep(0.3)
    stop(cloud)
    again = start_cloud(tmp_path)
    try:
        assert settled(client(again), stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    finally:
        stop(again)


def test_a_rollback_in_progress_goes_on_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "faults.yaml").write_text("- {logical_id: Topic5, reason: No more topics., times: 1}")
    cloud = start_cloud(tmp_path, pace=0.3)
    client(cloud).create_stack(StackName="slow", TemplateBody=SLOW)
    while client(cloud).describe_stacks(StackName="slow")["Stacks"][0]["StackStatus"] != "ROLLBACK_IN_PROGRESS":
        time.sleep(0.05)
    stop(cloud)
    again = start_cloud(tmp_path)
    try:
        assert settled(client(again), "slow")["StackStatus"] == "ROLLBACK_COMPLETE"
        gone = [name for name, status, _ in events(client(again), "slow") if status == "DELETE_COMPLETE"]
        assert sorted(gone) == [f"Topic{n}" for n in range(5)]
    finally:
        stop(again)


def test_pace_takes_time_and_stacks_share_it(tmp_path: Path) -> None:
    cloud = start_cloud(tmp_path, pace=0.3)
    try:
        began = time.monotonic()
        for number in range(4):
            client(cloud).create_stack(StackName=f"slow-{number}", TemplateBody=SLOW)
        for number in range(4):
            assert settled(client(cloud), f"slow-{number}")["StackStatus"] == "CREATE_COMPLETE"
        assert 6 * 0.3 * 0.8 < time.monotonic() - began < 4 * 6 * 0.3 * 0.8
    finally:
        stop(cloud)
