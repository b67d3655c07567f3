"""Stacks on the local cloud, as CloudFormation would run them."""

import time
from typing import Any

import pytest

from tests.local.cloud import client, events, launch, outputs, settled, update
from tests.support.processes import Process, stop
from tests.support.stand_ins import start_cloud

QUEUE = """
Resources:
  Refunds: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 40}}
Outputs:
  Address: {Value: !Ref Refunds}
  Arn: {Value: !GetAtt Refunds.Arn}
"""

WAREHOUSE = """
Resources:
  Warehouse: {Type: AWS::Redshift::Cluster, Properties: {DBName: ledger}}
  Gateway: {Type: AWS::EC2::NatGateway, Properties: {SubnetId: subnet-1}}
  Pipeline: {Type: AWS::CodePipeline::Pipeline, Properties: {Name: ledger-release}}
  Rule: {Type: AWS::Config::ConfigRule, Properties: {Source: {Owner: AWS}}}
Outputs:
  Endpoint: {Value: !Sub "${Warehouse.Endpoint.Address}:${Warehouse.Endpoint.Port}"}
  Gateway: {Value: !Ref Gateway}
  Pipeline: {Value: !Ref Pipeline}
  Rule: {Value: !GetAtt Rule.Arn}
"""


def test_a_type_ministack_implements_is_really_there(cloud: Process, cloudformation: Any) -> None:
    stack = launch(cloudformation, "queue", QUEUE)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    attributes = client(cloud, "sqs").get_queue_attributes(QueueUrl=outputs(stack)["Address"], AttributeNames=["All"])
    assert attributes["Attributes"]["VisibilityTimeout"] == "40"
    assert attributes["Attributes"]["QueueArn"] == outputs(stack)["Arn"]


def test_a_type_it_lacks_answers_with_the_attributes_of_its_schema(cloudformation: Any) -> None:
    stack = launch(cloudformation, "warehouse", WAREHOUSE)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cloudformation, "warehouse")
    found = outputs(stack)
    assert found["Endpoint"].endswith(".redshift.eu-west-1.amazonaws.com:5432")
    assert found["Gateway"].startswith("nat-0")
    assert found["Pipeline"] == "ledger-release"
    assert found["Rule"].startswith("arn:aws:config:eu-west-1:111122223333:")


def test_a_placeholder_keeps_its_answers_through_an_update(cloudformation: Any) -> None:
    before = outputs(launch(cloudformation, "moving", WAREHOUSE))
    after = outputs(update(cloudformation, "moving", WAREHOUSE.replace("{Owner: AWS}", "{Owner: CUSTOM_LAMBDA}")))
    assert after == before


def test_a_change_the_schema_says_replaces_gives_a_new_resource(cloudformation: Any) -> None:
    before = outputs(launch(cloudformation, "replacing", WAREHOUSE))
    changed = WAREHOUSE.replace("subnet-1", "subnet-2")
    planned = cloudformation.create_change_set(StackName="replacing", ChangeSetName="plan", TemplateBody=changed)
    changes = cloudformation.describe_change_set(ChangeSetName=planned["Id"])["Changes"]
    assert [(c["ResourceChange"]["LogicalResourceId"], c["ResourceChange"]["Replacement"]) for c in changes] == [
        ("Gateway", "True")
    ]
    cloudformation.execute_change_set(ChangeSetName=planned["Id"])
    after = outputs(settled(cloudformation, "replacing"))
    assert after["Gateway"].startswith("nat-0")
    assert after["Gateway"] != before["Gateway"]


def test_a_custom_resource_succeeds_with_whatever_the_template_asks_of_it(cloudformation: Any) -> None:
    template = """
    Resources:
      Lookup: {Type: Custom::Lookup, Properties: {ServiceToken: nowhere}}
      Other: {Type: AWS::CloudFormation::CustomResource, Properties: {ServiceToken: nowhere}}
      Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !GetAtt Lookup.Name}}
    Outputs:
      Found: {Value: !GetAtt Other.CertificateArn}
    """
    stack = launch(cloudformation, "custom", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cloudformation, "custom")
    assert outputs(stack)["Found"].startswith("arn:aws:")


def test_a_wait_condition_does_not_wait(cloudformation: Any) -> None:
    template = """
    Resources:
      Handle: {Type: AWS::CloudFormation::WaitConditionHandle}
      Wait: {Type: AWS::CloudFormation::WaitCondition, Properties: {Handle: !Ref Handle, Timeout: "3600"}}
    Outputs: {Data: {Value: !GetAtt Wait.Data}, Handle: {Value: !Ref Handle}}
    """
    stack = launch(cloudformation, "waiting", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cloudformation, "waiting")
    assert outputs(stack)["Handle"].startswith("https://")


