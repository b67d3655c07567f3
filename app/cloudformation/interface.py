"""Group the fields of a form as the author asked, or leave them in file order."""

from dataclasses import dataclass

from app.cloudformation.body import Body
from app.cloudformation.layout import Layout, read_layout
from app.cloudformation.parameters import OTHER, Parameter, parameters


@dataclass(frozen=True)
class Group:
    """Fields that belong together under one heading."""

    label: str
    parameters: tuple[Parameter, ...]


def groups(body: Body) -> tuple[Group, ...]:
    """Give the fields in groups: the author's, in the author's order, then "Other parameters" for the rest.

    Without an interface there is one group in file order. A group none of whose parameters exist is left out.
    """
    layout = read_layout(body)
    fields = {field.name: field for field in parameters(body)}
    made = [Group(label, _members(label, layout, fields)) for label in layout.group_labels]
    rest = tuple(field for field in fields.values() if field.name not in layout.group_of)
    return tuple(group for group in _with_rest(made, rest) if group.parameters)


def _with_rest(made: list[Group], rest: tuple[Parameter, ...]) -> list[Group]:
    """Add the ungrouped fields, to the author's own group of that name where there is one."""
    if made and made[-1].label == OTHER:
        return [*made[:-1], Group(OTHER, made[-1].parameters + rest)]
    return [*made, Group(OTHER, rest)]


def _members(label: str, layout: Layout, fields: dict[str, Parameter]) -> tuple[Parameter, ...]:
    return tuple(fields[name] for name in layout.order if layout.group_of[name] == label and name in fields)
