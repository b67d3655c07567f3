"""Check the answers to a form against the template's own rules, before CloudFormation sees them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from app.cloudformation.constraints import Trial
from app.cloudformation.parameters import Parameter
from app.cloudformation.patterns import Budget, matches
from app.cloudformation.scalars import as_text
from app.cloudformation.types import STRING
from app.cloudformation.wording import needed

Given = str | list[str]


@dataclass(frozen=True)
class Checked:
    """What became of the answers.

    `values` is what CloudFormation gets, lists joined by commas. `kept` are the names whose previous value stays, to be
    sent as UsePreviousValue. A name stands in `values`, in `kept` or in `errors`, never in two of them.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    kept: frozenset[str] = frozenset()

    @property
    def is_valid(self) -> bool:
        """Whether the answers can go to CloudFormation."""
        return not self.errors


def check(
    parameters: Iterable[Parameter],
    given: Mapping[str, Given],
    previous: Mapping[str, str] | None = None,
) -> Checked:
    """Check what was given for each parameter, and that nothing else was given.

    `previous` are the answers of the running version, when there is one: a parameter left out of `given`, or a hidden
    one left blank, keeps its previous value. Only the names count; the values may be masked. Never raises.
    """
    form = _Form(given, previous or {})
    fields = list(parameters)
    for parameter in fields:
        form.take(parameter)
    form.refuse_unknown([parameter.name for parameter in fields])
    return Checked(form.values, form.errors, tuple(form.warnings), frozenset(form.kept))


class _Form:
    """The answers of one submission while they are checked one by one."""

    def __init__(self, given: Mapping[str, Given], previous: Mapping[str, str]) -> None:
        self.given = given
        self.previous = previous
        self.budget = Budget()
        self.values: dict[str, str] = {}
        self.errors: dict[str, list[str]] = {}
        self.warnings: list[str] = []
        self.kept: set[str] = set()

    def take(self, parameter: Parameter) -> None:
        name = parameter.name
        items = _items(parameter, self.given[name]) if name in self.given else None
        if items is None:
            self.leave_out(parameter)
        elif any(item.strip() for item in items):
            self.try_out(parameter, items)
        else:
            self.take_blank(parameter)

    def leave_out(self, parameter: Parameter) -> None:
        """Keep the previous value of a parameter nobody spoke of, else use its default."""
        if parameter.name in self.previous:
            self.keep(parameter)
        elif parameter.default is not None:
            self.values[parameter.name] = parameter.default
        else:
            self.errors[parameter.name] = [needed(parameter)]

    def keep(self, parameter: Parameter) -> None:
        """Keep a previous value, unless another version of the template has come to refuse it."""
        items = _items(parameter, self.previous[parameter.name])
        faults = [] if parameter.no_echo or not items else Trial(parameter, items, self.budget).errors
        if faults:
            self.errors[parameter.name] = faults
        else:
            self.kept.add(parameter.name)

    def take_blank(self, parameter: Parameter) -> None:
        """Decide what an empty field means.

        A hidden field is shown empty on purpose, so empty means unchanged. Text may well be meant to be empty; a number
        or an AWS value cannot be, so there the default counts. A required field has to allow emptiness explicitly.
        """
        if parameter.no_echo and parameter.name in self.previous:
            self.kept.add(parameter.name)
        elif parameter.default is not None and (parameter.default == "" or not _is_text(parameter)):
            self.values[parameter.name] = parameter.default
        elif parameter.default is not None or self.allows_empty(parameter):
            self.try_out(parameter, [] if parameter.is_list else [""])
        else:
            self.errors[parameter.name] = [needed(parameter)]

    def allows_empty(self, parameter: Parameter) -> bool:
        if parameter.allowed_values:
            return "" in parameter.allowed_values
        if parameter.allowed_pattern is None or not _is_text(parameter):
            return False
        return matches(parameter.allowed_pattern, "", self.budget) is True

    def try_out(self, parameter: Parameter, items: list[str]) -> None:
        trial = Trial(parameter, items, self.budget)
        self.warnings += [f"{parameter.name}: {warning}" for warning in trial.warnings]
        if trial.errors:
            self.errors[parameter.name] = trial.errors
        else:
            self.values[parameter.name] = ",".join(trial.items)

    def refuse_unknown(self, known: list[str]) -> None:
        for name in self.given:
            if name not in known:
                self.errors[str(name)] = [_unknown(str(name), known)]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1) if len(name) <= 255 else []
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"This template has no parameter {name[:60]}.{hint}"


def _is_text(parameter: Parameter) -> bool:
    return parameter.kind.item == STRING


def _items(parameter: Parameter, given: object) -> list[str]:
    """Give the answer as items: one for a single value, several for a list, none for nothing at all."""
    if given is None:
        return []
    entries = given if isinstance(given, list) else [given]
    texts = [_written(entry) for entry in entries]
    if not parameter.is_list:
        return texts if _is_text(parameter) else [text.strip() for text in texts]
    return _listed(texts, from_fields=isinstance(given, list))


def _listed(texts: list[str], from_fields: bool) -> list[str]:
    """Split at commas and line ends. Fields of a form that were left empty are no items; between commas they are."""
    pieces = [piece.strip() for text in texts for piece in text.replace("\n", ",").split(",")]
    return [piece for piece in pieces if piece] if from_fields else pieces


def _written(entry: object) -> str:
    """Give one answer as text; browsers end lines with a carriage return that nobody typed."""
    found = as_text(entry)
    return (str(entry) if found is None else found).replace("\r\n", "\n")
