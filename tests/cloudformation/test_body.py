"""Bodies: what loads, what is refused, and that no text is expensive."""

import json
from contextlib import suppress
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cloudformation.body import load
from app.cloudformation.errors import MAX_DEPTH, NotATemplate

QUEUE = "Resources:\n  Orders:\n    Type: AWS::SQS::Queue\n"


def with_value(yaml: str) -> object:
    return load(f"Resources:\n  Orders:\n    Value: {yaml}\n").resources["Orders"]["Value"]


@pytest.mark.parametrize(
    ("yaml", "long_form"),
    [
        ("!Ref Team", {"Ref": "Team"}),
        ("!Condition IsProd", {"Condition": "IsProd"}),
        ("!GetAtt Orders.Arn", {"Fn::GetAtt": ["Orders", "Arn"]}),
        ("!GetAtt Db.Endpoint.Port", {"Fn::GetAtt": ["Db", "Endpoint.Port"]}),
        ("!GetAtt [Db, Arn]", {"Fn::GetAtt": ["Db", "Arn"]}),
        ("!Sub '${Team}-x'", {"Fn::Sub": "${Team}-x"}),
        ("!If [IsProd, !Ref A, !GetAtt B.C]", {"Fn::If": ["IsProd", {"Ref": "A"}, {"Fn::GetAtt": ["B", "C"]}]}),
        ("{'Fn::Base64': !Sub x}", {"Fn::Base64": {"Fn::Sub": "x"}}),
        ("!GetAZs ''", {"Fn::GetAZs": ""}),
        ("!Select [0, !GetAZs {Ref: 'AWS::Region'}]", {"Fn::Select": [0, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]}),
        ("!EachMemberIn [[a], [b]]", {"Fn::EachMemberIn": [["a"], ["b"]]}),
        ("!Transform {Name: Include}", {"Fn::Transform": {"Name": "Include"}}),
    ],
)
def test_short_tags_become_long_functions(yaml, long_form):
    assert with_value(yaml) == long_form


