"""Answers judged on the server: types and constraints, then the choices of the target account, then the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app import db
from app.aws import lookups
from app.aws.lookups import Choices
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation import answers as cfn_answers
from app.cloudformation import inputs, rules
from app.cloudformation.answers import Checked
from app.environments.models import Environment
from app.identity.models import Person
from app.stacks.cloud import place_of, session_name
from app.stacks.models import Stack, running_answers


@dataclass(frozen=True)
class Judged:
    """Checked answers with the verdicts of the template's rules and what the account offered."""

    checked: Checked
    verdicts: tuple[rules.Verdict, ...]
    choices: Mapping[str, Choices]


def check(
    version: Version,
    environment: Environment,
    given: Mapping[str, str | list[str]],
    by: Person,
    *,
    previous: Stack | None = None,
) -> Checked:
    """Return the answers CloudFormation will get, or every reason why not, by field."""
    return judge(version, environment, given, by, previous=previous).checked


def judge(
    version: Version,
    environment: Environment,
    given: Mapping[str, str | list[str]],
    by: Person,
    *,
    previous: Stack | None = None,
) -> Judged:
    """Judge answers as far as they go. A rule that fails is an error of every parameter it speaks of."""
    template = parsed(version)
    checked = cfn_answers.check(template.parameters, given, _previous(previous))
    offered = offer(version, environment, by)
    place = place_of(environment)

    def attribute(kind: str, value: str, name: str) -> str | list[str] | None:
        return lookups.attribute(place, kind, value, name, session_name(by, "form"))

    def existing(kind: str) -> list[str] | None:
        return lookups.existing(place, kind, session_name(by, "form"))

    world = inputs.Environment(pseudo(environment), attribute, existing)
    verdicts = rules.evaluate(template.body, checked.values, world)
    return Judged(_with_verdicts(checked, verdicts), verdicts, offered)


def offer(version: Version, environment: Environment, by: Person) -> dict[str, Choices]:
    """Return what the target account offers for each parameter fed by a lookup."""
    wanted = [(parameter.name, parameter.lookup) for parameter in parsed(version).parameters if parameter.lookup]
    if not wanted:
        return {}
    place, name = place_of(environment), session_name(by, "form")
    db.release()
    return {parameter: lookups.choices(place, kind, name) for parameter, kind in wanted if kind in lookups.READERS}


def pseudo(environment: Environment) -> dict[str, str]:
    """Return the pseudo parameters that follow from the place."""
    return inputs.pseudo_parameters(environment.region, environment.account.number)


def _previous(stack: Stack | None) -> Mapping[str, str] | None:
    """Answers of the running stack; its secrets are kept by the cloud, so their names alone count."""
    if stack is None:
        return None
    hidden = parsed(stack.running_version or stack.version).secrets
    return running_answers(stack) | dict.fromkeys(hidden, "")


def _with_verdicts(checked: Checked, verdicts: tuple[rules.Verdict, ...]) -> Checked:
    errors = {name: list(sentences) for name, sentences in checked.errors.items()}
    for verdict in verdicts:
        if verdict.outcome is False:
            for name in verdict.parameters or ("rules",):
                errors.setdefault(name, []).append(verdict.description)
    return replace(checked, errors=errors)
