"""Outlines: what will be created, what it needs, and what would be lost with it."""

import pytest

from app.cloudformation.body import load
from app.cloudformation.capabilities import NestedStack, capabilities, macros, nested_stacks, uses_macros
from app.cloudformation.outline import outline, outputs
from app.cloudformation.stateful import holds_data

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Alarmed: {Type: String}
Mappings:
  Stages: {dev: {Backup: "no"}, prod: {Backup: "yes"}}
Conditions:
  HasBackup: !Equals [!FindInMap [Stages, !Ref Stage, Backup], "yes"]
  HasAlarm: !Equals [!Ref Alarmed, "yes"]
Resources:
  Orders: {Type: "AWS::SQS::Queue"}
  Store:
    Type: AWS::DynamoDB::Table
    Condition: HasBackup
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasAlarm
    DependsOn: Store
    Properties:
      Dimensions: [{Name: QueueName, Value: !GetAtt Orders.QueueName}]
      AlarmDescription: !Sub "${Orders} ${AWS::Region} ${!Store} ${Own}"
      Self: !Ref Alarm
Outputs:
  QueueUrl: {Value: !Ref Orders, Description: " Where to send ", Export: {Name: q}}
  TableName: {Value: !Ref Store, Condition: HasBackup}
"""


def created(**answers: str) -> dict[str, bool | None]:
    return {planned.logical_id: planned.will_be_created for planned in outline(load(TEMPLATE), answers)}


def test_conditions_decide_what_is_created():
    assert created(Stage="dev", Alarmed="no") == {"Orders": True, "Store": False, "Alarm": False}
    assert created(Stage="prod", Alarmed="yes") == {"Orders": True, "Store": True, "Alarm": True}


def test_an_unanswered_condition_is_left_open():
    assert created() == {"Orders": True, "Store": False, "Alarm": None}


def test_dependencies_are_those_stated_and_those_mentioned():
    plan = {planned.logical_id: planned for planned in outline(load(TEMPLATE), {})}
    assert plan["Alarm"].depends_on == ("Store", "Orders")
    assert plan["Orders"].depends_on == ()


def test_stateful_types_stand_out():
    assert [planned.holds_data for planned in outline(load(TEMPLATE), {})] == [True, True, False]
    assert holds_data("AWS::RDS::DBInstance")
    assert not holds_data("AWS::Lambda::Function")


def test_loops_and_includes_are_left_to_a_change_set():
    body = load("Resources: {'Fn::ForEach::Topics': [Id, [a], {}], 'Fn::Transform': {Name: 'AWS::Include'}}")
    assert [(planned.logical_id, planned.will_be_created) for planned in outline(body, {})] == [
        ("Topics", None),
        ("Fn::Transform", None),
    ]


def test_outputs_follow_their_conditions():
    [url, table] = outputs(load(TEMPLATE), {"Stage": "dev"})
    assert (url.name, url.description, url.will_exist, url.is_exported) == ("QueueUrl", "Where to send", True, True)
    assert (table.will_exist, table.is_exported) == (False, False)


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("Resources: {Q: {Type: 'AWS::SQS::Queue'}}", ()),
        ("Resources: {R: {Type: 'AWS::IAM::Role', Properties: {}}}", ("CAPABILITY_IAM",)),
        (
            "Resources: {R: {Type: 'AWS::IAM::Role', Properties: {RoleName: deploy}}}",
            ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        ),
        ("Resources: {R: {Type: 'AWS::IAM::Policy', Properties: {PolicyName: read}}}", ("CAPABILITY_IAM",)),
        ("Transform: AWS::LanguageExtensions\nResources: {}", ("CAPABILITY_AUTO_EXPAND",)),
        (
            "Transform: [AWS::Serverless-2016-10-31]\nResources: {}",
            ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        ),
        (
            "Resources: {S: {Type: 'AWS::CloudFormation::Stack'}}",
            ("CAPABILITY_AUTO_EXPAND", "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"),
        ),
        ("Resources: {R: {Type: [odd]}}", ()),
    ],
)
def test_capabilities_follow_from_the_resources(yaml, expected):
    assert capabilities(load(yaml)) == expected


def test_macros_and_nested_stacks_are_named():
    body = load(
        "Transform: Ours\nResources:\n  Net: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://x/y'}}\n"
        "  Far: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: !Sub '${X}'}}\n"
        "  Q: {Type: 'AWS::SQS::Queue', Properties: {'Fn::Transform': {Name: Count}}}"
    )
    assert set(macros(body)) == {"Ours", "Count"}
    assert uses_macros(body)
    assert nested_stacks(body) == (NestedStack("Net", "https://x/y"), NestedStack("Far", None))
    assert not uses_macros(load(TEMPLATE))