@pytest.mark.parametrize(
    ("yaml", "value"),
    [
        ("2010-09-09", "2010-09-09"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00Z"),
        ("12:30", "12:30"),
        ("012345678901", "012345678901"),
        ("000400", "000400"),
        ("42", 42),
        ("-7", -7),
        ("1_000", 1000),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("yes", True),
        ("Off", False),
        ("~", None),
        ("'yes'", "yes"),
        ('"42"', "42"),
        ("!!str 42", "42"),
        (".inf", ".inf"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_plain_scalars_keep_what_people_meant(yaml, value):
    assert with_value(yaml) == value
    assert type(with_value(yaml)) is type(value)


def test_keys_are_text_as_written():
    assert with_value("{80: a, no: b, 012345678901: c}") == {"80": "a", "no": "b", "012345678901": "c"}


def test_an_alias_repeats_its_anchor_and_is_mentioned():
    body = load("Resources:\n  A: &base {Type: 'AWS::SNS::Topic'}\n  B: *base\n  C:\n    <<: *base\n    DependsOn: A\n")
    assert body.resources["B"] == {"Type": "AWS::SNS::Topic"}
    assert body.resources["C"] == {"Type": "AWS::SNS::Topic", "DependsOn": "A"}
    assert any("aliases" in warning for warning in body.warnings)


def test_a_body_tells_its_language_and_size_in_bytes():
    assert load(QUEUE).language == "yaml"
    assert load('{"Resources": {"A": {"Type": "é"}}}').language == "json"
    assert load('{"Resources": {"A": {"Type": "é"}}}').size == 36
    assert load(b"\xef\xbb\xbf" + QUEUE.encode()).document["Resources"]


def test_json_with_comments_is_read_as_yaml_flow():
    body = load('{\n  # the only queue\n  "Resources": {"A": {"Type": "AWS::SQS::Queue",}},\n}')
    assert body.language == "yaml"
    assert body.resources["A"]["Type"] == "AWS::SQS::Queue"


def test_unknown_and_empty_sections_are_warnings():
    assert load(QUEUE + "Colour: blue\n").warnings == ("CloudFormation has no section Colour; it is ignored here.",)
    assert "empty" in load("Resources: {}").warnings[0]


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("", "empty", None),
        ("# only a comment\n", "empty", None),
        ("hello", "single value", None),
        ("Just words: and: colons\n", "plain text", None),
        ("[1, 2]", "This is a list", None),
        ('[{"ParameterKey": "A", "ParameterValue": "b"}]', "parameter values", None),
        ("Parameters: {}", "Resources section", None),
        ("Resources:\n", "no mapping", None),
        ("Resources: []", "no mapping", None),
        ("apiVersion: v1\nkind: Pod\n", "Kubernetes", None),
        ("openapi: 3.1.0\n", "OpenAPI", None),
        ('resource "aws_sqs_queue" "orders" {\n}\n', "Terraform", 1),
        ('# ours\nvariable "team" {\n}\n', "Terraform", 2),
        ('{"resource": {}}', "Terraform", None),
        ("Resources:\n  A: {{ queue }}\n", "Jinja", 2),
        ("Resources:\n{% for q in queues %}\n  A: 1\n", "Jinja", 2),
        ('Resources:\n  A: "{{ service.name }}"\n', "Proton", 2),
        ("Resources:\n  A: !Rain::Module x\n", "rain tool", 2),
        ("Resources:\n  A: !Rif x\n", "no tag !Rif", 2),
        ("Resources: !!python/object/apply:os.system [ls]\n", "no tag", 1),
        ("Resources:\n  A: 1\n  B: 2\n  A: 3\n", "A stands twice", 4),
        ('{"Resources": {\n"A": 1,\n"A": 2}}', "A stands twice", 3),
        ("Resources:\n  A: [1\n  B: 2\n", "YAML breaks", 3),
        ("Resources:\n\tA: 1\n", "YAML breaks", 2),
        ('{"Resources": {"A": 1}\n', "JSON breaks", 2),
        ('{"Resources": NaN}', "NaN", None),
        ('{"Resources": {"A": "\\ud800"}}', "half a character", None),
        ("Resources: {}\n---\nResources: {}\n", "second YAML document", 2),
        ("Resources:\n  ? [a, b]\n  : 1\n", "key belongs", 2),
        ("Resources: &a {B: *a}\n", "no finished anchor", 1),
        ("Resources: {<<: 3}\n", "merge key", 1),
        (b"Resources: \xff\xfe", "UTF-8", None),
        ("Resources: \ud800", "UTF-8", None),
        ("Resources: \0", "characters", None),
    ],
)
def test_what_is_no_template_is_refused_with_a_sentence(text, words, line):
    with pytest.raises(NotATemplate) as refusal:
        load(text)
    assert words in refusal.value.sentence
    assert refusal.value.sentence.endswith(".")
    assert refusal.value.line == line
    assert refusal.value.status == 422


def test_dynamic_references_are_not_jinja():
    assert with_value("'{{resolve:ssm:/orders/db}}'") == "{{resolve:ssm:/orders/db}}"


def laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join([*lines, "Resources: *a9"])


HOSTILE = {
    "a billion laughs": laughs(),
    "ten megabytes": "a" * 10_000_000,
    "10,000 levels of JSON": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "10,000 levels of YAML": "a: " + "[" * 10_000,
    "deep blocks": "".join(f"{' ' * n}a:\n" for n in range(1_200)),
    "a dash a level": "- " * 400_000,
    "many values in JSON": '{"Resources": [' + "1," * 400_000 + "1]}",
    "an unfinished string": '{"a": "' + "\\\\" * 400_000,
    "nothing but braces": "{" * 1_000_000,
    "nothing but quotes": '"' * 1_000_000,
    "many aliases": "a: &a 1\nb: [" + "*a, " * 90_000 + "1]\nResources: {}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_refused_quickly(name):
    started = process_time()
    with pytest.raises(NotATemplate):
        load(HOSTILE[name])
    assert process_time() - started < 0.2


def test_aliases_count_as_often_as_they_are_used():
    with pytest.raises(NotATemplate, match="more than 100,000 values"):
        load(laughs())
    tens = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\nResources: {X: [" + "*a, " * 150 + "1]}"
    assert load(tens).document


def test_line_ends_of_windows_change_nothing():
    text = "Resources:\n  A:\n    Value: |\n      one\n      two\n  B: !Rif x\n"
    with pytest.raises(NotATemplate, match="Line 6"):
        load(text.replace("\n", "\r\n"))
    body = load(text.replace("!Rif x", "1").replace("\n", "\r\n"))
    assert body.resources["A"]["Value"] == "one\ntwo\n"


def test_depth_is_allowed_up_to_the_limit():
    depth = MAX_DEPTH - 1
    assert load("Resources: " + "{a: " * depth + "1" + "}" * depth).document
    with pytest.raises(NotATemplate, match="levels deep"):
        load("Resources: " + "{a: " * MAX_DEPTH + "1" + "}" * MAX_DEPTH)


# What YAML can hold unescaped: everything but control characters and line separators.
printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable, inner, max_size=4),
    max_leaves=12,
)


def as_flow_yaml(value: object) -> str:
    """Write a value as YAML flow style with every text quoted, which is how a careful author would convert JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"? {as_flow_yaml(key)} : {as_flow_yaml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_flow_yaml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


# The first text drawn on a fresh machine builds Hypothesis' table of characters, which takes a second.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.text("abcXYZ:", min_size=1), json_values, max_size=5))
def test_json_and_yaml_twins_load_alike(resources):
    as_json = load(json.dumps({"Resources": resources}))
    as_yaml = load(f"Resources: {as_flow_yaml(resources)}")
    assert as_json.document == as_yaml.document == {"Resources": resources}
    assert (as_json.language, as_yaml.language) == ("json", "yaml")


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_loading_either_works_or_refuses(text):
    with suppress(NotATemplate):
        assert "Resources" in load(text).document
