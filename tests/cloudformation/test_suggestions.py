"""Answers for a whole form: they fit together, keep the Rules, and leave something to create."""

from typing import Any

from app.cloudformation.answers import check
from app.cloudformation.body import Body
from app.cloudformation.inputs import Environment
from app.cloudformation.outline import outline
from app.cloudformation.parameters import parameters
from app.cloudformation.rules import evaluate, failed
from app.cloudformation.suggestions import World, suggest_all

ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
SUBNETS = ("subnet-1", "subnet-2", "subnet-3")
OFFERED = {"AWS::EC2::Subnet::Id": SUBNETS, "AWS::EC2::AvailabilityZone::Name": ZONES, "AWS::EC2::VPC::Id": ("vpc-1",)}
TOPIC = {"Topic": {"Type": "AWS::SNS::Topic"}}


def body(parameters: dict[str, Any], **sections: Any) -> Body:
    return Body({"Parameters": parameters, "Resources": TOPIC} | sections, "json", 0)


def text(**keys: Any) -> dict[str, Any]:
    return {"Type": "String", **keys}


def test_parameters_side_by_side_get_a_subnet_each():
    subnet = {"Type": "AWS::EC2::Subnet::Id"}
    template = body({"SubnetA": subnet, "SubnetB": subnet, "PrivateSubnetId": text(), "VpcId": text()})
    answers = suggest_all(template, World(OFFERED))
    assert [answers["SubnetA"], answers["SubnetB"], answers["PrivateSubnetId"]] == list(SUBNETS)
    assert answers["VpcId"] == "vpc-1"


def test_a_list_has_as_many_items_as_the_template_selects():
    template = body(
        {"Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"}, "Sizes": {"Type": "CommaDelimitedList"}},
        Outputs={
            "Third": {"Value": {"Fn::Select": [2, {"Ref": "Subnets"}]}},
            "Fourth": {"Value": {"Fn::Select": ["3", {"Ref": "Sizes"}]}},
        },
    )
    answers = suggest_all(template, World(OFFERED))
    assert answers["Subnets"].split(",") == list(SUBNETS)
    assert len(set(answers["Sizes"].split(","))) == 4


def test_names_are_not_given_twice():
    template = body({"FirstBucket": text(), "SecondBucket": text(), "CidrBlock1": text(), "CidrBlock2": text()})
    answers = suggest_all(template)
    assert len(set(answers.values())) == 4


def test_rules_are_kept_by_changing_what_they_speak_of():
    rules = {
        "Small": {
            "RuleCondition": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
            "Assertions": [{"Assert": {"Fn::Contains": [["t3.small"], {"Ref": "Size"}]}}],
        },
        "Mine": {"Assertions": [{"Assert": {"Fn::Equals": [{"Fn::ValueOf": ["Subnet", "VpcId"]}, "vpc-2"]}}]},
    }
    template = body(
        {
            "Stage": text(Default="dev"),
            "Size": text(Default="m5.large", AllowedValues=["m5.large", "t3.small"]),
            "Subnet": {"Type": "AWS::EC2::Subnet::Id"},
        },
        Rules=rules,
    )
    networks = {"subnet-1": "vpc-1", "subnet-2": "vpc-1", "subnet-3": "vpc-2"}
    environment = Environment({}, lambda kind, value, name: networks.get(value))
    answers = suggest_all(template, World(OFFERED, environment))
    assert failed(evaluate(template, answers, environment)) == ()
    assert answers["Subnet"] == "subnet-3"


def test_something_is_created_where_the_answers_can_bring_it_about():
    template = body(
        {"Create": text(Default="no"), "Colour": text()},
        Conditions={
            "Wanted": {"Fn::Equals": [{"Ref": "Create"}, "surely"]},
            "Never": {"Fn::Equals": [{"Ref": "Colour"}, "no colour at all, ever"]},
        },
        Resources={"Topic": {"Type": "AWS::SNS::Topic", "Condition": "Wanted"}},
    )
    answers = suggest_all(template)
    assert answers["Create"] == "surely"
    assert [each.will_be_created for each in outline(template, answers)] == [True]


def test_what_cannot_be_kept_is_left_as_it_suggested_itself():
    template = body({"Name": text(Default="x")}, Rules={"No": {"Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}}]}})
    answers = suggest_all(template)
    assert answers == {"Name": "x"}
    assert check(parameters(template), answers).is_valid
