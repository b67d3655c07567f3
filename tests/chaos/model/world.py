"""A cloud, its clock and a client: what most tests of the model, or on it, begin with."""

from random import Random
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError

from tests.chaos.model import Behaviour, CloudFormation

BODY = """
Parameters:
  Days: {Type: Number}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties: {MessageRetentionPeriod: !Ref Days}
  Topic:
    Type: AWS::SNS::Topic
Outputs:
  QueueUrl:
    Value: !Ref Queue
"""
WITHOUT_TOPIC = BODY.replace("  Topic:\n    Type: AWS::SNS::Topic\n", "  Table:\n    Type: AWS::DynamoDB::Table\n")
STATUSES = botocore.session.get_session().get_service_model("cloudformation").shape_for("StackStatus").enum


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def __call__(self) -> float:
        return self.time


class World:
    """One cloud with one stack, called orders, and somebody at work on it."""

    def __init__(self, seed: int = 1, behaviour: Behaviour | None = None):
        self.clock = Clock()
        self.cloud = CloudFormation(self.clock, Random(seed), behaviour)
        self.client = self.cloud.client("worker")

    def wait(self, seconds: float = 1000) -> None:
        self.clock.time += seconds

    def plan(self, kind: str = "CREATE", name: str = "orders", **more: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "StackName": name,
            "ChangeSetName": "plan-1",
            "ChangeSetType": kind,
            "TemplateBody": BODY,
            "Parameters": [{"ParameterKey": "Days", "ParameterValue": "3"}],
            "Tags": [{"Key": "slipway:stack", "Value": "stk_1"}],
            "ClientToken": "plan-1",
        }
        answer: dict[str, Any] = self.client.create_change_set(**request | more)
        return answer

    def launch(self, **more: Any) -> str:
        """Launch a stack and wait until it has settled; return its id."""
        made = self.plan(**more)
        self.wait(1)
        self.client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="launch")
        self.wait()
        stack_id: str = made["StackId"]
        return stack_id

    def change(self, token: str = "update", days: str = "4", body: str = BODY, **more: Any) -> str:
        """Begin an update of the stack; return the change set's id."""
        answers = [{"ParameterKey": "Days", "ParameterValue": days}]
        made = self.plan("UPDATE", ChangeSetName=token, ClientToken=token, TemplateBody=body, Parameters=answers)
        self.wait(1)
        self.client.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken=token, **more)
        change_set_id: str = made["Id"]
        return change_set_id

    def status(self, name_or_id: str = "orders") -> str:
        status: str = self.client.describe_stacks(StackName=name_or_id)["Stacks"][0]["StackStatus"]
        return status

    def path(self, name_or_id: str = "orders") -> list[str]:
        """The statuses of the stack itself, in order, as its events tell them."""
        events = self.client.describe_stack_events(StackName=name_or_id)["StackEvents"][::-1]
        return [each["ResourceStatus"] for each in events if each["PhysicalResourceId"] == each["StackId"]]

    def resources(self, name_or_id: str = "orders") -> dict[str, str]:
        found = self.client.list_stack_resources(StackName=name_or_id)["StackResourceSummaries"]
        return {each["LogicalResourceId"]: each["ResourceStatus"] for each in found}


def refusal(call: Any, **request: Any) -> tuple[str, str]:
    """Make the call, which must be refused; return code and words."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]
