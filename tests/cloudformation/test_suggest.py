"""Suggestions: plausible, accepted by the parameter's own constraints, and always the same."""

from time import process_time

import pytest

from app.cloudformation.answers import check
from app.cloudformation.body import Body
from app.cloudformation.parameters import Parameter, parameters
from app.cloudformation.patterns import matches
from app.cloudformation.samples import samples
from app.cloudformation.suggest import suggest

STRONG = "(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])(?=.*[!@#%]).{12,16}"


def one(name: str = "Thing", **keys: object) -> Parameter:
    return parameters(Body({"Parameters": {name: {"Type": "String", **keys}}, "Resources": {}}, "json", 0))[0]


@pytest.mark.parametrize(
    ("parameter", "choices", "answer"),
    [
        (one(Default="small"), None, "small"),
        (one(Default=""), None, ""),
        (one(), None, "example"),
        (one(AllowedValues=["", "blue", "red"]), None, "blue"),
        (one(Default="red", AllowedValues=["blue", "red"]), None, "red"),
        (one(Type="Number"), None, "1"),
        (one(Type="Number", MinValue=20, MaxValue=30), None, "20"),
        (one(Type="Number", MaxValue=-5), None, "-5"),
        (one(Type="List<Number>"), None, "1"),
        (one(Type="AWS::EC2::VPC::Id"), ["vpc-1", "vpc-2"], "vpc-1"),
        (one(Type="AWS::EC2::VPC::Id", Default="vpc-2"), ["vpc-1", "vpc-2"], "vpc-2"),
        (one(Type="AWS::EC2::VPC::Id", Default="vpc-9"), ["vpc-1", "vpc-2"], "vpc-1"),
        (one(Type="List<AWS::EC2::Subnet::Id>"), ["subnet-1", "subnet-2", "subnet-3"], "subnet-1,subnet-2"),
        (one(Type="List<AWS::EC2::SecurityGroup::Id>"), ["sg-1", "sg-2"], "sg-1"),
        (one(Type="AWS::EC2::KeyPair::KeyName"), None, "example-key"),
        (one("AdminEmail"), None, "team@example.com"),
        (one("VpcCidr", AllowedPattern=r"[\d.]+/\d+"), None, "10.0.0.0/16"),
        (one("DbPassword", NoEcho=True, MinLength=8, MaxLength=41), None, "Correct-Horse-7"),
        (one("DbPassword", MinLength=20, MaxLength=41), None, "Correct-Horse-777777"),
        (one("ClusterName", MaxLength=3), None, "exa"),
        (one("Channel", AllowedPattern="#[a-z]{3}"), None, "#aaa"),
    ],
)
def test_a_suggestion_suits_its_parameter(parameter, choices, answer):
    assert suggest(parameter, choices) == answer
    assert check((parameter,), {parameter.name: answer}).is_valid


@pytest.mark.parametrize(
    "pattern",
    [
        r"^vpc-[0-9a-f]{17}$",
        r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})/(\d{1,2})",
        r"^[\w-\+]+(\.[\w]+)*@[\w-]+(\.[\w]+)*(\.[a-z]{2,})$|^$",
        r"[a-z&&[^aeiou]]{5}",
        r"(?:red|green)-(?<n>\p{Alpha}+)\x41?",
        r"[^\\'\"]+[]x]\b",
        "a++b*?c{2,}",
        STRONG,
    ],
)
def test_samples_match_their_pattern(pattern):
    assert any(matches(pattern, sample) for sample in samples(pattern))
    assert suggest(one("Qqq", AllowedPattern=pattern))


@pytest.mark.parametrize(
    "pattern", ["(", "[a", "((()){4000}){4}", "(" * 300, "(()*)*", "(|||)+", r"\p{", "a{3000}b{3000}"]
)
def test_odd_patterns_end_quickly(pattern):
    started = process_time()
    assert len(list(samples(pattern))) <= 60
    assert process_time() - started < 2


def test_wide_patterns_get_fewer_samples():
    assert 0 < len(list(samples("((a){3000}){4}"))) < 60


def test_the_same_parameter_gets_the_same_answer():
    assert list(samples(STRONG)) == list(samples(STRONG))


def test_an_impossible_parameter_gets_its_default_or_nothing():
    assert suggest(one(AllowedPattern="a", MinLength=5)) == ""
