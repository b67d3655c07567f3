"""Differences: what changes, in words a person can check, and never a secret."""

from app.cloudformation.body import load
from app.cloudformation.diff import AnswerChange, PropertyChange, answer_changes, property_changes
from app.cloudformation.parameters import parameters

TEMPLATE = """
Parameters:
  Days: {Type: Number, Default: 4}
  Team: {Type: String, Default: orders}
  Password: {Type: String, NoEcho: true, Default: ""}
Conditions:
  IsLong: !Equals [!Ref Days, "14"]
Mappings:
  Teams: {orders: {Owner: omar}, payments: {Owner: dana}}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    DeletionPolicy: Retain
    Properties:
      MessageRetentionPeriod: !If [IsLong, 1209600, 345600]
      QueueName: !Sub "${Team}-queue"
      Tags:
        - {Key: owner, Value: !FindInMap [Teams, !Ref Team, Owner]}
        - {Key: alarm, Value: !Sub "${Team}/${Topic.TopicName}"}
        - {Key: topic, Value: !Ref Topic}
  Database:
    Type: AWS::RDS::DBInstance
    Properties: {MasterUserPassword: !Ref Password, Url: !Sub "db://admin:${Password}@x"}
  Topic: {Type: "AWS::SNS::Topic"}
"""


def changes(old: dict[str, str], new: dict[str, str], new_text: str = TEMPLATE) -> dict[str, list[tuple]]:
    found = property_changes(load(TEMPLATE), old, load(new_text), new)
    return {name: [(each.path, each.before, each.after) for each in listed] for name, listed in found.items()}


def test_nothing_changes_when_nothing_is_changed():
    assert changes({}, {}) == {}
    assert changes({"Days": "4"}, {}) == {}


def test_an_answer_is_followed_to_the_properties_it_decides():
    assert changes({"Days": "4"}, {"Days": "14"}) == {"Queue": [("MessageRetentionPeriod", "345600", "1209600")]}


def test_what_is_partly_known_shows_what_is_known():
    assert changes({"Team": "orders"}, {"Team": "payments"}) == {
        "Queue": [
            ("QueueName", "orders-queue", "payments-queue"),
            ("Tags[0].Value", "omar", "dana"),
            ("Tags[1].Value", "orders/${Topic.TopicName}", "payments/${Topic.TopicName}"),
        ]
    }


def test_what_only_aws_knows_says_so():
    new = TEMPLATE.replace('QueueName: !Sub "${Team}-queue"', "QueueName: !GetAtt Topic.TopicName")
    assert changes({}, {}, new) == {"Queue": [("QueueName", "orders-queue", "known after it runs")]}


def test_added_removed_and_reshaped_parts_are_told():
    new = TEMPLATE.replace("        - {Key: topic, Value: !Ref Topic}\n", "").replace(
        "DeletionPolicy: Retain", "DependsOn: Topic"
    )
    assert changes({}, {}, new)["Queue"] == [
        ("DeletionPolicy", "Retain", None),
        ("Tags[2]", '{"Key": "topic", "Value": "${Topic}"}', None),
    ]
    typed = changes({}, {}, TEMPLATE.replace("AWS::SNS::Topic", "AWS::SQS::Queue"))
    assert typed == {"Topic": [("Type", "AWS::SNS::Topic", "AWS::SQS::Queue")]}


def test_numbers_and_their_text_are_one_value():
    assert changes({}, {}, TEMPLATE.replace("1209600, 345600", '"1209600", "345600"')) == {}


def test_a_secret_never_shows():
    found = changes({"Password": "hunter2"}, {"Password": "hunter3"})
    assert found["Database"] == [
        ("MasterUserPassword", "••••••", "••••••"),
        ("Url", "db://admin:••••••@x", "db://admin:••••••@x"),
    ]
    assert "hunter" not in repr(found)


def test_a_secret_that_stays_is_no_change():
    assert changes({}, {}) == {}
    assert changes({"Password": "hunter2"}, {}) == {}
    assert list(changes({}, {"Password": "hunter3"})) == ["Database"]


def test_resources_on_one_side_only_are_left_to_the_plan():
    assert changes({}, {}, TEMPLATE.replace("  Topic: {Type", "  News: {Type")) == {}


def test_answers_are_compared_by_label_and_masked():
    body = load(
        TEMPLATE + "Metadata: {'AWS::CloudFormation::Interface': {ParameterLabels: {Days: {default: Keep for}}}}"
    )
    found = answer_changes(
        {"Days": "4", "Team": "orders", "Password": "hunter2", "Gone": "x"},
        {"Days": "14", "Team": "orders", "Password": "hunter3", "New": "y"},
        parameters(body),
    )
    assert found == (
        AnswerChange("Days", "Keep for", "4", "14"),
        AnswerChange("Password", "Password", "••••••", "••••••"),
        AnswerChange("Gone", "Gone", "x", None),
        AnswerChange("New", "New", None, "y"),
    )
    assert answer_changes({"Password": "a"}, {}, parameters(body), kept={"Password"}) == ()


def test_long_values_are_cut():
    new = TEMPLATE.replace('QueueName: !Sub "${Team}-queue"', f"QueueName: {'x' * 5000}")
    [change] = property_changes(load(TEMPLATE), {}, load(new), {})["Queue"]
    assert isinstance(change, PropertyChange)
    assert change.after is not None
    assert len(change.after) == 400
