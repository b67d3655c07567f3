"""A change set in plain words, and the digest a yes is bound to."""

from dataclasses import dataclass

import pytest

from app.stacks import plans


@dataclass
class Property:
    path: str
    before: str
    after: str


def change(action="Modify", logical_id="Queue", type="AWS::SQS::Queue", **more):
    return {"Action": action, "LogicalResourceId": logical_id, "ResourceType": type, **more}


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (change("Add"), "add"),
        (change("Remove"), "remove"),
        (change("Import"), "import"),
        (change("Dynamic"), "may_replace"),
        (change(Replacement="False"), "modify"),
        (change(Replacement="True"), "replace"),
        (change(Replacement="Conditional"), "may_replace"),
        (change(), "modify"),
    ],
)
def test_an_action_has_its_kind_and_its_sentence(given, kind):
    (told,) = plans.describe([given], {})
    assert told["kind"] == kind
    assert told["sentence"].endswith(".")


def test_the_worst_comes_first():
    given = [
        change("Add", "New"),
        change(logical_id="Same", Replacement="False"),
        change("Remove", "Old"),
        change(logical_id="Topic", type="AWS::SNS::Topic", Replacement="True"),
        change(logical_id="Data", type="AWS::RDS::DBInstance", Replacement="True"),
    ]
    assert [each["logical_id"] for each in plans.describe(given, {})] == ["Data", "Topic", "Old", "Same", "New"]


@pytest.mark.parametrize(
    ("action", "replacement", "loses"),
    [("Modify", "True", True), ("Modify", "False", False), ("Remove", None, True), ("Add", None, False)],
)
def test_losing_data_is_known_by_type_and_kind(action, replacement, loses):
    given = change(action, "Data", "AWS::RDS::DBInstance", **({"Replacement": replacement} if replacement else {}))
    assert plans.loses_data(plans.describe([given], {})) is loses
    assert not plans.loses_data(plans.describe([given | {"ResourceType": "AWS::SNS::Topic"}], {}))


def test_properties_say_old_and_new_and_which_one_decides():
    detail = {"Target": {"Attribute": "Properties", "Name": "QueueName", "RequiresRecreation": "Always"}}
    given = change(Replacement="True", Details=[detail])
    (told,) = plans.describe([given], {"Queue": [Property("QueueName", "a", "b"), Property("Delay", "1", "2")]})
    assert told["properties"] == [
        {"path": "QueueName", "before": "a", "after": "b", "note": "decides the replacement"},
        {"path": "Delay", "before": "1", "after": "2", "note": ""},
    ]


def test_where_values_are_not_known_the_property_is_named():
    given = change(Details=[{"Target": {"Name": "Delay"}}, {"Target": {"Attribute": "Tags"}}])
    (told,) = plans.describe([given], {})
    assert [each["path"] for each in told["properties"]] == ["Delay"]


def test_the_digest_changes_with_everything_it_binds():
    parts = ("template", {"Size": "1"}, "arn:cs", [{"kind": "add"}])
    others = ("another", {"Size": "2"}, "arn:other", [{"kind": "remove"}])
    digests = {plans.digest(*parts)}
    for index in range(4):
        digests.add(plans.digest(*parts[:index], others[index], *parts[index + 1 :]))
    assert len(digests) == 5
    assert all(len(each) == 64 for each in digests)
    assert plans.digest("t", {"a": "1", "b": "2"}, "c", []) == plans.digest("t", {"b": "2", "a": "1"}, "c", [])
