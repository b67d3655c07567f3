"""What a template will create with the given answers, told before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.evaluator import Evaluator
from app.cloudformation.inputs import Environment
from app.cloudformation.references import references
from app.cloudformation.scalars import as_text
from app.cloudformation.stateful import holds_data
from app.cloudformation.unknown import Unknown

_LOOP = "Fn::ForEach::"


@dataclass(frozen=True)
class Planned:
    """A resource as the template declares it.

    `will_be_created` None means that only a change set can tell: its condition is undecided, or a loop or a macro makes
    it.
    """

    logical_id: str
    type: str
    will_be_created: bool | None
    depends_on: tuple[str, ...]
    holds_data: bool


@dataclass(frozen=True)
class Output:
    """Something a stack will return. `will_exist` None means that its condition is undecided."""

    name: str
    description: str
    will_exist: bool | None
    is_exported: bool


def outline(body: Body, values: Mapping[str, str], pseudo: Mapping[str, str] | None = None) -> tuple[Planned, ...]:
    """Tell what will be created, in file order. `pseudo` holds pseudo parameters by full name."""
    evaluator = Evaluator(body, values, Environment(pseudo or {}))
    own = tuple(_planned(evaluator, name, resource) for name, resource in body.resources.items())
    return own + tuple(_made_elsewhere(name) for name in body.section("Resources") if name.startswith("Fn::"))


def outputs(body: Body, values: Mapping[str, str], pseudo: Mapping[str, str] | None = None) -> tuple[Output, ...]:
    """Tell what the stack will return, in file order."""
    evaluator = Evaluator(body, values, Environment(pseudo or {}))
    return tuple(_output(evaluator, name, entry) for name, entry in body.mapping("Outputs").items())


def _planned(evaluator: Evaluator, name: str, resource: dict[str, Any]) -> Planned:
    resource_type = as_text(resource.get("Type")) or "unknown"
    return Planned(
        logical_id=name,
        type=resource_type,
        will_be_created=_exists(evaluator, resource),
        depends_on=_depends_on(evaluator.body, name, resource),
        holds_data=holds_data(resource_type),
    )


def _made_elsewhere(name: str) -> Planned:
    """Stand for the resources that a loop or a macro makes: how many, only a change set knows."""
    return Planned(name.removeprefix(_LOOP), "unknown", None, (), False)


def _exists(evaluator: Evaluator, entry: dict[str, Any]) -> bool | None:
    if "Condition" not in entry:
        return True
    truth = evaluator.named_truth(entry["Condition"])
    return None if isinstance(truth, Unknown) else truth


def _depends_on(body: Body, name: str, resource: dict[str, Any]) -> tuple[str, ...]:
    """Give what has to exist first: what the author says, then what the properties refer to."""
    explicit = resource.get("DependsOn") or []
    stated = explicit if isinstance(explicit, list) else [explicit]
    mentioned = [*stated, *references(resource.get("Properties"))]
    others = (each for each in mentioned if isinstance(each, str) and each in body.resources and each != name)
    return tuple(dict.fromkeys(others))


def _output(evaluator: Evaluator, name: str, entry: dict[str, Any]) -> Output:
    description = " ".join((as_text(entry.get("Description")) or "").split())
    return Output(name, description, _exists(evaluator, entry), isinstance(entry.get("Export"), dict))
