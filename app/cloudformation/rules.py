"""Evaluate the Rules of a template: what must hold between answers before anything is created."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.evaluator import Evaluator, Truth
from app.cloudformation.inputs import Environment
from app.cloudformation.scalars import as_text
from app.cloudformation.unknown import Unknown
from app.cloudformation.wording import as_sentence


@dataclass(frozen=True)
class Verdict:
    """What one assertion of a rule says about the answers.

    `outcome` None means that it cannot be decided here and is left to CloudFormation, with the reason. `parameters` are
    those the assertion speaks of, then those its condition does: the message belongs beside the first.
    """

    rule: str
    outcome: bool | None
    description: str
    parameters: tuple[str, ...]
    undecidable_because: str | None = None


def evaluate(body: Body, values: Mapping[str, str], environment: Environment | None = None) -> tuple[Verdict, ...]:
    """Judge every assertion of every rule that applies to these answers. Never raises."""
    evaluator = Evaluator(body, values, environment)
    rules = body.mapping("Rules").items()
    return tuple(verdict for name, rule in rules for verdict in _judge(evaluator, name, rule))


def failed(verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Give the assertions that certainly do not hold."""
    return tuple(verdict for verdict in verdicts if verdict.outcome is False)


def _judge(evaluator: Evaluator, name: str, rule: dict[str, Any]) -> Iterator[Verdict]:
    applies = evaluator.truth(rule["RuleCondition"]) if "RuleCondition" in rule else True
    assertions = rule.get("Assertions")
    if applies is False or not isinstance(assertions, list):
        return
    for assertion in assertions:
        if isinstance(assertion, dict) and "Assert" in assertion:
            yield _verdict(evaluator, name, rule, assertion, applies)


def _verdict(
    evaluator: Evaluator, name: str, rule: dict[str, Any], assertion: dict[str, Any], applies: Truth
) -> Verdict:
    outcome = _weighed(evaluator.truth(assertion["Assert"]), applies)
    touched = [*_touched(evaluator, assertion["Assert"]), *_touched(evaluator, rule.get("RuleCondition"))]
    return Verdict(
        rule=name,
        outcome=None if isinstance(outcome, Unknown) else outcome,
        description=as_sentence(as_text(assertion.get("AssertDescription")) or f"The rule {name} has to hold."),
        parameters=tuple(dict.fromkeys(touched)),
        undecidable_because=outcome.because if isinstance(outcome, Unknown) else None,
    )


def _weighed(holds: Truth, applies: Truth) -> Truth:
    """Doubt about whether a rule applies matters only where it would fail."""
    if holds is True or applies is True or isinstance(holds, Unknown):
        return holds
    return applies


def _touched(evaluator: Evaluator, expression: Any) -> Iterator[str]:
    """Name the parameters an expression speaks of, directly, by type or through a named condition.

    Walks with a list instead of calling itself: conditions may lead from one to the next a thousand times.
    """
    waiting = [expression]
    conditions_seen: set[str] = set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list):
            waiting += reversed(part)
        elif isinstance(part, dict):
            waiting += [_behind(evaluator, *entry, conditions_seen) for entry in reversed(part.items())]
        elif isinstance(part, _Named):
            yield from part.names


@dataclass(frozen=True)
class _Named:
    names: tuple[str, ...]


def _behind(evaluator: Evaluator, function: str, argument: Any, conditions_seen: set[str]) -> Any:
    """Give what to look at next for one function: the parameters it names, or the parts it is made of."""
    first = argument[0] if isinstance(argument, list) and argument else argument
    if function in ("Ref", "Fn::ValueOf"):
        return _Named((first,) if isinstance(first, str) and first in evaluator.parameters else ())
    if function in ("Fn::RefAll", "Fn::ValueOfAll"):
        return _Named(tuple(name for name, field in evaluator.parameters.items() if field.kind.item == first))
    if function != "Condition":
        return argument
    if not isinstance(argument, str) or argument in conditions_seen:
        return None
    conditions_seen.add(argument)
    return evaluator.body.section("Conditions").get(argument)
