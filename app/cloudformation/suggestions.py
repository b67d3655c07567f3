"""Suggest answers for a whole form: each suits its parameter, and together they keep the Rules and create something."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from app.cloudformation.answers import check
from app.cloudformation.body import Body
from app.cloudformation.inputs import Environment
from app.cloudformation.outline import outline
from app.cloudformation.parameters import Parameter, parameters
from app.cloudformation.references import references
from app.cloudformation.rules import evaluate, failed
from app.cloudformation.scalars import as_text
from app.cloudformation.suggest import alternatives

# Text parameters that mean something of an AWS type, known by their names. The first that fits decides.
_MEANT = (
    (re.compile(r"subnet(?!.*(cidr|name|count|number))", re.IGNORECASE), "AWS::EC2::Subnet::Id"),
    (re.compile(r"securitygroup(?!.*(name|cidr))", re.IGNORECASE), "AWS::EC2::SecurityGroup::Id"),
    (re.compile(r"vpc(id)?$", re.IGNORECASE), "AWS::EC2::VPC::Id"),
    (re.compile(r"(availabilityzone|azs?$)(?!.*(count|number))", re.IGNORECASE), "AWS::EC2::AvailabilityZone::Name"),
    (re.compile(r"key(pair|name|pairname)$", re.IGNORECASE), "AWS::EC2::KeyPair::KeyName"),
    (re.compile(r"hostedzoneid$", re.IGNORECASE), "AWS::Route53::HostedZone::Id"),
)
# Of these, parameters side by side want one each: two subnets, two zones.
_ONE_EACH = ("AWS::EC2::Subnet::Id", "AWS::EC2::AvailabilityZone::Name")
# Names that must not be given twice.
_OWN_NAME = re.compile(r"(bucket|(?<!attribute)name|prefix|cidr\w*)\d*$", re.IGNORECASE)
_BLOCK = re.compile(r"10\.0\.1\.0/24")
_MOST_TRIED = 24
_MOST_ROUNDS = 12


@dataclass(frozen=True)
class World:
    """Where the answers are meant for.

    `offered` holds what exists there by AWS type, what fits together first; `environment` is what Rules and Conditions
    are evaluated with; made-up names begin with `word`.
    """

    offered: Mapping[str, Sequence[str]] = field(default_factory=dict)
    environment: Environment = field(default_factory=Environment)
    word: str = "example"


def suggest_all(body: Body, world: World | None = None) -> dict[str, str]:
    """Give an answer for every parameter of a template.

    Defaults stay unless the Rules refuse them or nothing at all would be created. Whatever cannot be improved stays as
    it suggested itself, so the answers may still be refused.
    """
    form = _Form(body, world or World())
    answers = form.first_answers()
    for _ in range(_MOST_ROUNDS):
        better = form.improved(answers)
        if better is None:
            break
        answers = better
    return answers


class _Form:
    """One template in one world."""

    def __init__(self, body: Body, world: World) -> None:
        self.body = body
        self.world = world
        self.fields = parameters(body)
        self.wanted = _items_wanted(body)
        self.literals = _literals([body.section("Conditions"), body.section("Rules")])

    def first_answers(self) -> dict[str, str]:
        answers: dict[str, str] = {}
        turns: dict[str, int] = {}
        for each in self.fields:
            kind = _meant(each)
            choices = self.choices(each, turns.get(kind or "", 0))
            if kind in _ONE_EACH and kind and not each.is_list:
                turns[kind] = turns.get(kind, 0) + 1
            answers[each.name] = self.first(each, choices, set(answers.values()))
        return answers

    def first(self, parameter: Parameter, choices: list[str], taken: set[str]) -> str:
        """Take what suggests itself; a name of its own is not given twice."""
        suiting = self.candidates(parameter, choices)
        best = next(suiting, parameter.default or "")
        if not best or best not in taken or not _wants_own_name(parameter):
            return best
        return next((other for other in islice(suiting, _MOST_TRIED) if other not in taken), best)

    def candidates(self, parameter: Parameter, choices: list[str]) -> Iterator[str]:
        """Give answers the parameter accepts: what is meant by its name first, where it has no default."""
        if not parameter.default and not parameter.allowed_values and parameter.default is None:
            for text in self.by_name(parameter, choices):
                if check((parameter,), {parameter.name: text}).is_valid:
                    yield text
        yield from alternatives(parameter, choices if parameter.lookup else None)

    def by_name(self, parameter: Parameter, choices: list[str]) -> Iterator[str]:
        if choices:
            yield ",".join(choices[: self.wanted.get(parameter.name, 2)] if parameter.is_list else choices[:1])
        elif parameter.is_list:
            yield from self.several(parameter)
        elif _wants_own_name(parameter) and "cidr" in parameter.name.lower():
            yield from (f"10.0.{number}.0/24" for number in range(1, 40))
        elif _wants_own_name(parameter):
            name = parameter.name.lower()
            yield from (f"{self.world.word}-{name}"[: parameter.max_length], f"{self.world.word}{name}")

    def several(self, parameter: Parameter) -> Iterator[str]:
        """Give as many items as the template selects from the list."""
        many = self.wanted.get(parameter.name, 1)
        for text in alternatives(parameter):
            yield ",".join(_numbered(text, number) for number in range(many))

    def choices(self, parameter: Parameter, turn: int) -> list[str]:
        known = list(self.world.offered.get(_meant(parameter) or "", ()))
        turn %= max(1, len(known))
        return known[turn:] + known[:turn]

    def improved(self, answers: dict[str, str]) -> dict[str, str] | None:
        """Change the one answer that helps most against broken Rules or an empty stack; None when none does."""
        cost, suspects = self.judge(answers)
        if not cost:
            return None
        tried = [answers | {each.name: text} for each in suspects for text in self.others(each)]
        judged = [(self.judge(one)[0], number) for number, one in enumerate(tried)]
        best, number = min(judged, default=(cost, -1))
        return tried[number] if best < cost else None

    def judge(self, answers: dict[str, str]) -> tuple[int, list[Parameter]]:
        """Count what is wrong with the answers and name the parameters that may be at fault."""
        broken = failed(evaluate(self.body, answers, self.world.environment))
        if broken:
            names = {name for verdict in broken for name in verdict.parameters}
            return 2 * len(broken), [each for each in self.fields if each.name in names]
        planned = outline(self.body, answers, self.world.environment.pseudo)
        if not planned or any(each.will_be_created is not False for each in planned):
            return 0, []
        names = set(references(self.body.section("Conditions")))
        return 1, [each for each in self.fields if each.name in names]

    def others(self, parameter: Parameter) -> list[str]:
        """Give other answers: what conditions and rules compare with, what the account offers, what suggests itself."""
        known = self.choices(parameter, 0)
        literals = [] if parameter.lookup and known else self.literals
        written = [text for text in literals if check((parameter,), {parameter.name: text}).is_valid]
        offered = [*known, ",".join(known[:3])] if parameter.is_list else known
        allowed = [text for text in offered if check((parameter,), {parameter.name: text}).is_valid]
        return [*written, *allowed, *islice(self.candidates(parameter, known), _MOST_TRIED)][: 3 * _MOST_TRIED]


def _meant(parameter: Parameter) -> str | None:
    """Give the AWS type a parameter asks for, by its type or else by its name."""
    if parameter.lookup or parameter.is_number or parameter.allowed_values:
        return parameter.lookup
    return next((kind for words, kind in _MEANT if words.search(parameter.name)), None)


def _wants_own_name(parameter: Parameter) -> bool:
    is_open = not (parameter.lookup or parameter.allowed_values or parameter.is_number or parameter.is_list)
    return is_open and bool(_OWN_NAME.search(parameter.name))


def _numbered(text: str, number: int) -> str:
    """Give the text a number, so that the items of a list differ."""
    if number == 0:
        return text
    if _BLOCK.fullmatch(text):
        return f"10.0.{number + 1}.0/24"
    return str(int(text) + number) if text.isdecimal() else f"{text}{number + 1}"


def _items_wanted(body: Body) -> dict[str, int]:
    """Tell how many items the template selects from each list parameter: the highest Fn::Select, plus one."""
    wanted: dict[str, int] = {}
    for argument in _arguments(body.document, "Fn::Select"):
        if isinstance(argument, list) and len(argument) == 2 and isinstance(argument[1], dict):
            name, index = argument[1].get("Ref"), as_text(argument[0]) or ""
            if isinstance(name, str) and index.isdecimal():
                wanted[name] = max(wanted.get(name, 2), int(index) + 1)
    return wanted


def _arguments(document: Any, function: str) -> Iterator[Any]:
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if function in part:
                yield part[function]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _literals(document: Any) -> list[str]:
    """Give the texts that stand in conditions and rules: an answer is often compared with one of them."""
    found: list[str] = []
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [value for key, value in part.items() if key not in ("Ref", "Condition", "AssertDescription")]
        elif isinstance(part, list):
            waiting += part
        elif (text := as_text(part)) is not None:
            found.append(text)
    return list(dict.fromkeys(found))[:_MOST_TRIED]
