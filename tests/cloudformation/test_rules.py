"""Rules: hold, fail, or cannot be decided, beside the right field."""

from app.cloudformation.body import load
from app.cloudformation.inputs import Environment, pseudo_parameters
from app.cloudformation.rules import Verdict, evaluate, failed

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Size: {Type: String, Default: small}
  Vpc: {Type: "AWS::EC2::VPC::Id"}
  Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
Rules:
  ProdIsLarge:
    RuleCondition: !Equals [!Ref Stage, prod]
    Assertions:
      - Assert: !Contains [[large, huge], !Ref Size]
        AssertDescription: production needs large or huge
  SubnetsInVpc:
    Assertions:
      - Assert: !EachMemberIn [!ValueOfAll ["AWS::EC2::Subnet::Id", VpcId], !RefAll "AWS::EC2::VPC::Id"]
        AssertDescription: Subnets belong to a network of this account.
      - Assert:
          Fn::EachMemberEquals: [{"Fn::ValueOf": [Subnets, VpcId]}, {Ref: Vpc}]
        AssertDescription: Subnets belong to the chosen network.
Resources: {}
"""
NETWORKS = {"subnet-1": "vpc-1", "subnet-2": "vpc-1", "subnet-9": "vpc-9"}


def place(**more) -> Environment:
    return Environment(
        pseudo_parameters("eu-west-1", "123456789012"),
        attributes=lambda _type, chosen, _attribute: NETWORKS.get(chosen),
        existing=lambda _type: ["vpc-1", "vpc-9"],
        **more,
    )


def judged(environment: Environment | None = None, **answers: str) -> list[Verdict]:
    values = {"Vpc": "vpc-1", "Subnets": "subnet-1,subnet-2", **answers}
    return list(evaluate(load(TEMPLATE), values, environment or place()))


def test_a_rule_that_does_not_apply_says_nothing():
    assert [verdict.rule for verdict in judged()] == ["SubnetsInVpc", "SubnetsInVpc"]


def test_a_failed_assertion_names_its_fields_and_the_authors_words():
    verdict = judged(Stage="prod")[0]
    assert (verdict.rule, verdict.outcome) == ("ProdIsLarge", False)
    assert verdict.description == "Production needs large or huge."
    assert verdict.parameters == ("Size", "Stage")
    assert judged(Stage="prod", Size="huge")[0].outcome is True


def test_attributes_come_from_the_lookup():
    assert [verdict.outcome for verdict in judged()] == [True, True]
    assert [verdict.outcome for verdict in judged(Subnets="subnet-1,subnet-9")] == [True, False]
    assert judged()[1].parameters == ("Subnets", "Vpc")


def test_a_failed_lookup_leaves_the_rule_undecided():
    verdicts = judged(Environment())
    assert [verdict.outcome for verdict in verdicts] == [None, None]
    assert verdicts[0].undecidable_because == "VpcId of subnet-1 could not be looked up"
    assert failed(tuple(verdicts)) == ()


def test_doubt_about_a_rules_condition_matters_only_when_it_would_fail():
    body = load(
        "Parameters: {Stage: {Type: String}, Size: {Type: String}}\n"
        "Rules: {R: {RuleCondition: !Equals [!Ref Stage, prod],"
        " Assertions: [{Assert: !Equals [!Ref Size, large]}]}}\nResources: {}"
    )
    [passed] = evaluate(body, {"Size": "large"})
    [open_] = evaluate(body, {"Size": "small"})
    assert (passed.outcome, open_.outcome) == (True, None)
    assert open_.undecidable_because == "Stage has no answer yet"
    assert open_.description == "The rule R has to hold."


def test_named_conditions_are_followed_to_their_fields():
    body = load(TEMPLATE.replace("!Contains [[large, huge], !Ref Size]", "!Not [{Condition: IsProd}]"))
    assert evaluate(body, {"Stage": "prod"})[0].parameters == ("Stage",)


def test_malformed_rules_are_passed_over():
    for rules in ("[]", "{R: text}", "{R: {Assertions: text}}", "{R: {Assertions: [text, {Other: 1}]}}"):
        assert evaluate(load(f"Rules: {rules}\nResources: {{}}"), {}) == ()
    [odd] = evaluate(load("Rules: {R: {Assertions: [{Assert: maybe}]}}\nResources: {}"), {})
    assert odd.undecidable_because == "a condition is neither true nor false"
