"""The form of a version: fields by group, with the choices of the target account, what was typed, and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from app.aws.lookups import Choices
from app.catalog.bodies import Parsed
from app.cloudformation.parameters import Parameter

PREFIX = "parameters."
# Up to here a menu is quicker than a search.
MOST_IN_A_MENU = 12
# Words of up to so many letters fit beside another field.
SHORT = 16

Option = tuple[str, str, str]


@dataclass
class Field:
    """One parameter as the page shows it."""

    name: str
    label: str
    widget: str
    help: str
    hint: str
    value: str = ""
    values: tuple[str, ...] = ()
    options: Sequence[Option] = ()
    errors: list[str] = field(default_factory=list)
    kept: bool = False
    attributes: dict[str, Any] = field(default_factory=dict)

    @property
    def is_short(self) -> bool:
        """Whether half the width is enough: a number, or a few short words to choose from."""
        words = [option[1] for option in self.options]
        return self.widget == "number" or (self.widget == "select" and all(len(each) <= SHORT for each in words))


@dataclass
class FieldGroup:
    """Fields under one heading."""

    id: str
    label: str
    fields: list[Field]

    @property
    def rows(self) -> list[list[Field]]:
        """The fields as they stand: neighbours that need little room side by side."""
        rows: list[list[Field]] = []
        for each in self.fields:
            if each.is_short and rows and len(rows[-1]) == 1 and rows[-1][0].is_short:
                rows[-1].append(each)
            else:
                rows.append([each])
        return rows


def typed_answers(form: MultiDict[str, str], parameters: Sequence[Parameter]) -> dict[str, str | list[str]]:
    """Return what was typed for the parameters; one that is not in the form at all is left out.

    An unticked list sends nothing, so a browser says with `shown` which lists it had.
    """
    answers: dict[str, str | list[str]] = {}
    shown = set(form.getlist("shown"))
    for parameter in parameters:
        name = PREFIX + parameter.name
        if name in form:
            answers[parameter.name] = form.getlist(name) if parameter.is_list else form[name]
        elif name in shown:
            answers[parameter.name] = []
    unknown = [name for name in form if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in _names(parameters)]
    return answers | {name.removeprefix(PREFIX): form[name] for name in unknown}


def _names(parameters: Sequence[Parameter]) -> set[str]:
    return {parameter.name for parameter in parameters}


def build(
    template: Parsed,
    answers: Mapping[str, str | list[str]],
    offered: Mapping[str, Choices],
    errors: Mapping[str, list[str]],
    *,
    kept: frozenset[str] = frozenset(),
) -> list[FieldGroup]:
    """Return the fields with what was typed, or else the defaults. `kept` are secrets that may stay as they are."""
    single = len(template.groups) == 1
    return [
        FieldGroup(
            f"g{number}",
            "Parameters" if single and group.label == "Other parameters" else group.label,
            [_field(parameter, answers, offered, errors, kept) for parameter in group.parameters],
        )
        for number, group in enumerate(template.groups)
    ]


def _field(
    parameter: Parameter,
    answers: Mapping[str, str | list[str]],
    offered: Mapping[str, Choices],
    errors: Mapping[str, list[str]],
    kept: frozenset[str],
) -> Field:
    typed = answers.get(parameter.name, parameter.default or "")
    values = tuple(typed) if isinstance(typed, list) else _items(typed) if parameter.is_list else (typed,)
    choices = offered.get(parameter.name, Choices())
    name = PREFIX + parameter.name
    return Field(
        name=name,
        label=parameter.label,
        widget=_widget(parameter, choices),
        help=_help(parameter, choices),
        hint=_hint(parameter),
        value="" if parameter.no_echo else ",".join(values),
        values=values,
        options=_options(parameter, choices, values),
        errors=list(errors.get(name, ())),
        kept=parameter.name in kept,
        attributes=_attributes(parameter, parameter.name in kept),
    )


def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _widget(parameter: Parameter, choices: Choices) -> str:
    if parameter.widget == "lookup":
        if not choices.items:
            return "text"
        if parameter.is_list:
            return "many"
        return "select" if len(choices.items) <= MOST_IN_A_MENU else "lookup"
    if parameter.allowed_values and parameter.is_list:
        return "many"
    return {"list": "text"}.get(parameter.widget, parameter.widget)


def _options(parameter: Parameter, choices: Choices, values: tuple[str, ...]) -> list[Option]:
    if parameter.allowed_values:
        return [(value, value or "none", "") for value in parameter.allowed_values]
    options = [
        (choice.value, choice.label, _note(choice, with_id=_widget(parameter, choices) == "select"))
        # What has a name comes before what is known by its id alone.
        for choice in sorted(choices.items, key=lambda choice: choice.label == choice.value)
    ]
    known = {option[0] for option in options}
    # What was typed or prefilled stays choosable, though the account does not list it.
    options += [(value, value, "not listed there") for value in values if value and value not in known and options]
    return options if parameter.is_list or not options else [("", "Choose one", ""), *options]


def _note(choice: Any, *, with_id: bool) -> str:
    """A menu shows name and note alone, so the id goes with the note; the other lists print it themselves."""
    parts = [choice.value if with_id and choice.value != choice.label else "", choice.detail]
    return " · ".join(part for part in parts if part)


def _help(parameter: Parameter, choices: Choices) -> str:
    parts = [parameter.description]
    if parameter.is_list and not choices.items and not parameter.allowed_values:
        parts.append("Separate several with commas.")
    if choices.problem:
        parts.append(f"The list could not be read from the account, so type the id. {choices.problem}")
    return " ".join(part for part in parts if part)


def _hint(parameter: Parameter) -> str:
    if parameter.lookup:
        return parameter.type
    if not parameter.is_required:
        return ""
    return "" if parameter.no_echo else "needed"


def _attributes(parameter: Parameter, kept: bool) -> dict[str, Any]:
    """Attributes that let the browser help while typing; the server decides."""
    found: dict[str, Any] = {"spellcheck": "false", "autocomplete": "off"}
    if parameter.is_number and not parameter.is_list:
        found |= {"min": parameter.min_value, "max": parameter.max_value}
    elif not parameter.is_list and not parameter.is_ssm:
        found |= {"minlength": None, "maxlength": parameter.max_length}
    return {name: value for name, value in found.items() if value is not None}
