"""Availability zones: MiniStack has three in every region, and templates that spread over four find none."""

from typing import Any

from ministack.core.responses import get_region
from ministack.services import ec2

# Regions where an account sees other letters than a, b and c.
LETTERS = {"us-east-1": "abcdef", "us-west-2": "abcd", "us-west-1": "ac", "ap-northeast-1": "acd"}

Answer = tuple[int, dict[str, str], bytes]


def correct_zones() -> None:
    """Put the zones of this module in place."""
    ec2._ACTION_MAP["DescribeAvailabilityZones"] = describe_zones


def zones_of(region: str) -> list[str]:
    """The names of a region's zones."""
    return [f"{region}{letter}" for letter in LETTERS.get(region, "abc")]


def describe_zones(_asked: dict[str, Any]) -> Answer:
    """Answer DescribeAvailabilityZones."""
    region = get_region()
    items = "".join(_item(region, zone) for zone in zones_of(region))
    answer: Answer = ec2._xml(
        200, "DescribeAvailabilityZonesResponse", f"<availabilityZoneInfo>{items}</availabilityZoneInfo>"
    )
    return answer


def _item(region: str, zone: str) -> str:
    facts = {
        "zoneName": zone,
        "zoneState": "available",
        "regionName": region,
        "zoneId": ec2._az_id_for_zone_name(zone),
        "groupName": f"{region}-zg-1",
        "networkBorderGroup": region,
        "optInStatus": "opt-in-not-required",
        "zoneType": "availability-zone",
    }
    return f"<item>{''.join(f'<{name}>{value}</{name}>' for name, value in facts.items())}</item>"
