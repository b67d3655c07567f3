"""Choices for AWS-typed parameters, read from the target account and region."""

import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from app.aws.clients import Place, client
from app.aws.errors import CloudProblem, translated

MOST_CHOICES = 500


@dataclass(frozen=True)
class Choice:
    """One value a person may pick: the id CloudFormation gets, a name to read, a detail, and its attributes."""

    value: str
    label: str
    detail: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choices:
    """What the account answered. `problem` is set when it could not be read: then anything may be typed."""

    items: tuple[Choice, ...] = ()
    problem: str = ""
    read_at: float = 0.0


_kept: dict[tuple[Place, str], tuple[float, Choices]] = {}
_lock = threading.Lock()


def choices(place: Place, kind: str, session_name: str) -> Choices:
    """Return what may be picked for a lookup kind such as `AWS::EC2::VPC::Id`; never raises for a cloud's refusal.

    The answer is kept for LOOKUP_SECONDS, so that checking a form while somebody types asks the account only once.
    """
    keep = current_app.extensions["config"].number("LOOKUP_SECONDS")
    with _lock:
        read_at, found = _kept.get((place, kind), (0.0, None))
    if found is not None and time.monotonic() - read_at < keep:
        return found
    try:
        found = Choices(tuple(READERS[kind](place, session_name))[:MOST_CHOICES], read_at=time.time())
    except CloudProblem as problem:
        found = Choices(problem=problem.sentence, read_at=time.time())
        keep = 0
    if keep:
        with _lock:
            _kept[place, kind] = (time.monotonic(), found)
    return found


def attribute(place: Place, kind: str, value: str, name: str, session_name: str) -> str | None:
    """Return an attribute of a picked thing (`VpcId` of a subnet), or None when nobody knows."""
    if kind not in READERS:
        return None
    for choice in choices(place, kind, session_name).items:
        if choice.value == value:
            return choice.attributes.get(name)
    return None


def existing(place: Place, kind: str, session_name: str) -> list[str] | None:
    """Return every value of a kind the account has, or None when it could not be read."""
    if kind not in READERS:
        return None
    found = choices(place, kind, session_name)
    return None if found.problem else [choice.value for choice in found.items]


def _ec2(place: Place, session_name: str) -> Any:
    return client("ec2", place, session_name, quick=True)


def _tags(thing: dict[str, Any]) -> dict[str, str]:
    return {f"Tags.{tag['Key']}": tag["Value"] for tag in thing.get("Tags", [])}


def _name(thing: dict[str, Any]) -> str:
    return _tags(thing).get("Tags.Name", "")


def _zones(place: Place, session_name: str) -> list[Choice]:
    with translated():
        zones = _ec2(place, session_name).describe_availability_zones()["AvailabilityZones"]
    return [Choice(zone["ZoneName"], zone["ZoneName"]) for zone in zones]


def _vpcs(place: Place, session_name: str) -> list[Choice]:
    with translated():
        vpcs = _ec2(place, session_name).describe_vpcs()["Vpcs"]
    return [Choice(vpc["VpcId"], _name(vpc) or vpc["VpcId"], vpc.get("CidrBlock", ""), _tags(vpc)) for vpc in vpcs]


def _subnets(place: Place, session_name: str) -> list[Choice]:
    with translated():
        subnets = _ec2(place, session_name).describe_subnets()["Subnets"]
    return [
        Choice(
            subnet["SubnetId"],
            _name(subnet) or subnet["SubnetId"],
            f"{subnet['AvailabilityZone']} · {subnet.get('CidrBlock', '')}",
            {"VpcId": subnet["VpcId"], "AvailabilityZone": subnet["AvailabilityZone"], **_tags(subnet)},
        )
        for subnet in subnets
    ]


def _security_groups(place: Place, session_name: str) -> list[Choice]:
    with translated():
        groups = _ec2(place, session_name).describe_security_groups()["SecurityGroups"]
    return [Choice(group["GroupId"], group["GroupName"], group.get("VpcId", ""), _tags(group)) for group in groups]


def _security_group_names(place: Place, session_name: str) -> list[Choice]:
    with translated():
        groups = _ec2(place, session_name).describe_security_groups()["SecurityGroups"]
    return [Choice(group["GroupName"], group["GroupName"], group["GroupId"]) for group in groups]


def _images(place: Place, session_name: str) -> list[Choice]:
    with translated():
        images = _ec2(place, session_name).describe_images(Owners=["self", "amazon"], MaxResults=100)["Images"]
    return [Choice(image["ImageId"], image.get("Name") or image["ImageId"]) for image in images]


def _instances(place: Place, session_name: str) -> list[Choice]:
    with translated():
        reservations = _ec2(place, session_name).describe_instances()["Reservations"]
    instances = [instance for reservation in reservations for instance in reservation["Instances"]]
    return [
        Choice(instance["InstanceId"], _name(instance) or instance["InstanceId"], instance.get("InstanceType", ""))
        for instance in instances
    ]


def _key_pairs(place: Place, session_name: str) -> list[Choice]:
    with translated():
        pairs = _ec2(place, session_name).describe_key_pairs()["KeyPairs"]
    return [Choice(pair["KeyName"], pair["KeyName"]) for pair in pairs]


def _volumes(place: Place, session_name: str) -> list[Choice]:
    with translated():
        volumes = _ec2(place, session_name).describe_volumes()["Volumes"]
    return [
        Choice(volume["VolumeId"], _name(volume) or volume["VolumeId"], f"{volume.get('Size', '?')} GiB")
        for volume in volumes
    ]


def _hosted_zones(place: Place, session_name: str) -> list[Choice]:
    with translated():
        zones = client("route53", place, session_name, quick=True).list_hosted_zones()["HostedZones"]
    return [Choice(zone["Id"].removeprefix("/hostedzone/"), zone["Name"].rstrip(".")) for zone in zones]


def _ssm_names(place: Place, session_name: str) -> list[Choice]:
    with translated():
        pages = client("ssm", place, session_name, quick=True).get_paginator("describe_parameters").paginate()
        names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    return [Choice(name, name) for name in sorted(names)]


READERS = {
    "AWS::EC2::AvailabilityZone::Name": _zones,
    "AWS::EC2::Image::Id": _images,
    "AWS::EC2::Instance::Id": _instances,
    "AWS::EC2::KeyPair::KeyName": _key_pairs,
    "AWS::EC2::SecurityGroup::GroupName": _security_group_names,
    "AWS::EC2::SecurityGroup::Id": _security_groups,
    "AWS::EC2::Subnet::Id": _subnets,
    "AWS::EC2::Volume::Id": _volumes,
    "AWS::EC2::VPC::Id": _vpcs,
    "AWS::Route53::HostedZone::Id": _hosted_zones,
    "AWS::SSM::Parameter::Name": _ssm_names,
}
