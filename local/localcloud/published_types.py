"""What CloudFormation's published schemas say about each resource type, reduced to what a placeholder needs.

Reading 1,500 schemas takes seconds, so the reduction is kept as a file named after cfn-lint's version, which
carries the schemas.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from localcloud.files import write_whole

# Raised whenever PublishedType changes shape, so that a kept file of the old shape is not read.
SHAPE = 3


@dataclass(frozen=True)
class PublishedType:
    """One resource type: what identifies it, what GetAtt may ask of it, which changes replace it.

    `attributes` maps the dotted name GetAtt uses to a JSON type. `replacing` and `maybe_replacing` are names of
    top-level properties. `open_under` begins the names GetAtt may ask for although the schema cannot list them
    ("Outputs." of a nested stack). `integers` are top-level properties that hold whole numbers.
    """

    identifier: list[str] = field(default_factory=list)
    generated: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    replacing: list[str] = field(default_factory=list)
    maybe_replacing: list[str] = field(default_factory=list)
    open_under: list[str] = field(default_factory=list)
    integers: list[str] = field(default_factory=list)


def published_types(data: Path) -> dict[str, PublishedType]:
    """Every published type by name, from the file kept of an earlier start or else from the schemas themselves."""
    # What the file says depends on this environment alone, so it lies there, unless that is not ours to write to.
    directory = Path(sys.prefix) if os.access(sys.prefix, os.W_OK) else data
    kept = directory / f"published-types-{SHAPE}-{version('cfn-lint')}.json"
    if kept.exists():
        return {name: PublishedType(**facts) for name, facts in json.loads(kept.read_text()).items()}
    types = _read_schemas()
    write_whole(kept, json.dumps({name: asdict(facts) for name, facts in types.items()}))
    return types


def _read_schemas() -> dict[str, PublishedType]:
    # Imported here because it alone takes most of a second, and a second start does not need it.
    from cfnlint.helpers import REGIONS
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    home: dict[str, str] = {}
    for region in REGIONS:
        for name in PROVIDER_SCHEMA_MANAGER.get_resource_types(region):
            home.setdefault(name, region)
    return {
        name: _reduce(PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, name))
        for name, region in home.items()
        if name.startswith(("AWS::", "Alexa::", "AMZN::")) and not name.startswith("AWS::Serverless::")
    }


def _reduce(schema: Any) -> PublishedType:
    body = schema.schema
    created = [_path(pointer) for pointer in body.get("createOnlyProperties") or []]
    conditional = [_path(pointer) for pointer in body.get("conditionalCreateOnlyProperties") or []]
    nested = [path for path in created if len(path) > 1]
    return PublishedType(
        identifier=[".".join(_path(pointer)) for pointer in body.get("primaryIdentifier") or []],
        generated=[".".join(_path(pointer)) for pointer in body.get("readOnlyProperties") or []],
        attributes={
            name.replace("\\", ""): _json_type(body, _path(pointer))
            for name, pointer in schema.get_atts.items()
            if "*" not in name
        },
        replacing=[path[0] for path in created if len(path) == 1],
        maybe_replacing=sorted({path[0] for path in [*conditional, *nested]}),
        integers=[name for name in body.get("properties", {}) if _json_type(body, [name]) == "integer"],
        open_under=[name.replace("\\", "").split("*")[0].rstrip(".") for name in schema.get_atts if "*" in name],
    )


def _path(pointer: str) -> list[str]:
    return pointer.split("/")[2:]


def _json_type(body: dict[str, Any], path: list[str]) -> str:
    """The JSON type found at the path; "string" where the schema is silent or offers a choice."""
    node = body
    for name in path:
        node = _resolved(body, node).get("properties", {}).get(name, {})
    kinds = _resolved(body, node).get("type", "string")
    return kinds if isinstance(kinds, str) else "string"


def _resolved(body: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    seen = 0
    while "$ref" in node and seen < 10:
        node = body.get("definitions", {}).get(node["$ref"].rsplit("/", 1)[-1], {})
        seen += 1
    return node
