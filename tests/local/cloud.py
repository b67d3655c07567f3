"""The portal's side of the local cloud: clients, and waiting for stacks."""

import time
from typing import Any

import boto3
from botocore.config import Config

from tests.support.processes import Process

ACCOUNT = "111122223333"
REGION = "eu-west-1"


def client(cloud: Process, service: str = "cloudformation", *, account: str = ACCOUNT, region: str = REGION) -> Any:
    """A client of one service, in one account and region."""
    return boto3.client(
        service,
        endpoint_url=cloud.url,
        region_name=region,
        aws_access_key_id=account,
        aws_secret_access_key="any",
        config=Config(retries={"max_attempts": 1}, proxies={}),
    )


def launch(cloudformation: Any, name: str, template: str, **parameters: str) -> dict[str, Any]:
    """Create the stack and return it once it has come to rest."""
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    cloudformation.create_stack(StackName=name, TemplateBody=template, Parameters=given)
    return settled(cloudformation, name)


def update(cloudformation: Any, name: str, template: str) -> dict[str, Any]:
    """Update the stack and return it once it has come to rest."""
    cloudformation.update_stack(StackName=name, TemplateBody=template)
    return settled(cloudformation, name)


def settled(cloudformation: Any, name: str, seconds: float = 30) -> dict[str, Any]:
    """The stack once nothing moves any more."""
    deadline = time.monotonic() + seconds
    while True:
        stack: dict[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        assert time.monotonic() < deadline, f"{name} is still {stack['StackStatus']}"
        time.sleep(0.02)


def outputs(stack: dict[str, Any]) -> dict[str, str]:
    """The outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def events(cloudformation: Any, name: str) -> list[tuple[str, str, str]]:
    """Logical id, status and reason of every event, the first to happen first."""
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
    newest_first = [event for page in pages for event in page["StackEvents"]]
    return [
        (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        for event in reversed(newest_first)
    ]
