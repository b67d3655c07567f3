"""Fault rules: the resource they name fails with their words, and the stack goes back."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.local.cloud import events, launch, outputs, settled, update

TWO = """
Resources:
  First: {Type: AWS::SNS::Topic}
  Orders: {Type: AWS::SQS::Queue, DependsOn: First, Properties: {VisibilityTimeout: 10}}
Outputs: {Address: {Value: !Ref Orders}}
"""


@pytest.fixture
def rules(cloud_data: Path) -> Iterator[Any]:
    """Writes fault rules for the shared cloud, and takes them away afterwards."""
    path = cloud_data / "faults.yaml"
    yield lambda *rules: path.write_text(yaml.safe_dump(list(rules)))
    path.unlink(missing_ok=True)


def failures(cloudformation: Any, name: str) -> list[tuple[str, str, str]]:
    """The failed events, the first cause first."""
    return [event for event in events(cloudformation, name) if event[1].endswith("_FAILED")]


def test_the_named_resource_fails_and_the_stack_rolls_back(cloudformation: Any, rules: Any) -> None:
    rules({"type": "AWS::SQS::Queue", "logical_id": "Orders", "stack": "broken-*", "reason": "Queue limit reached."})
    assert launch(cloudformation, "broken-one", TWO)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert failures(cloudformation, "broken-one")[0] == ("Orders", "CREATE_FAILED", "Queue limit reached.")
    assert ("First", "DELETE_COMPLETE", "") in events(cloudformation, "broken-one")
    assert launch(cloudformation, "sound-one", TWO)["StackStatus"] == "CREATE_COMPLETE"


def test_a_rule_ends_after_its_uses(cloudformation: Any, rules: Any) -> None:
    rules({"type": "AWS::SQS::*", "reason": "Not today.", "times": 1})
    assert launch(cloudformation, "once-1", TWO)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert launch(cloudformation, "once-2", TWO)["StackStatus"] == "CREATE_COMPLETE"


def test_a_failed_update_goes_back_to_what_was(cloudformation: Any, rules: Any) -> None:
    before = launch(cloudformation, "updating", TWO)
    rules({"type": "AWS::SQS::Queue", "operation": "update", "reason": "Throttled."})
    assert update(cloudformation, "updating", TWO.replace("10", "20"))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert failures(cloudformation, "updating")[0] == ("Orders", "UPDATE_FAILED", "Throttled.")
    assert outputs(settled(cloudformation, "updating")) == outputs(before)


def test_a_delete_can_fail_and_be_repeated(cloudformation: Any, rules: Any) -> None:
    stack = launch(cloudformation, "staying", TWO)
    rules({"type": "AWS::SNS::Topic", "operation": "delete", "reason": "Still in use."})
    cloudformation.delete_stack(StackName="staying")
    time.sleep(0.1)
    assert settled(cloudformation, "staying")["StackStatus"] == "DELETE_FAILED"
    rules()
    cloudformation.delete_stack(StackName="staying")
    time.sleep(0.1)
    assert settled(cloudformation, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_a_rule_can_only_slow_a_resource_down(cloudformation: Any, rules: Any) -> None:
    rules({"type": "AWS::SNS::Topic", "seconds": 0.5})
    began = time.monotonic()
    assert launch(cloudformation, "slow", TWO)["StackStatus"] == "CREATE_COMPLETE"
    assert time.monotonic() - began > 0.5


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"typ": "AWS::SNS::Topic", "reason": "x"}, "rule 1 has a field typ"),
        ({"type": "AWS::SNS::Topic"}, "rule 1 has neither a reason"),
        ({"operation": "destroy", "reason": "x"}, "rule 1: operation is one of create, update, delete, rollback"),
        ({"reason": "x", "times": "twice"}, "rule 1: times is a number"),
    ],
)
def test_a_rule_with_a_mistake_is_named_and_left_out(
    cloudformation: Any, rules: Any, cloud_data: Path, rule: dict[str, str], sentence: str
) -> None:
    rules(rule)
    name = f"unhurt-{abs(hash(sentence))}"
    assert launch(cloudformation, name, TWO)["StackStatus"] == "CREATE_COMPLETE"
    assert sentence in (cloud_data / "log.txt").read_text()
