"""Groups and labels: the author's layout, or file order."""

import pytest

from app.cloudformation.body import Body, load
from app.cloudformation.interface import Group, groups
from app.cloudformation.parameters import parameter_warnings

FIELDS = "Parameters: {Name: {Type: String}, Subnet: {Type: String}, Vpc: {Type: String}, Alarm: {Type: String}}\n"


def laid_out(interface: str = "") -> Body:
    metadata = f"Metadata:\n  AWS::CloudFormation::Interface: {interface}\n" if interface else ""
    return load(FIELDS + metadata + "Resources: {}\n")


def outline(found: tuple[Group, ...]) -> list[tuple[str, list[str]]]:
    return [(group.label, [field.name for field in group.parameters]) for group in found]


def test_without_an_interface_one_group_keeps_file_order():
    assert outline(groups(laid_out())) == [("Other parameters", ["Name", "Subnet", "Vpc", "Alarm"])]


def test_groups_keep_the_authors_order_and_the_rest_comes_last():
    body = laid_out(
        "{ParameterGroups: [{Label: {default: Network}, Parameters: [Vpc, Subnet]},"
        " {Label: {default: Name}, Parameters: [Name]}]}"
    )
    assert outline(groups(body)) == [
        ("Network", ["Vpc", "Subnet"]),
        ("Name", ["Name"]),
        ("Other parameters", ["Alarm"]),
    ]


def test_labels_replace_names():
    [group] = groups(laid_out("{ParameterLabels: {Vpc: {default: 'Which network?'}, Name: plain, Subnet: {}}}"))
    assert [field.label for field in group.parameters] == ["plain", "Subnet", "Which network?", "Alarm"]


def test_fields_know_their_group():
    body = laid_out("{ParameterGroups: [{Label: {default: Network}, Parameters: [Vpc]}]}")
    assert groups(body)[0].parameters[0].group == "Network"
    assert groups(body)[1].parameters[0].group == "Other parameters"


def test_an_own_group_for_the_rest_is_not_doubled():
    body = laid_out("{ParameterGroups: [{Label: {default: Other parameters}, Parameters: [Vpc]}]}")
    assert outline(groups(body)) == [("Other parameters", ["Vpc", "Name", "Subnet", "Alarm"])]


@pytest.mark.parametrize(
    ("interface", "words"),
    [
        ("[1]", "not a mapping"),
        ("{ParameterGroups: [text]}", "Group 1 of the interface is not a mapping"),
        ("{ParameterGroups: [{Label: {default: Net}, Parameters: [Vcp]}]}", "The group Net names Vcp"),
        ("{ParameterGroups: [{Parameters: [Vpc]}, {Label: {default: B}, Parameters: [Vpc]}]}", "more than one group"),
    ],
)
def test_a_malformed_interface_loses_no_field(interface, words):
    body = laid_out(interface)
    assert sorted(name for _, names in outline(groups(body)) for name in names) == ["Alarm", "Name", "Subnet", "Vpc"]
    assert any(words in warning for warning in parameter_warnings(body))


@pytest.mark.parametrize(
    "interface", ["{ParameterGroups: {a: 1}}", "{ParameterLabels: [a]}", "{ParameterGroups: [{Parameters: 3}]}"]
)
def test_odd_shapes_are_ignored(interface):
    assert outline(groups(laid_out(interface))) == [("Other parameters", ["Name", "Subnet", "Vpc", "Alarm"])]


def test_a_group_without_a_label_gets_a_number():
    assert groups(laid_out("{ParameterGroups: [{Parameters: [Vpc]}]}"))[0].label == "Group 1"
