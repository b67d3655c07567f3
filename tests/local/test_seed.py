"""What every account and region holds before anybody launches anything."""

from pathlib import Path

import pytest
import yaml

from tests.local.cloud import client, launch
from tests.support.processes import Process, stop
from tests.support.stand_ins import ROOT, start_cloud

ACCOUNTS = yaml.safe_load((ROOT / "local/demo.yaml").read_text())["accounts"]
PLACES = [(account["number"], region) for account in ACCOUNTS for region in account["regions"]]


def names(found: list[dict]) -> set[str]:  # type: ignore[type-arg] # boto3 answers untyped dictionaries
    """The Name tags."""
    return {tag["Value"] for item in found for tag in item.get("Tags", []) if tag["Key"] == "Name"}


@pytest.mark.parametrize(("account", "region"), PLACES)
def test_there_is_a_network_to_launch_into(cloud: Process, account: str, region: str) -> None:
    ec2 = client(cloud, "ec2", account=account, region=region)
    assert {"payments", "orders"} <= names(ec2.describe_vpcs()["Vpcs"])
    subnets = ec2.describe_subnets()["Subnets"]
    assert {"payments-public-a", "payments-private-c"} <= names(subnets)
    assert {subnet["AvailabilityZone"][:-1] for subnet in subnets} == {region}
    assert {"payments-web", "orders-data"} <= names(ec2.describe_security_groups()["SecurityGroups"])
    assert [pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"]] == ["platform"]
    machines = [machine for group in ec2.describe_instances()["Reservations"] for machine in group["Instances"]]
    assert names(machines) == {"payments-bastion", "orders-bastion"}
    assert {"payments-data", "orders-data"} <= names(ec2.describe_volumes()["Volumes"])


@pytest.mark.parametrize(("account", "region"), PLACES)
def test_there_are_parameters_images_a_zone_and_the_role(cloud: Process, account: str, region: str) -> None:
    def of(service: str):  # type: ignore[no-untyped-def] # boto3 clients have no type
        return client(cloud, service, account=account, region=region)

    name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
    assert of("ssm").get_parameter(Name="/slipway/example/log-level")["Parameter"]["Value"] == "info"
    assert of("ssm").get_parameter(Name=name)["Parameter"]["Value"].startswith("ami-0")
    assert [zone["Name"] for zone in of("route53").list_hosted_zones()["HostedZones"]] == ["seabright.example."]
    role = f"arn:aws:iam::{account}:role/slipway-launch"
    assert of("iam").get_role(RoleName="slipway-launch")["Role"]["Arn"] == role
    assert (
        of("sts")
        .assume_role(RoleArn=role, RoleSessionName="job-1")["AssumedRoleUser"]["Arn"]
        .startswith(f"arn:aws:sts::{account}:assumed-role/slipway-launch/")
    )


def test_a_second_start_lays_nothing_twice(tmp_path: Path) -> None:
    stop(start_cloud(tmp_path))
    again = start_cloud(tmp_path)
    try:
        found = client(again, "ec2").describe_vpcs()["Vpcs"]
        assert len([vpc for vpc in found if names([vpc]) == {"payments"}]) == 1
    finally:
        stop(again)


def test_accounts_and_regions_are_apart(cloud: Process) -> None:
    topic = "Resources: {Topic: {Type: AWS::SNS::Topic}}"
    for account, region in PLACES:
        assert launch(client(cloud, account=account, region=region), "apart", topic)["StackStatus"] == "CREATE_COMPLETE"
    ids = {
        client(cloud, account=account, region=region).describe_stacks(StackName="apart")["Stacks"][0]["StackId"]
        for account, region in PLACES
    }
    assert len(ids) == len(PLACES)
