"""Parameters: every type, every key, and the malformed sections found in the wild."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloudformation.body import Body, load
from app.cloudformation.parameters import Parameter, parameter_warnings, parameters
from app.cloudformation.types import LOOKUPS, kind_of


def body_with(section: object, **more: object) -> Body:
    document = {"Parameters": section, "Resources": {"Orders": {"Type": "AWS::SQS::Queue"}}, **more}
    return Body(document, "json", 0)


def one(**keys: object) -> Parameter:
    return parameters(body_with({"Size": {"Type": "String", **keys}}))[0]


def widget(**keys: object) -> str:
    return one(**keys).widget


@pytest.mark.parametrize(
    ("written", "item", "is_list", "lookup", "is_ssm"),
    [
        ("String", "String", False, None, False),
        ("Number", "Number", False, None, False),
        ("List<Number>", "Number", True, None, False),
        ("CommaDelimitedList", "String", True, None, False),
        ("AWS::SSM::Parameter::Name", "AWS::SSM::Parameter::Name", False, "AWS::SSM::Parameter::Name", False),
        *((name, name, False, name, False) for name in sorted(LOOKUPS)),
        *((f"List<{name}>", name, True, name, False) for name in sorted(LOOKUPS) if "KeyPair" not in name),
        *(
            (
                f"AWS::SSM::Parameter::Value<{inner}>",
                "AWS::SSM::Parameter::Name",
                False,
                "AWS::SSM::Parameter::Name",
                True,
            )
            for inner in (
                "String",
                "List<String>",
                "CommaDelimitedList",
                "Number",
                "List<Number>",
                "AWS::SSM::Parameter::Name",
                "AWS::EC2::Image::Id",
                "List<AWS::EC2::Subnet::Id>",
            )
        ),
    ],
)
def test_every_type_is_understood_without_a_warning(written, item, is_list, lookup, is_ssm):
    kind = kind_of(written)
    assert (kind.item, kind.is_list, kind.lookup, kind.is_ssm, kind.warning) == (item, is_list, lookup, is_ssm, None)


@pytest.mark.parametrize(
    ("written", "item", "is_list"),
    [
        ("List<String>", "String", True),
        ("Boolean", "Boolean", False),
        ("Integer", "Number", False),
        ("string", "String", False),
        ("List<AWS::EC2::KeyPair::KeyName>", "AWS::EC2::KeyPair::KeyName", True),
        ("AWS::SSM::Parameter::Value<List<AWS::EC2::KeyPair::KeyName>>", "AWS::SSM::Parameter::Name", False),
        ("List<AWS::SSM::Parameter::Value<String>>", "String", True),
        ("AWS::S3::Bucket::Name", "String", False),
        ("List<", "String", False),
    ],
)
def test_types_cloudformation_lacks_are_read_with_a_warning(written, item, is_list):
    kind = kind_of(written)
    assert (kind.item, kind.is_list) == (item, is_list)
    assert kind.warning
    assert kind.warning.endswith(".")


def test_a_boolean_offers_true_and_false():
    assert one(Type="Boolean").allowed_values == ("true", "false")


def test_every_key_is_read():
    parameter = one(
        Type="String",
        Default="small",
        Description=" The size ",
        AllowedValues=["small", "large", "small"],
        AllowedPattern="[a-z]+",
        ConstraintDescription="small or large",
        MinLength="3",
        MaxLength=10,
        NoEcho="true",
    )
    assert parameter.default == "small"
    assert parameter.description == "The size"
    assert parameter.allowed_values == ("small", "large")
    assert parameter.allowed_pattern == "[a-z]+"
    assert parameter.constraint_description == "small or large"
    assert (parameter.min_length, parameter.max_length) == (3, 10)
    assert parameter.no_echo
    assert not parameter.is_required
    assert parameter.warnings == ()


def test_number_bounds_are_exact():
    parameter = one(Type="Number", MinValue=0.1, MaxValue="1000")
    assert (parameter.min_value, parameter.max_value) == (Decimal("0.1"), Decimal(1000))
    assert parameter.is_number


@pytest.mark.parametrize(
    ("default", "text"),
    [(True, "true"), (False, "false"), (5, "5"), (0.5, "0.5"), ("", ""), (["a", 1], "a,1")],
)
def test_defaults_become_the_text_cloudformation_uses(default, text):
    assert one(Default=default).default == text


def test_only_a_default_makes_a_parameter_optional():
    assert one().is_required
    assert not one(Default="").is_required


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, "text"),
        ({"Type": "Number"}, "number"),
        ({"Type": "Boolean"}, "choice"),
        ({"AllowedValues": ["a", "b"]}, "choice"),
        ({"AllowedValues": list("abcde")}, "select"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "select"),
        ({"Type": "CommaDelimitedList"}, "list"),
        ({"Type": "List<Number>"}, "list"),
        ({"Type": "AWS::EC2::VPC::Id"}, "lookup"),
        ({"Type": "List<AWS::EC2::Subnet::Id>"}, "lookup"),
        ({"Type": "AWS::SSM::Parameter::Value<String>"}, "lookup"),
        ({"NoEcho": True}, "secret"),
        ({"NoEcho": True, "AllowedValues": ["a"]}, "secret"),
        ({"Default": "two\nlines"}, "textarea"),
        ({"Default": "x" * 300}, "textarea"),
    ],
)
def test_the_widget_follows_type_and_constraints(keys, expected):
    assert widget(**keys) == expected


def test_a_script_gets_room_to_write():
    [parameter] = parameters(body_with({"BootstrapScript": {"Type": "String"}}))
    assert parameter.widget == "textarea"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (None, "not a mapping"),
        ("String", "not a mapping"),
        ({}, "Type is missing"),
        ({"Type": ["String"]}, "Type is missing"),
        ({"Type": "String", "Defualt": "x"}, "no key Defualt"),
        ({"Type": "String", "Default": None}, "Default is neither"),
        ({"Type": "String", "Default": {"Ref": "X"}}, "Default is neither"),
        ({"Type": "String", "AllowedValues": "a"}, "AllowedValues is not a list"),
        ({"Type": "String", "AllowedValues": ["a", {"b": 1}]}, "AllowedValues is not a list"),
        ({"Type": "String", "MinLength": "few"}, "MinLength is not a number"),
        ({"Type": "String", "MinValue": 1}, "for numbers only"),
        ({"Type": "Number", "AllowedPattern": "x"}, "no AllowedPattern for numbers"),
        ({"Type": "Number", "MaxLength": 3}, "no MaxLength for numbers"),
        ({"Type": "String", "Description": ["a"]}, "Description is not text"),
    ],
)
def test_what_is_malformed_leaves_a_warning_and_a_field(entry, words):
    body = body_with({"Size": entry})
    assert [parameter.name for parameter in parameters(body)] == ["Size"]
    assert any(words in warning and warning.startswith("Size: ") for warning in parameter_warnings(body))


def test_a_section_that_is_no_mapping_gives_no_fields():
    assert parameters(body_with(["Size"])) == ()
    assert "not a mapping" in parameter_warnings(body_with(["Size"]))[0]
    assert parameter_warnings(body_with(None)) == ()


def test_names_and_their_number_are_checked():
    many = {f"P{n}": {"Type": "String"} for n in range(201)}
    assert "201 parameters" in parameter_warnings(body_with(many))[0]
    assert "letters and digits" in parameter_warnings(body_with({"queue-name": {"Type": "String"}}))[0]


def test_parameters_a_macro_brings_are_mentioned():
    body = body_with({"Fn::Transform": {"Name": "AWS::Include"}, "Size": {"Type": "String"}})
    assert [parameter.name for parameter in parameters(body)] == ["Size"]
    assert "filled in by a macro" in parameter_warnings(body)[0]


def test_parameters_keep_the_order_of_the_file():
    body = load("Parameters: {Zone: {Type: String}, Alarm: {Type: String}}\nResources: {}")
    assert [parameter.name for parameter in parameters(body)] == ["Zone", "Alarm"]


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("aB1<>:,", max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aB1", max_size=4), inner, max_size=3),
    max_leaves=6,
)
keys = st.sampled_from(
    [
        "Type",
        "Default",
        "Description",
        "AllowedValues",
        "AllowedPattern",
        "ConstraintDescription",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
        "NoEcho",
    ]
)


@given(anything | st.dictionaries(st.text("Pq1", max_size=3), anything | st.dictionaries(keys, anything)), anything)
def test_reading_never_fails(section, interface):
    body = body_with(section, Metadata={"AWS::CloudFormation::Interface": interface})
    assert all(parameter.widget for parameter in parameters(body))
    assert all(isinstance(warning, str) for warning in parameter_warnings(body))
