"""Answers: accepted as CloudFormation would, or refused with what would be right."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloudformation.answers import Checked, check
from app.cloudformation.body import Body
from app.cloudformation.parameters import Parameter, parameters


def fields(**definitions: dict[str, object]) -> tuple[Parameter, ...]:
    return parameters(Body({"Parameters": definitions, "Resources": {}}, "json", 0))


def checked(answer: object, **keys: object) -> Checked:
    return check(fields(Size={"Type": "String", **keys}), {"Size": answer})


def value_of(answer: object, **keys: object) -> str:
    result = checked(answer, **keys)
    assert result.errors == {}
    return result.values["Size"]


def errors_of(answer: object, **keys: object) -> list[str]:
    result = checked(answer, **keys)
    assert "Size" not in result.values
    return result.errors["Size"]


@pytest.mark.parametrize(
    ("answer", "keys", "sent"),
    [
        ("orders", {}, "orders"),
        ("  spaced  ", {}, "  spaced  "),
        ("two\r\nlines", {}, "two\nlines"),
        ("20", {"Type": "Number"}, "20"),
        (" 20 ", {"Type": "Number"}, "20"),
        ("-1.5e3", {"Type": "Number"}, "-1.5e3"),
        (".5", {"Type": "Number"}, ".5"),
        (20, {"Type": "Number"}, "20"),
        (True, {"AllowedValues": ["true", "false"]}, "true"),
        ("true", {"Type": "Boolean"}, "true"),
        ("20", {"Type": "Number", "MinValue": 20, "MaxValue": 20}, "20"),
        ("abc", {"MinLength": 3, "MaxLength": 3}, "abc"),
        ("1.0", {"Type": "Number", "AllowedValues": [1, 2]}, "1.0"),
        ("a, b ,c", {"Type": "CommaDelimitedList"}, "a,b,c"),
        (["a", " b", ""], {"Type": "CommaDelimitedList"}, "a,b"),
        ("a\nb", {"Type": "CommaDelimitedList"}, "a,b"),
        ("1, 2.5", {"Type": "List<Number>"}, "1,2.5"),
        (["subnet-1", "subnet-2"], {"Type": "List<AWS::EC2::Subnet::Id>"}, "subnet-1,subnet-2"),
        (" vpc-1 ", {"Type": "AWS::EC2::VPC::Id"}, "vpc-1"),
        (["vpc-1"], {"Type": "AWS::EC2::VPC::Id"}, "vpc-1"),
        ("/orders/ami", {"Type": "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"}, "/orders/ami"),
        ("", {"Default": ""}, ""),
        ("", {"Default": "small"}, ""),
        ("", {"Type": "Number", "Default": 5}, "5"),
        ("", {"Type": "AWS::EC2::VPC::Id", "Default": ""}, ""),
        ("", {"AllowedPattern": "[a-z]*"}, ""),
        ("", {"AllowedValues": ["", "a"]}, ""),
        (None, {"Default": ""}, ""),
        ([], {"Type": "CommaDelimitedList", "Default": ""}, ""),
        ("x" * 4096, {}, "x" * 4096),
    ],
)
def test_an_answer_is_accepted(answer, keys, sent):
    assert value_of(answer, **keys) == sent


@pytest.mark.parametrize(
    ("answer", "keys", "sentence"),
    [
        ("", {}, "Enter a value."),
        ("   ", {}, "Enter a value."),
        ("", {"Type": "Number", "MinValue": 20, "MaxValue": 1000}, "Between 20 and 1,000."),
        ("", {"AllowedValues": ["small", "large"]}, "Choose small or large."),
        ("", {"Type": "AWS::EC2::VPC::Id"}, "Choose one."),
        ([], {"Type": "List<AWS::EC2::Subnet::Id>"}, "Choose at least one."),
        ("", {"Type": "CommaDelimitedList"}, "Enter at least one value."),
        ("many", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("1,000", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("0x1F", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("NaN", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("٣", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("1e9999999", {"Type": "Number"}, "A number, such as 20 or 0.5."),
        ("5", {"Type": "Number", "MinValue": 20, "MaxValue": 1000}, "Between 20 and 1,000."),
        ("5", {"Type": "Number", "MinValue": 7.5}, "7.5 or more."),
        ("5000", {"Type": "Number", "MaxValue": 1000}, "1,000 or less."),
        ("medium", {"AllowedValues": ["small", "large"]}, "Only small or large."),
        ("x", {"AllowedValues": list("abcdefghij")}, "One of a, b, c, d, e, f, g and 3 more."),
        ("3", {"Type": "Number", "AllowedValues": [1, 2]}, "Only 1 or 2."),
        ("abc", {"MinLength": 8, "MaxLength": 41}, "Between 8 and 41 characters; this has 3."),
        ("abc", {"MinLength": 8}, "At least 8 characters; this has 3."),
        ("abc", {"MaxLength": 2}, "At most 2 characters; this has 3."),
        ("abc", {"MinLength": 2, "MaxLength": 2}, "Exactly 2 characters; this has 3."),
        ("ABC", {"AllowedPattern": "[a-z]+"}, "The whole value has to match [a-z]+"),
        ("x" * 4097, {}, "At most 4,096 bytes; this has 4,097."),
        ("é" * 2049, {}, "At most 4,096 bytes; this has 4,098."),
        ("a\0b", {}, "Only text that can be written in UTF-8, without null characters."),
        ("\ud800", {}, "Only text that can be written in UTF-8, without null characters."),
        (["a", "b"], {}, "Enter one value, not several."),
        ("1, x", {"Type": "List<Number>"}, "Item 2 (x): A number, such as 20 or 0.5."),
        ("1,,2", {"Type": "List<Number>"}, "Item 2: A number, such as 20 or 0.5."),
        (
            "a,B",
            {"Type": "CommaDelimitedList", "AllowedPattern": "[a-z]"},
            "Item 2 (B): The whole value has to match [a-z]",
        ),
        ("a,c", {"Type": "CommaDelimitedList", "AllowedValues": ["a", "b"]}, "Item 2 (c): Only a or b."),
        ("", {"Default": "abc", "MinLength": 2}, "At least 2 characters; this has 0."),
    ],
)
def test_an_answer_is_refused_with_what_would_be_right(answer, keys, sentence):
    assert errors_of(answer, **keys) == [sentence]


def test_the_authors_explanation_comes_first():
    errors = errors_of("ABC", AllowedPattern="[a-z]+", ConstraintDescription="must be lower case")
    assert errors == ["Must be lower case.", "The whole value has to match [a-z]+"]


def test_two_faults_are_told_at_once():
    assert len(errors_of("AB", AllowedPattern="[a-z]+", MinLength=3)) == 2


def test_a_secret_is_not_repeated_in_its_refusal():
    errors = errors_of("hunter2,Hunter3", Type="CommaDelimitedList", AllowedPattern="[a-z]+", NoEcho=True)
    assert not any("unter" in error for error in errors)


def test_only_the_first_wrong_items_are_told():
    assert len(errors_of(",".join("x" * 400), Type="List<Number>")) == 5


def test_a_parameter_nobody_answered_uses_its_default():
    result = check(fields(Size={"Type": "String", "Default": "small"}, Team={"Type": "String"}), {})
    assert result.values == {"Size": "small"}
    assert result.errors == {"Team": ["Enter a value."]}
    assert not result.is_valid


def test_an_unknown_name_is_refused_with_a_hint():
    result = check(fields(QueueName={"Type": "String", "Default": "x"}), {"QueuName": "a", "Nothing": "b"})
    assert result.errors == {
        "QueuName": ["This template has no parameter QueuName. Did you mean QueueName?"],
        "Nothing": ["This template has no parameter Nothing."],
    }


def test_an_update_keeps_a_secret_left_blank():
    password = fields(Password={"Type": "String", "NoEcho": True, "MinLength": 8})
    kept = check(password, {"Password": ""}, previous={"Password": "****"})
    assert (kept.kept, kept.values, kept.errors) == ({"Password"}, {}, {})
    changed = check(password, {"Password": "correct horse"}, previous={"Password": "****"})
    assert (changed.kept, changed.values) == (frozenset(), {"Password": "correct horse"})
    assert check(password, {"Password": ""}).errors == {"Password": ["Enter a value."]}
    assert check(password, {"Password": ""}, previous={}).errors


def test_an_update_keeps_what_it_does_not_mention():
    result = check(fields(Size={"Type": "String"}, Team={"Type": "String"}), {"Size": "l"}, previous={"Team": "orders"})
    assert (result.values, result.kept) == ({"Size": "l"}, {"Team"})


def test_an_update_refuses_a_previous_value_the_new_version_does_not_accept():
    stricter = fields(
        Size={"Type": "String", "AllowedValues": ["m", "l"]},
        Ports={"Type": "List<Number>", "MaxValue": 80},
        Password={"Type": "String", "NoEcho": True, "MinLength": 8},
    )
    result = check(stricter, {}, previous={"Size": "s", "Ports": "22, 443", "Password": "****"})
    assert result.errors == {"Size": ["Only m or l."], "Ports": ["Item 2 (443): 80 or less."]}
    assert result.kept == {"Password"}


def test_an_undecidable_pattern_is_left_to_cloudformation():
    result = checked("abc", AllowedPattern=r"\p{IsGreek}+")
    assert result.is_valid
    assert result.warnings == ("Size: the pattern is left to CloudFormation to check: it uses the property IsGreek.",)


def test_slow_patterns_do_not_hold_up_a_form():
    slow = fields(**{f"P{n}": {"Type": "String", "AllowedPattern": "(a|aa)+$"} for n in range(200)})
    started = process_time()
    result = check(slow, {field.name: "a" * 60 + "b" for field in slow})
    assert process_time() - started < 0.5
    assert result.is_valid
    assert len(result.warnings) == 200


odd_answers = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=3)
definitions = st.fixed_dictionaries(
    {
        "Type": st.sampled_from(
            ["String", "Number", "List<Number>", "CommaDelimitedList", "AWS::EC2::VPC::Id", "Boolean"]
        )
    },
    optional={
        "Default": st.text("a1,", max_size=4),
        "AllowedValues": st.lists(st.text("a1", max_size=2), max_size=3),
        "AllowedPattern": st.text("a1[]+*", max_size=5),
        "MinLength": st.integers(0, 5),
        "MaxValue": st.integers(-5, 5),
        "NoEcho": st.booleans(),
        "ConstraintDescription": st.text(max_size=5),
    },
)


@given(definitions, odd_answers, st.booleans())
def test_every_answer_lands_in_exactly_one_place(definition, answer, is_update):
    result = check(fields(Size=definition), {"Size": answer}, {"Size": "1"} if is_update else None)
    assert ("Size" in result.values) + ("Size" in result.errors) + ("Size" in result.kept) == 1
    assert all(sentence for sentence in result.errors.get("Size", []))
