"""Placeholders: resources that exist only in their stack, shaped after their published schema.

A placeholder has a physical id and answers every GetAtt its schema allows; nothing else stands behind it.
Its values depend only on where it stands (account, region, stack, logical id), so an update answers what the
create answered.
"""

import hashlib
import re
from dataclasses import replace
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudformation
from ministack.services.cloudformation import engine, provisioners

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


# A custom resource's provider is code, which never runs here. It always succeeds, and answers whatever it is asked.
CUSTOM = PublishedType(open_under=[""])


def placeholder(name: str, facts: PublishedType) -> dict[str, Any]:
    """The handlers MiniStack calls for one type. Creating twice answers the same; deleting always succeeds."""

    def create(logical_id: str, properties: Properties, stack_name: str) -> tuple[str, Properties]:
        physical_id = physical_id_for(name, facts, logical_id, properties, stack_name)
        return update(physical_id, {}, properties, stack_name, logical_id)

    def update(
        physical_id: str, _old: Properties, new: Properties, stack_name: str, logical_id: str
    ) -> tuple[str, Properties]:
        asked = dict.fromkeys(_asked_of(stack_name, logical_id, facts.open_under), "string")
        whole = replace(facts, attributes={**asked, **facts.attributes})
        return physical_id, attributes_for(name, whole, physical_id, new)

    def delete(_physical_id: str, _properties: Properties) -> None:
        """Nothing stands behind a placeholder."""

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _asked_of(stack_name: str, logical_id: str, open_under: list[str]) -> list[str]:
    """The attributes the stack's template asks of the resource, where the schema leaves their names open."""
    if not open_under:
        return []
    stack = cloudformation._stacks.get(stack_name) or {}
    template = stack.get("_deploying") or stack.get("_template") or {}
    asked = engine._intrinsic_references([template.get("Resources"), template.get("Outputs")])
    return [name for who, name in asked if who == logical_id and name and name.startswith(tuple(open_under))]


def physical_id_for(name: str, facts: PublishedType, logical_id: str, properties: Properties, stack_name: str) -> str:
    """What Ref answers, in the shape of the type's primary identifier where that has one part."""
    seed = digest(get_account_id(), get_region(), provisioners._physical_name(stack_name, logical_id))
    if name in ID_PREFIXES:
        return f"{ID_PREFIXES[name]}-0{seed[:16]}"
    if name == "AWS::EC2::EIP":
        return _address(seed)
    if name == "AWS::CloudFormation::WaitConditionHandle":
        return f"https://cloudformation-waitcondition-{get_region()}.s3.amazonaws.com/{stack_name}/{seed}"
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
    if "cidr" in attribute.lower():
        block = _network(attribute, digest(physical_id))
        return [block] if json_type == "array" else block
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


def _network(attribute: str, seed: str) -> str:
    """A block a template may cut into subnets."""
    return f"2001:db8:{seed[:4]}:{seed[4:6]}00::/56" if "6" in attribute else "10.20.0.0/16"


def _address(seed: str) -> str:
    """An address of the range kept for documentation, so that nobody owns it."""
    return f"203.0.113.{int(seed[:4], 16) % 254 + 1}"