def test_conditions_see_region_and_maps_and_plans_leave_out_what_they_exclude(cloudformation: Any) -> None:
    template = """
    Mappings: {Sizes: {eu-west-1: {Copies: "2"}}}
    Conditions:
      Here: !Equals [!Ref AWS::Region, eu-west-1]
      Many: !Equals [!FindInMap [Sizes, !Ref AWS::Region, Copies], "2"]
      Elsewhere: !Not [!Condition Here]
    Resources:
      Near: {Type: AWS::SNS::Topic, Condition: Here}
      Copy: {Type: AWS::SNS::Topic, Condition: Many}
      Far: {Type: AWS::SNS::Topic, Condition: Elsewhere}
    """
    planned = cloudformation.create_change_set(
        StackName="conditions", ChangeSetName="plan", ChangeSetType="CREATE", TemplateBody=template
    )
    changes = cloudformation.describe_change_set(ChangeSetName=planned["Id"])["Changes"]
    assert {change["ResourceChange"]["LogicalResourceId"] for change in changes} == {"Near", "Copy"}


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        (r"^[\w-\+]+@[\w-]+\.[a-z]{2,}$", "a+b@example.com", "nobody"),
        (r"[\p{Alpha}]+[0-9]++", "abc12", "12"),
        (r"\p{Upper}\p{Alnum}*", "Ab1", "ab1"),
    ],
)
def test_patterns_are_read_as_java_does(cloudformation: Any, pattern: str, good: str, bad: str) -> None:
    template = f"""
    Parameters: {{Value: {{Type: String, AllowedPattern: '{pattern}'}}}}
    Resources: {{Topic: {{Type: AWS::SNS::Topic}}}}
    """
    name = f"pattern-{abs(hash(pattern))}"
    assert launch(cloudformation, name, template, Value=good)["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(cloudformation.exceptions.ClientError, match="must match pattern"):
        launch(cloudformation, f"{name}-not", template, Value=bad)


def test_public_image_parameters_resolve(cloudformation: Any) -> None:
    template = """
    Parameters:
      Image:
        Type: AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>
        Default: /aws/service/canonical/ubuntu/server/22.04/stable/current/amd64/hvm/ebs-gp2/ami-id
    Resources: {Machine: {Type: AWS::EC2::Instance, Properties: {ImageId: !Ref Image}}}
    Outputs: {Image: {Value: !Ref Image}}
    """
    assert outputs(launch(cloudformation, "image", template))["Image"].startswith("ami-0")


def test_a_missing_export_fails_with_its_reason(cloudformation: Any) -> None:
    template = "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !ImportValue nobodys-export}}}"
    assert launch(cloudformation, "importing", template)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert ("Topic", "CREATE_FAILED", "Export 'nobodys-export' not found") in events(cloudformation, "importing")


def test_an_update_says_what_really_happens_to_each_resource(cloudformation: Any) -> None:
    before = """
    Resources:
      Same: {Type: AWS::SNS::Topic}
      Gone: {Type: AWS::SNS::Topic}
      Changed: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 10}}
    """
    after = before.replace("Gone:", "New:").replace("10", "20")
    launch(cloudformation, "telling", before)
    known = len(events(cloudformation, "telling"))
    assert update(cloudformation, "telling", after)["StackStatus"] == "UPDATE_COMPLETE"
    happened = [(name, status) for name, status, _ in events(cloudformation, "telling")[known:]]
    assert happened == [
        ("telling", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_IN_PROGRESS"),
        ("Changed", "UPDATE_COMPLETE"),
        ("New", "CREATE_IN_PROGRESS"),
        ("New", "CREATE_COMPLETE"),
        ("telling", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("Gone", "DELETE_IN_PROGRESS"),
        ("Gone", "DELETE_COMPLETE"),
        ("telling", "UPDATE_COMPLETE"),
    ]
    held = cloudformation.describe_stack_resources(StackName="telling")["StackResources"]
    assert {resource["LogicalResourceId"]: resource["ResourceStatus"] for resource in held} == {
        "Same": "CREATE_COMPLETE",
        "Changed": "UPDATE_COMPLETE",
        "New": "CREATE_COMPLETE",
    }


def test_a_region_has_as_many_zones_as_amazon_gives_it(cloud: Process) -> None:
    template = "Resources: {T: {Type: AWS::SNS::Topic}}\nOutputs: {Fourth: {Value: !Select [3, !GetAZs '']}}"
    elsewhere = client(cloud, region="us-east-1")
    assert outputs(launch(elsewhere, "zones", template)) == {"Fourth": "us-east-1d"}
    zones = client(cloud, "ec2", region="us-east-1").describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneName"][-1] for zone in zones] == list("abcdef")
    assert zones[3]["ZoneId"] == "use1-az4"


def test_booleans_among_allowed_values_are_the_text_people_type(cloudformation: Any) -> None:
    template = """
    Parameters: {Public: {Type: String, AllowedValues: [true, false], Default: true}}
    Conditions: {IsPublic: !Equals [!Ref Public, Yes]}
    Resources: {Topic: {Type: AWS::SNS::Topic}}
    Outputs: {Public: {Value: !If [IsPublic, !Ref Public, hidden]}}
    """
    assert outputs(launch(cloudformation, "public", template)) == {"Public": "true"}
    assert outputs(launch(cloudformation, "not-public", template, Public="false")) == {"Public": "hidden"}


def test_what_was_created_as_a_placeholder_is_changed_and_deleted_as_one(cloudformation: Any) -> None:
    """MiniStack knows rules of listeners, but not this listener: it may well be a placeholder itself."""
    template = """
    Resources:
      Rule:
        Type: AWS::ElasticLoadBalancingV2::ListenerRule
        Properties:
          ListenerArn: arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/web/1/2
          Priority: 10
          Conditions: [{Field: path-pattern, Values: [/refunds]}]
          Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "200"}}]
    Outputs: {Arn: {Value: !Ref Rule}}
    """
    before = launch(cloudformation, "standing-in", template)
    assert before["StackStatus"] == "CREATE_COMPLETE", events(cloudformation, "standing-in")
    after = update(cloudformation, "standing-in", template.replace("/refunds", "/returns"))
    assert after["StackStatus"] == "UPDATE_COMPLETE", events(cloudformation, "standing-in")
    assert outputs(after) == outputs(before)
    cloudformation.delete_stack(StackName=after["StackId"])
    assert settled(cloudformation, after["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_a_plan_leaves_out_a_value_that_is_merely_written_otherwise(cloudformation: Any) -> None:
    before = "Resources: {Log: {Type: AWS::EC2::FlowLog, Properties: {ResourceId: vpc-1, TrafficType: ALL}}}"
    after = """
    Parameters: {Traffic: {Type: String, Default: ALL}, Words: {Type: String, Default: more}}
    Resources:
      Log: {Type: AWS::EC2::FlowLog, Properties: {ResourceId: vpc-1, TrafficType: !Ref Traffic}}
      Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Words}}
    """
    launch(cloudformation, "flow", before)
    assert planned(cloudformation, "flow", after) == [("Topic", "Add")]
    assert planned(cloudformation, "flow", after, Traffic="REJECT") == [("Log", "Modify"), ("Topic", "Add")]


def planned(cloudformation: Any, name: str, template: str, **parameters: str) -> list[tuple[str, str]]:
    given = [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]
    plan = cloudformation.create_change_set(
        StackName=name, ChangeSetName=f"plan-{len(given)}", TemplateBody=template, Parameters=given
    )
    changes = [
        each["ResourceChange"] for each in cloudformation.describe_change_set(ChangeSetName=plan["Id"])["Changes"]
    ]
    return [(change["LogicalResourceId"], change["Action"]) for change in changes]


def test_a_delete_stops_a_create_that_is_under_way(tmp_path):
    template = "Resources:\n" + "".join(
        f"  {name}: {{Type: AWS::SQS::Queue}}\n" for name in ("First", "Second", "Third")
    )
    slow = start_cloud(tmp_path, pace=0.3)
    try:
        cloudformation = client(slow)
        stack_id = cloudformation.create_stack(StackName="stopped", TemplateBody=template)["StackId"]
        time.sleep(0.4)
        cloudformation.delete_stack(StackName="stopped")
        assert settled(cloudformation, stack_id)["StackStatus"] == "DELETE_COMPLETE"
        time.sleep(0.8)
        assert settled(cloudformation, stack_id)["StackStatus"] == "DELETE_COMPLETE"
        assert not client(slow, "sqs").list_queues(QueueNamePrefix="stopped").get("QueueUrls")
    finally:
        stop(slow)
