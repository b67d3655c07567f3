"""The functions of Rules that ask AWS about the answers, through the lookups the caller gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.cloudformation.unknown import Unknown, first_unknown, made_by

if TYPE_CHECKING:
    from app.cloudformation.evaluator import Evaluator


def ref_all(evaluator: Evaluator, argument: Any) -> Any:
    """Give every existing value of an AWS type in the target account and region."""
    found = evaluator.environment.existing(argument) if isinstance(argument, str) else None
    if found is None:
        return made_by("Fn::RefAll", argument, f"what exists of {str(argument)[:60]} could not be looked up")
    return list(found)


def value_of(evaluator: Evaluator, argument: Any) -> Any:
    """Give an attribute of what a parameter names; a list for a parameter that names several."""
    name, attribute = _two_names(argument)
    if name not in evaluator.parameters or attribute is None:
        return made_by("Fn::ValueOf", argument, f"there is no parameter {str(name)[:60]}")
    chosen = evaluator.parameter_value(name)
    if isinstance(chosen, Unknown):
        return chosen
    aws_type = evaluator.parameters[name].kind.item
    if isinstance(chosen, list):
        return _flat([_attribute(evaluator, aws_type, each, attribute) for each in chosen])
    return _attribute(evaluator, aws_type, chosen, attribute)


def value_of_all(evaluator: Evaluator, argument: Any) -> Any:
    """Give an attribute of everything that parameters of an AWS type name, lists included."""
    aws_type, attribute = _two_names(argument)
    if aws_type is None or attribute is None:
        return made_by("Fn::ValueOfAll", argument, "a type and an attribute are missing")
    names = [name for name, field in evaluator.parameters.items() if field.kind.item == aws_type]
    found = [value_of(evaluator, [name, attribute]) for name in names]
    return first_unknown(found) or _flat(found)


def _two_names(argument: Any) -> tuple[Any, Any]:
    if isinstance(argument, list) and len(argument) == 2 and all(isinstance(part, str) for part in argument):
        return argument[0], argument[1]
    return None, None


def _attribute(evaluator: Evaluator, aws_type: str, chosen: str, attribute: str) -> Any:
    found = evaluator.environment.attributes(aws_type, chosen, attribute)
    if found is None:
        because = f"{attribute[:60]} of {chosen[:60] or 'an empty answer'} could not be looked up"
        return made_by("Fn::ValueOf", [chosen, attribute], because)
    return found


def _flat(found: list[Any]) -> list[Any]:
    return [item for each in found for item in (each if isinstance(each, list) else [each])]
