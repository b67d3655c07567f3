"""What an account holds before anybody launches anything: a network, a key pair, a machine, a zone, parameters, the
role the portal assumes. The same in every account and region of the demo organisation, and laid only where missing.
"""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from ministack.services import ssm

from localcloud.zones import zones_of

ZONE = "seabright.example."
ROLE = "slipway-launch"
TRUST = """{
  "Version": "2012-10-17",
  "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]
}"""
MARK = "/slipway/example/seeded"

# Name, the first two numbers of its addresses.
NETWORKS = (("payments", "10.20"), ("orders", "10.30"))
# Public subnets lie in the first zones only, private ones in every zone of the region. The third number of their
# addresses counts from these.
PUBLIC_ZONES, PUBLIC_FROM, PRIVATE_FROM = 2, 0, 10
# Name, what it is for, the port it opens to the network.
GROUPS = (
    ("web", "From browsers to load balancers", 443),
    ("app", "From load balancers to services", 8080),
    ("data", "From services to databases", 5432),
)
PARAMETERS = {
    "/slipway/example/image-tag": "2026.11",
    "/slipway/example/log-level": "info",
    "/slipway/example/alert-topic": "platform-alerts",
    MARK: "yes",
}

Client = Callable[[str], Any]


def seed_organisation(accounts: list[dict[str, Any]], port: int) -> None:
    """Lay the seed in every account and region. Repeating it changes nothing."""
    for account in accounts:
        for position, region in enumerate(account["regions"]):
            if not _is_seeded(account["number"], region):
                client = _clients(account["number"], region, port)
                # The zone and the role belong to the account as a whole.
                if position == 0:
                    _seed_account(client)
                _seed_region(client, region)


def _is_seeded(number: str, region: str) -> bool:
    return ssm._parameters.get_scoped(number, region, MARK) is not None


def _clients(number: str, region: str, port: int) -> Client:
    # A twelve-digit access key is how MiniStack is told which account is meant.
    session = boto3.Session(aws_access_key_id=number, aws_secret_access_key="local", region_name=region)  # noqa: S106 - no secret
    config = Config(retries={"max_attempts": 3}, proxies={})
    return lambda name: session.client(name, endpoint_url=f"http://127.0.0.1:{port}", config=config)


def _seed_account(client: Client) -> None:
    client("route53").create_hosted_zone(Name=ZONE, CallerReference="slipway-seed")
    client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=TRUST, Description="What Slipway launches as")


def _seed_region(client: Client, region: str) -> None:
    ec2 = client("ec2")
    ec2.create_key_pair(KeyName="platform")
    for name, block in NETWORKS:
        _seed_network(ec2, region, name, block)
    parameters = client("ssm")
    for name, value in PARAMETERS.items():
        parameters.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def _seed_network(ec2: Any, region: str, name: str, block: str) -> None:
    vpc = ec2.create_vpc(CidrBlock=f"{block}.0.0/16", TagSpecifications=_named("vpc", name))["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{block}.{number}.0/24",
            AvailabilityZone=zone,
            TagSpecifications=_named("subnet", f"{name}-{tier}-{zone[-1]}"),
        )["Subnet"]["SubnetId"]
        for tier, zone, number in _subnets(zones_of(region))
    ]
    for group, purpose, port in GROUPS:
        _seed_group(ec2, vpc, f"{name}-{group}", purpose, f"{block}.0.0/16", port)
    _seed_machine(ec2, region, name, subnets[-1])


def _subnets(zones: list[str]) -> list[tuple[str, str, int]]:
    public = [("public", zone, PUBLIC_FROM + number) for number, zone in enumerate(zones[:PUBLIC_ZONES])]
    return [*public, *(("private", zone, PRIVATE_FROM + number) for number, zone in enumerate(zones))]


def _seed_group(ec2: Any, vpc: str, name: str, purpose: str, block: str, port: int) -> None:
    group = ec2.create_security_group(
        GroupName=name, Description=purpose, VpcId=vpc, TagSpecifications=_named("security-group", name)
    )["GroupId"]
    allowed = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": block}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[allowed])


def _seed_machine(ec2: Any, region: str, name: str, subnet: str) -> None:
    ec2.run_instances(
        ImageId="ami-0abcdef1234567890",
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        KeyName="platform",
        TagSpecifications=_named("instance", f"{name}-bastion"),
    )
    ec2.create_volume(AvailabilityZone=f"{region}a", Size=20, TagSpecifications=_named("volume", f"{name}-data"))


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
