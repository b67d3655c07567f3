"""What a template expects to find in its account: exports it imports, parameters and secrets it resolves.

In a company other stacks would have made them. Here they are laid before the launch, with values guessed from names.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from app.aws.clients import Place
from app.cloudformation.body import Body
from app.cloudformation.evaluator import Evaluator
from app.cloudformation.parameters import parameters
from app.cloudformation.suggestions import World

_DYNAMIC = re.compile(r"\{\{resolve:(ssm|ssm-secure|secretsmanager):([^{}]+)\}\}")
_SECONDS = 20
OF_AWS = "/aws/"
SUBNET, GROUP, NETWORK = "AWS::EC2::Subnet::Id", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::VPC::Id"
ZONE, IMAGE = "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id"


class Needs:
    """What has been laid in one account so far."""

    def __init__(self, cloud_url: str, place: Place, world: World) -> None:
        self.url, self.place, self.world = cloud_url, place, world
        self.exported: set[str] = set()
        self.laid: set[str] = set()

    def lay(self, body: Body, answers: Mapping[str, str]) -> list[str]:
        """Lay what the template needs with these answers, and name it. What is there already stays as it is."""
        evaluator = Evaluator(body, answers, self.world.environment)
        imports = dict.fromkeys(_imports(evaluator, body))
        documents = [evaluator.value(body.section(name)) for name in ("Resources", "Outputs")]
        written = json.dumps([body.document, documents], default=_sketch)
        dynamic = dict.fromkeys(_DYNAMIC.findall(written))
        self._export([name for name in imports if name not in self.exported])
        for service, name in dynamic:
            self._resolve(service, name)
        asked = {answers[each.name]: each.kind.resolves_to for each in parameters(body) if each.is_ssm}
        for name, kind in asked.items():
            self._put(name, self.value_of(name, kind or ""))
        for each in parameters(body):
            if each.type == "AWS::SSM::Parameter::Name":
                self._put(answers[each.name], "example")
        own = [f"ssm {name}" for name in asked if not name.startswith(OF_AWS)]
        return [*(f"export {name}" for name in imports), *(f"{kind} {name}" for kind, name in dynamic), *own]

    def _client(self, service: str) -> Any:
        # A twelve-digit access key is how the local cloud is told which account is meant.
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=self.place.region,
            aws_access_key_id=self.place.account,
            aws_secret_access_key="local",
            config=Config(proxies={}),
        )

    def _export(self, names: list[str]) -> None:
        """Launch a stack that exports the names, as whoever owns the network would."""
        if not names:
            return
        outputs = {
            f"Output{number}": {"Value": self.value_of(name), "Export": {"Name": name}}
            for number, name in enumerate(names)
        }
        nothing = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
        body = json.dumps({"Resources": {"Nothing": nothing}, "Outputs": outputs})
        client = self._client("cloudformation")
        stack = client.create_stack(StackName=f"exports-{len(self.exported)}", TemplateBody=body)["StackId"]
        until = time.monotonic() + _SECONDS
        while client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"] == "CREATE_IN_PROGRESS":
            if time.monotonic() > until:
                raise TimeoutError(f"The stack that exports {', '.join(names)} did not come up.")
            time.sleep(0.02)
        self.exported |= set(names)

    def _resolve(self, service: str, name: str) -> None:
        if service.startswith("ssm"):
            self._put(name.split(":")[0], "example")
            return
        parts = name.split(":")
        key = parts[2] if len(parts) > 2 and parts[2] else "password"
        with _already_there():
            self._client("secretsmanager").create_secret(
                Name=parts[0], SecretString=json.dumps({key: "Correct-Horse-7"})
            )

    def _put(self, name: str, value: str) -> None:
        """Write an SSM parameter; those of AWS itself are there already."""
        if not name or name.startswith(OF_AWS) or name in self.laid:
            return
        self.laid.add(name)
        with _already_there():
            self._client("ssm").put_parameter(Name=name, Value=value, Type="String")

    def value_of(self, name: str, kind: str = "") -> str:
        """Guess what stands behind a name: something of the network, a number, an ARN, or just a word."""
        offered, words = self.world.offered, name.lower()
        for marks, found in (
            (("azs", "zones"), "3" if "number" in words else ",".join(offered[ZONE][:3])),
            (("cidr",), "10.20.0.0/16"),
            (("numberof", "count"), "2"),
            (("routetables",), "rtb-0a1b2c3d4e5f60718,rtb-0a1b2c3d4e5f60719"),
            (("routetable",), "rtb-0a1b2c3d4e5f60718"),
            (("subnets", "subnetids"), ",".join(offered[SUBNET][:3])),
            (("subnet",), offered[SUBNET][_position(name)]),
            (("securitygroup",), offered[GROUP][0]),
            (("vpc",), offered[NETWORK][0]),
            (("ami", "image"), "ami-0a1b2c3d4e5f60718"),
            (("arn",), self.place.role_arn),
            (("version",), "20"),
        ):
            if any(mark in words + kind.lower() for mark in marks):
                return found
        return "example"


def _position(name: str) -> int:
    """Tell the letter or digit a name counts by: SubnetA and SubnetBPrivate are different subnets."""
    counted = re.search(r"ubnet-?([A-C]|[1-3])", name)
    return "ABC123".index(counted[1]) % 3 if counted else 0


def _imports(evaluator: Evaluator, body: Body) -> Iterator[str]:
    """Name the exports that are imported where the answers create something, as far as they decide it."""
    entries = [*body.mapping("Resources").values(), *body.mapping("Outputs").values()]
    waiting: list[Any] = [each for each in entries if _is_wanted(evaluator, each)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = evaluator.value(part["Fn::ImportValue"]) if "Fn::ImportValue" in part else None
            if isinstance(name, str):
                yield name
            waiting += _branch(evaluator, part["Fn::If"]) if "Fn::If" in part else part.values()
        elif isinstance(part, list):
            waiting += part


def _is_wanted(evaluator: Evaluator, entry: dict[str, Any]) -> bool:
    return "Condition" not in entry or evaluator.named_truth(entry["Condition"]) is not False


def _branch(evaluator: Evaluator, argument: Any) -> list[Any]:
    """Give the branch that is taken, or both where that is not known."""
    if not isinstance(argument, list) or len(argument) != 3:
        return []
    truth = evaluator.named_truth(argument[0])
    return [argument[1] if truth else argument[2]] if isinstance(truth, bool) else argument[1:]


def _sketch(value: Any) -> str:
    """Write what only AWS knows as far as it is known: a reference inside may well be."""
    return str(getattr(value, "sketch", value))


class _already_there:  # noqa: N801 - reads as the condition it allows
    """Let what exists already be."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, problem: BaseException | None, _trace: Any) -> bool:
        code = problem.response["Error"]["Code"] if isinstance(problem, ClientError) else ""
        return code in ("ParameterAlreadyExists", "ResourceExistsException")
