"""Read the parameters of a template into what a form needs to know about each field."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from app.cloudformation.body import Body
from app.cloudformation.definitions import Definition, read_definition
from app.cloudformation.errors import shorten
from app.cloudformation.layout import Layout, read_layout
from app.cloudformation.types import NUMBER, Kind

Widget = Literal["text", "number", "choice", "select", "lookup", "textarea", "secret", "list"]

MAX_PARAMETERS = 200
OTHER = "Other parameters"

# A handful of options reads best side by side; more of them belong in a menu.
_SIDE_BY_SIDE = 4
_LONG_TEXT = 255
_SPRAWLING_NAMES = ("userdata", "script", "publickey", "certificate", "policydocument", "commands", "json", "yaml")


@dataclass(frozen=True)
class Parameter:
    """One field of the form, as the template's author declared it. `default` None means that a value is required."""

    name: str
    type: str
    kind: Kind
    label: str
    group: str = OTHER
    description: str = ""
    default: str | None = None
    allowed_values: tuple[str, ...] = ()
    allowed_pattern: str | None = None
    constraint_description: str = ""
    min_length: int | None = None
    max_length: int | None = None
    min_value: Decimal | None = None
    max_value: Decimal | None = None
    no_echo: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        """Whether the answer is several items joined by commas."""
        return self.kind.is_list

    @property
    def is_required(self) -> bool:
        """Whether somebody has to answer: CloudFormation's only sign for that is a missing Default."""
        return self.default is None

    @property
    def is_ssm(self) -> bool:
        """Whether the answer is the name of an SSM parameter whose value CloudFormation fetches."""
        return self.kind.is_ssm

    @property
    def is_number(self) -> bool:
        """Whether each answer has to be a number."""
        return self.kind.item == NUMBER

    @property
    def lookup(self) -> str | None:
        """The AWS type whose existing values can be offered from the target account, or None for free text."""
        return self.kind.lookup

    @property
    def widget(self) -> Widget:
        """Which control suits the answer best."""
        if self.no_echo:
            return "secret"
        if self.allowed_values:
            return "choice" if len(self.allowed_values) <= _SIDE_BY_SIDE and not self.is_list else "select"
        return self._open_widget()

    def _open_widget(self) -> Widget:
        if self.lookup:
            return "lookup"
        if self.is_list:
            return "list"
        if self.is_number:
            return "number"
        return "textarea" if self._is_sprawling() else "text"

    def _is_sprawling(self) -> bool:
        default = self.default or ""
        if "\n" in default or len(default) > _LONG_TEXT:
            return True
        return self.name.lower().endswith(_SPRAWLING_NAMES) and (self.max_length or _LONG_TEXT) >= _LONG_TEXT


def parameters(body: Body) -> tuple[Parameter, ...]:
    """Give the parameters of a template in file order.

    Never fails: what is malformed leaves a warning on its parameter, or in `parameter_warnings`.
    """
    layout = read_layout(body)
    return tuple(
        _parameter(name, definition, layout) for name, definition in body.section("Parameters").items() if _is_own(name)
    )


def parameter_warnings(body: Body) -> tuple[str, ...]:
    """Give what is odd about the parameters, their section and their layout, each with the name it concerns."""
    return (
        *_section_warnings(body),
        *read_layout(body).warnings,
        *(f"{parameter.name}: {warning}" for parameter in parameters(body) for warning in parameter.warnings),
    )


def _section_warnings(body: Body) -> tuple[str, ...]:
    section = body.document.get("Parameters")
    if section is not None and not isinstance(section, dict):
        return ("The Parameters section is not a mapping; the form has no fields.",)
    names = body.section("Parameters")
    odd = [f"{shorten(name)} is filled in by a macro and cannot be shown here." for name in names if not _is_own(name)]
    if len(names) > MAX_PARAMETERS:
        odd.append(f"{len(names)} parameters; CloudFormation accepts {MAX_PARAMETERS}.")
    return tuple(odd)


def _is_own(name: str) -> bool:
    """Whether an entry is a parameter itself; `Fn::Transform` and its kin stand for others that only AWS can list."""
    return not name.startswith("Fn::")


def _parameter(name: str, entry: Any, layout: Layout) -> Parameter:
    definition = read_definition(name, entry)
    read = Parameter(
        name=name,
        type=definition.type,
        kind=definition.kind,
        label=layout.labels.get(name, name),
        group=layout.group_of.get(name, OTHER),
    )
    return _constrained(read, definition)


def _constrained(parameter: Parameter, found: Definition) -> Parameter:
    return replace(
        parameter,
        description=found.text("Description"),
        constraint_description=found.text("ConstraintDescription"),
        default=found.default(),
        allowed_values=found.allowed_values(),
        allowed_pattern=found.pattern(),
        min_length=found.length("MinLength"),
        max_length=found.length("MaxLength"),
        min_value=found.bound("MinValue"),
        max_value=found.bound("MaxValue"),
        no_echo=found.flag("NoEcho"),
        # Last, because every reading above may add to them.
        warnings=tuple(found.warnings),
    )
