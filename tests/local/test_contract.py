"""The promises that would break with another MiniStack or cfn-lint."""

import json
import subprocess
from pathlib import Path

from tests.support.stand_ins import ROOT, cloud_python


def in_cloud_environment(program: str) -> str:
    """What the program prints when run beside MiniStack."""
    done = subprocess.run([cloud_python(), "-c", program], cwd=ROOT / "local", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def test_every_private_name_leaned_on_exists() -> None:
    assert in_cloud_environment("from localcloud.contract import missing_names; print(missing_names())") == "[]"


def test_the_names_checked_are_the_names_used() -> None:
    """A name used but not listed in the contract would fail in the middle of a launch instead of at the start."""
    listed = (ROOT / "local/localcloud/contract.py").read_text()
    for module in ("engine", "stacks", "changesets", "provisioners", "ssm", "persistence"):
        for source in (ROOT / "local/localcloud").glob("*.py"):
            for word in source.read_text().replace("(", " ").replace(",", " ").replace("[", " ").split():
                name = word.split(".")
                if name[0] == module and len(name) > 1 and name[1].startswith("_"):
                    assert f'"{name[1].rstrip(").:]")}"' in listed, f"{word} in {source.name}"


def test_the_signatures_are_those_the_wrappers_expect() -> None:
    program = """
import inspect
from ministack.services.cloudformation import provisioners, stacks
print([list(inspect.signature(f).parameters) for f in (
    provisioners._provision_resource, stacks._update_resource, stacks._delete_resource, stacks._roll_back_operation)])
"""
    assert in_cloud_environment(program) == str(
        [
            ["resource_type", "logical_id", "props", "stack_name"],
            ["resource_type", "physical_id", "old_props", "new_props", "stack_name", "logical_id", "old_attrs"],
            ["resource_type", "physical_id", "props", "stack_name", "logical_id"],
            ["stack_name", "stack_id", "stack", "operation", "reason_override"],
        ]
    )


def test_every_published_type_of_every_region_is_answered(tmp_path: Path) -> None:
    program = f"""
import json, pathlib
from cfnlint.helpers import REGIONS
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER as schemas
from localcloud.published_types import published_types
from localcloud.registry import HANDLERS, register_types
register_types(published_types(pathlib.Path({str(tmp_path)!r})))
published = {{name for region in REGIONS for name in schemas.get_resource_types(region)}}
missing = sorted(n for n in published - HANDLERS.keys() if not n.startswith("AWS::Serverless::") and n != "Module")
print(json.dumps([len(published), missing]))
"""
    count, missing = json.loads(in_cloud_environment(program))
    assert missing == []
    assert count > 1400
