"""Intrinsic functions: what the answers decide, and honest doubt about the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloudformation.body import Body, load
from app.cloudformation.evaluator import Evaluator
from app.cloudformation.inputs import Environment, pseudo_parameters
from app.cloudformation.unknown import Unknown, first_unknown

TEMPLATE = """
Parameters:
  Team: {Type: String}
  Size: {Type: String, Default: small}
  Zones: {Type: CommaDelimitedList, Default: "a, b,c"}
  Image: {Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: /ami}
  Secret: {Type: String}
Mappings:
  Sizes: {small: {Memory: 512, Disks: [x, y]}, large: {Memory: 2048}}
Conditions:
  IsSmall: !Equals [!Ref Size, small]
  IsLarge: !Not [!Condition IsSmall]
  IsOurs: !Equals [!Ref Secret, x]
  Loop: !Not [!Condition Loop]
Resources:
  Queue: {Type: "AWS::SQS::Queue"}
"""
PLACE = Environment(pseudo_parameters("eu-west-1", "123456789012", "orders"))


def evaluator(**answers: str) -> Evaluator:
    return Evaluator(load(TEMPLATE), {"Team": "orders", **answers}, PLACE)


def value(yaml: str, **answers: str) -> object:
    expression = load(f"Resources:\n  It:\n    Value: {yaml}\n").resources["It"].get("Value")
    return evaluator(**answers).value(expression)


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("!Ref Team", "orders"),
        ("!Ref Size", "small"),
        ("!Ref Zones", ["a", "b", "c"]),
        ("!Ref AWS::Region", "eu-west-1"),
        ("!Ref AWS::Partition", "aws"),
        ("!Sub '${Team}-${AWS::Region}-${!Literal}'", "orders-eu-west-1-${Literal}"),
        ("!Sub ['${A}/${Team}', {A: !Ref Size}]", "small/orders"),
        ("!Sub 'zones ${Zones}'", "zones a,b,c"),
        ("!Join ['-', [a, !Ref Team, 3]]", "a-orders-3"),
        ("!Join [',', !Ref Zones]", "a,b,c"),
        ("!Split ['/', 'a/b']", ["a", "b"]),
        ("!Select [1, !Ref Zones]", "b"),
        ("!Select ['0', [x, y]]", "x"),
        ("!FindInMap [Sizes, !Ref Size, Memory]", 512),
        ("!FindInMap [Sizes, small, Disks]", ["x", "y"]),
        ("!FindInMap [Sizes, huge, Memory, {DefaultValue: 1}]", 1),
        ("!If [IsSmall, s, l]", "s"),
        ("!If [IsLarge, s, l]", "l"),
        ("!Base64 hello", "hello"),
        ("!Length {Ref: Zones}", 3),
        ("!ToJsonString {a: !Ref Team}", '{"a": "orders"}'),
        ("!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
        ("!Select [1, !Cidr ['10.0.0.0/16', 2, 8]]", "10.0.1.0/24"),
        ("{A: !Ref 'AWS::NoValue', B: 1}", {"B": 1}),
        ("[1, !If [IsLarge, 2, !Ref AWS::NoValue]]", [1]),
        ("{Effect: Allow, Condition: {Bool: {x: true}}}", {"Effect": "Allow", "Condition": {"Bool": {"x": True}}}),
        ("{Condition: IsSmall}", {"Condition": "IsSmall"}),
        ("!Equals [1, '1']", True),
        ("!Equals [true, 'true']", True),
    ],
)
def test_what_the_answers_decide_is_evaluated(yaml, expected):
    assert value(yaml) == expected


@pytest.mark.parametrize(
    ("yaml", "because", "sketch"),
    [
        ("!Ref Queue", "Queue is known after it runs", "${Queue}"),
        ("!GetAtt Queue.Arn", "Queue.Arn is known after it runs", "${Queue.Arn}"),
        ("!Ref Secret", "Secret has no answer yet", "${Secret}"),
        ("!Ref Image", "Image is fetched from SSM when it runs", "ssm Image"),
        ("!Sub '${Team}/${Queue.Arn}'", "Queue.Arn is known after it runs", "orders/${Queue.Arn}"),
        ("!Join ['-', [!Ref Team, !Ref Queue]]", "Queue is known after it runs", "orders-${Queue}"),
        ("!Select [9, [a]]", "a Select points beyond its list", "Fn::Select(9)"),
        ("!FindInMap [Sizes, huge, Memory]", "the mapping has no such entry", None),
        ("!FindInMap [Sizes, !Ref Secret, Memory]", "Secret has no answer yet", None),
        ("!If [IsOurs, a, b]", "Secret has no answer yet", None),
        (
            "!If [IsOurs, a, !Ref AWS::NoValue]",
            "Secret has no answer yet",
            'Fn::If(["${Secret}", "a", "AWS::NoValue"])',
        ),
        ("!If [Missing, a, b]", "there is no condition Missing", None),
        ("!If [Loop, a, b]", "the condition Loop depends on itself", None),
        ("!ImportValue x", "Fn::ImportValue is evaluated by AWS", None),
        ("!GetAZs ''", "Fn::GetAZs is evaluated by AWS", None),
        ("!Cidr [10.0.0.0/24, 9, 8]", "a Cidr does not fit its block", None),
        ("!Join x", "a Join needs a separator and a list", None),
        ("!Sub [1]", "a Sub has no text", None),
        ("!Split ['', abc]", "a Split needs a separator and a text", None),
    ],
)
def test_what_only_aws_knows_says_why(yaml, because, sketch):
    found = value(yaml)
    assert isinstance(found, Unknown)
    assert found.because == because
    assert sketch is None or found.sketch == sketch


@pytest.mark.parametrize(
    ("yaml", "expected"),
    [
        ("!And [{Condition: IsOurs}, {Condition: IsLarge}]", False),
        ("!Or [{Condition: IsOurs}, {Condition: IsSmall}]", True),
        ("!And [{Condition: IsOurs}, {Condition: IsSmall}]", None),
        ("!Not [{Condition: IsOurs}]", None),
        ("!Contains [[small, large], !Ref Size]", True),
        ("!EachMemberIn [!Ref Zones, [a, b]]", False),
        ("!EachMemberEquals [!Ref Zones, a]", False),
        ("!EachMemberEquals [[a, a], a]", True),
        ("!Equals [!Ref Zones, [a, b, c]]", True),
    ],
)
def test_doubt_about_a_part_need_not_leave_the_whole_in_doubt(yaml, expected):
    found = value(yaml)
    assert (None if isinstance(found, Unknown) else found) is expected


def test_a_thousand_conditions_in_a_row_end_in_doubt():
    chain = {f"C{n}": {"Fn::Not": [{"Condition": f"C{n + 1}"}]} for n in range(1000)}
    body = Body({"Conditions": chain, "Resources": {}}, "json", 0)
    assert isinstance(Evaluator(body, {}).named_truth("C0"), Unknown)


def test_joining_long_answers_without_end_stops():
    body = Body({"Parameters": {"Team": {"Type": "String"}}, "Resources": {}}, "json", 0)
    longest = Evaluator(body, {"Team": "x" * 4096})
    many = {"Fn::Join": ["", [{"Ref": "Team"}] * 200]}
    found = longest.value([many] * 50)
    assert sum(len(text) for text in found if isinstance(text, str)) <= 4_000_000
    assert first_unknown(found)


names = st.sampled_from(["Team", "Zones", "Queue", "IsSmall", "Loop", "AWS::NoValue", "small", "", "1"])
functions = st.sampled_from(
    [
        "Ref",
        "Fn::Sub",
        "Fn::Join",
        "Fn::Split",
        "Fn::Select",
        "Fn::FindInMap",
        "Fn::If",
        "Fn::Base64",
        "Fn::Length",
        "Fn::ToJsonString",
        "Fn::Cidr",
        "Fn::GetAtt",
        "Fn::And",
        "Fn::Or",
        "Fn::Not",
        "Fn::Equals",
        "Fn::Contains",
        "Fn::EachMemberIn",
        "Fn::EachMemberEquals",
        "Condition",
        "Fn::RefAll",
        "Fn::ValueOf",
        "Fn::ValueOfAll",
        "Fn::ForEach::X",
    ]
)
expressions = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | names | st.just("${Team}${Queue.Arn}${!x}${"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(functions, inner, max_size=1),
    max_leaves=10,
)


@given(expressions)
def test_evaluating_never_fails(expression):
    found = evaluator()
    found.value(expression)
    assert isinstance(found.truth(expression), bool | Unknown)
