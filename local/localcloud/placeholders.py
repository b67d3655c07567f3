"""Placeholders: resources that exist only in their stack, shaped after their published schema.

A placeholder has a physical id and answers every GetAtt its schema allows; nothing else stands behind it.
Its values depend only on where it stands (account, region, stack, logical id), so an update answers what the
create answered.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from localcloud.published_types import PublishedType

Properties = dict[str, Any]

# Ids people recognise by their beginning. Types that are not here get a name, an ARN or a plain hexadecimal id.
ID_PREFIXES = {
    "AWS::EC2::CustomerGateway": "cgw",
    "AWS::EC2::DHCPOptions": "dopt",
    "AWS::EC2::EgressOnlyInternetGateway": "eigw",
    "AWS::EC2::FlowLog": "fl",
    "AWS::EC2::Instance": "i",
    "AWS::EC2::NatGateway": "nat",
    "AWS::EC2::NetworkAcl": "acl",
    "AWS::EC2::NetworkInterface": "eni",
    "AWS::EC2::PrefixList": "pl",
    "AWS::EC2::SecurityGroupEgress": "sgr",
    "AWS::EC2::SecurityGroupIngress": "sgr",
    "AWS::EC2::TransitGateway": "tgw",
    "AWS::EC2::TransitGatewayAttachment": "tgw-attach",
    "AWS::EC2::Volume": "vol",
    "AWS::EC2::VPCPeeringConnection": "pcx",
    "AWS::EC2::VPNConnection": "vpn",
    "AWS::EC2::VPNGateway": "vgw",
}


def placeholder(name: str, facts: PublishedType) -> dict[str, Callable[..., Any]]:
    """The handlers MiniStack calls for one type. Creating twice answers the same; deleting always succeeds."""

    def create(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, dict[str, Any]]:
        physical_id = physical_id_for(name, facts, logical_id, properties, stack_name)
        return physical_id, attributes_for(name, facts, physical_id, properties)

    def update(physical_id: str, _old: Properties, new: Properties, _stack: str) -> tuple[str, dict[str, Any]]:
        return physical_id, attributes_for(name, facts, physical_id, new)

    def delete(_physical_id: str, _properties: Properties) -> None:
        """Nothing stands behind a placeholder."""

    return {"create": create, "update": update, "delete": delete}


def physical_id_for(
    name: str, facts: PublishedType, logical_id: str, properties: Properties, stack_name: str
) -> str:
    """What Ref answers, in the shape of the type's primary identifier where that has one part."""
    seed = digest(get_account_id(), get_region(), provisioners._physical_name(stack_name, logical_id))
    if name in ID_PREFIXES:
        return f"{ID_PREFIXES[name]}-0{seed[:16]}"
    if name == "AWS::EC2::EIP":
        return _address(seed)
    if len(facts.identifier) != 1:
        return provisioners._physical_name(stack_name, logical_id)
    part = facts.identifier[0]
    if part in facts.generated:
        return _generated_id(name, part, seed)
    given = properties.get(part)
    return given if isinstance(given, str) and given else provisioners._physical_name(stack_name, logical_id)


def _generated_id(name: str, part: str, seed: str) -> str:
    if part.lower().endswith("arn"):
        return arn(name, seed[:12])
    return f"{seed[:8]}-{seed[8:12]}-{seed[12:16]}-{seed[16:20]}-{seed[20:32]}"


def attributes_for(name: str, facts: PublishedType, physical_id: str, properties: Properties) -> dict[str, Any]:
    """Every attribute GetAtt may ask for: the given property, the identifier, or a value that looks the part."""
    found: dict[str, Any] = {}
    for attribute, json_type in facts.attributes.items():
        if [attribute] == facts.identifier:
            found[attribute] = physical_id
        elif isinstance(properties.get(attribute), str | int | list):
            found[attribute] = properties[attribute]
        else:
            found[attribute] = plausible(name, attribute, json_type, physical_id)
    return found


def plausible(name: str, attribute: str, json_type: str, physical_id: str) -> Any:
    """A value of the right type that a template can pass on and a person can recognise as made up."""
    if json_type in ("integer", "number") or attribute.endswith("Port"):
        return 5432 if attribute.lower().endswith("port") else 1
    if json_type == "boolean":
        # CloudFormation hands booleans on as text, and refuses a real boolean as an output.
        return "false"
    if json_type == "array":
        return [_text(name, attribute, f"{physical_id}-{n}") for n in (1, 2)]
    if json_type == "object":
        return {}
    return _text(name, attribute, physical_id)


def _text(name: str, attribute: str, physical_id: str) -> str:
    last = attribute.rsplit(".", 1)[-1]
    short = re.sub(r"[^a-z0-9-]+", "-", physical_id.lower()).strip("-")[-40:].strip("-")
    host = f"{short}.{service(name)}.{get_region()}.amazonaws.com"
    seed = digest(physical_id, attribute)
    if last.lower().endswith("arn"):
        return physical_id if physical_id.startswith("arn:") else arn(name, physical_id)
    if re.search(r"(Ip|IpAddress|IPAddress)$", last):
        return _address(seed)
    if re.search(r"(Url|URL|Uri|URI)$", last):
        return f"https://{host}/"
    if re.search(r"(Endpoint|Address|DnsName|DNSName|DomainName|HostName)s?$", last):
        return host
    if re.search(r"(Time|Date|At|On)$", last):
        return "2026-01-01T00:00:00Z"
    if re.search(r"(Version|Revision)$", last):
        return "1"
    if last.lower().endswith("id"):
        return f"{short[:20]}-{seed[:8]}"
    return f"{physical_id}-{last.lower()}"


def arn(name: str, resource: str) -> str:
    """An ARN of the type, in the account and region of the request."""
    kind = name.rsplit("::", 1)[-1].lower()
    return f"arn:aws:{service(name)}:{get_region()}:{get_account_id()}:{kind}/{resource}"


def service(name: str) -> str:
    """The service as ARNs and host names spell it, which is close to the middle of the type's name."""
    return name.split("::")[1].lower() if name.count("::") > 1 else "cloudformation"


def digest(*parts: str) -> str:
    """Hexadecimal digits that depend on the parts alone."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _address(seed: str) -> str:
    """An address of the range kept for documentation, so that nobody owns it."""
    return f"203.0.113.{int(seed[:4], 16) % 254 + 1}"
