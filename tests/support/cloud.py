"""The local cloud as a test sees it: clients of an account, fault rules, what lies there."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from app.stacks.models import Stack
from tests.support.processes import Process

ACCOUNT = "111122223333"
REGION = "eu-west-1"


@dataclass
class Cloud:
    """A running local cloud; `data` is where it keeps its state."""

    process: Process
    data: Path

    @property
    def url(self) -> str:
        return self.process.url

    def client(self, service: str = "cloudformation", account: str = ACCOUNT, region: str = REGION) -> Any:
        """A client of one service, past the portal."""
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key="any",
            config=Config(retries={"max_attempts": 1}, proxies={}),
        )

    def faults(self, *rules: dict[str, Any]) -> None:
        """Let resources fail, or take their time, from here on; without rules nothing fails any more."""
        (self.data / "faults.yaml").write_text(yaml.safe_dump(list(rules)))

    def find(self, stack: Stack) -> dict[str, Any] | None:
        """What the cloud says of the portal's stack under its name; None when there is none."""
        with contextlib.suppress(ClientError):
            found: dict[str, Any] = self.client().describe_stacks(StackName=stack.cloud_name)["Stacks"][0]
            return found
        return None

    def status(self, stack: Stack) -> str | None:
        found = self.find(stack)
        return found["StackStatus"] if found else None

    def settle(self, stack: Stack) -> str | None:
        """Wait until nothing of the stack moves; return how it stands."""
        while (status := self.status(stack)) and status.endswith("_IN_PROGRESS"):
            time.sleep(0.01)
        return status

    def wait_for(self, stack: Stack, logical_id: str, status: str, seconds: float = 20) -> None:
        """Wait until a resource of the stack has this status."""
        deadline = time.monotonic() + seconds
        while (logical_id, status) not in self.resources(stack):
            assert time.monotonic() < deadline, self.resources(stack)
            time.sleep(0.01)

    def resources(self, stack: Stack) -> list[tuple[str, str]]:
        """Logical ids and statuses, as the cloud lists them."""
        found = self.client().describe_stack_resources(StackName=stack.cloud_name)["StackResources"]
        return [(each["LogicalResourceId"], each["ResourceStatus"]) for each in found]

    def parameters(self, stack: Stack) -> dict[str, str]:
        found = self.find(stack) or {}
        return {each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters", [])}

    def named_like(self, part: str) -> list[str]:
        """Names of the live stacks whose name holds these words."""
        pages = self.client().get_paginator("describe_stacks").paginate()
        names = [stack["StackName"] for page in pages for stack in page["Stacks"]]
        return [name for name in names if part in name]
