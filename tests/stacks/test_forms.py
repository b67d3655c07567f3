"""The form of a version: what kind of field each parameter gets, and what was typed into it."""

import pytest
from werkzeug.datastructures import MultiDict

from app.aws.lookups import Choice, Choices
from app.catalog.bodies import parsed
from app.stacks import forms

BODY = """
Parameters:
  Name: {Type: String, Description: What it is called.}
  Size: {Type: Number, Default: 3, MinValue: 1, MaxValue: 9}
  Kind: {Type: String, AllowedValues: [standard, fifo], Default: standard}
  Secret: {Type: String, NoEcho: true}
  Zones: {Type: CommaDelimitedList, Default: "a, b"}
  Vpc: {Type: "AWS::EC2::VPC::Id"}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
Resources: {Queue: {Type: AWS::SQS::Queue}}
"""


@pytest.fixture
def template(make):
    return parsed(make.version(body=BODY))


def fields(template, answers=(), offered=None, errors=None, kept=frozenset()):
    (group,) = forms.build(template, dict(answers), offered or {}, errors or {}, kept=kept)
    return {field.name.removeprefix("parameters."): field for field in group.fields}


def vpcs(number):
    return Choices(tuple(Choice(f"vpc-{n}", f"net {n}", "10.0.0.0/16") for n in range(number)))


def test_defaults_are_shown_until_something_is_typed(template):
    found = fields(template)
    assert (found["Size"].value, found["Kind"].value, found["Name"].value) == ("3", "standard", "")
    assert found["Zones"].values == ("a", "b")
    found = fields(template, {"Size": "7", "Zones": ["x"]})
    assert (found["Size"].value, found["Zones"].values) == ("7", ("x",))


def test_a_secret_is_never_put_back(template):
    found = fields(template, {"Secret": "hunter2-hunter2"}, kept=frozenset({"Secret"}))["Secret"]
    assert (found.widget, found.value, found.kept) == ("secret", "", True)


def test_numbers_carry_their_limits_to_the_browser(template):
    found = fields(template)["Size"]
    assert (found.widget, found.attributes["min"], found.attributes["max"]) == ("number", 1, 9)


@pytest.mark.parametrize(("number", "widget"), [(0, "text"), (3, "select"), (40, "lookup")])
def test_the_account_decides_what_a_lookup_looks_like(template, number, widget):
    assert fields(template, offered={"Vpc": vpcs(number)})["Vpc"].widget == widget


def test_several_may_be_picked_for_a_list(template):
    assert fields(template, offered={"Subnets": vpcs(3)})["Subnets"].widget == "many"


def test_what_was_typed_stays_choosable_though_the_account_does_not_list_it(template):
    options = fields(template, {"Vpc": "vpc-old"}, {"Vpc": vpcs(2)})["Vpc"].options
    assert ("vpc-old", "vpc-old", "not listed there") in options
    assert options[0] == ("", "Choose one", "")


def test_a_list_that_could_not_be_read_says_so_and_takes_any_id(template):
    found = fields(template, offered={"Vpc": Choices(problem="The launch role may not do this.")})["Vpc"]
    assert found.widget == "text"
    assert "type the id. The launch role may not do this." in found.help


def test_errors_stand_at_their_field(template):
    found = fields(template, errors={"parameters.Size": ["Too large."], "name": ["Not this one."]})
    assert (found["Size"].errors, found["Name"].errors) == (["Too large."], [])


def test_what_a_browser_sends_is_read_by_parameter(template):
    sent = MultiDict(
        [("parameters.Name", "orders"), ("parameters.Subnets", "a"), ("parameters.Subnets", "b"), ("name", "x"),
         ("shown", "parameters.Zones"), ("parameters.Unknown", "y")]
    )  # fmt: skip
    assert forms.typed_answers(sent, template.parameters) == {
        "Name": "orders", "Subnets": ["a", "b"], "Zones": [], "Unknown": "y",
    }  # fmt: skip
