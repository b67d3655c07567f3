"""Read how the author wants the form laid out: AWS::CloudFormation::Interface in the template's metadata."""

from dataclasses import dataclass, field
from typing import Any

from app.cloudformation.body import Body
from app.cloudformation.errors import shorten
from app.cloudformation.scalars import as_text, as_texts


@dataclass(frozen=True)
class Layout:
    """Groups in the author's order, the group of each parameter, and labels where the author gave one."""

    group_labels: tuple[str, ...] = ()
    group_of: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_layout(body: Body) -> Layout:
    """Give the layout of a template; one that has none, or only a malformed one, lays out nothing."""
    interface = body.section("Metadata").get("AWS::CloudFormation::Interface")
    if interface is None:
        return Layout()
    if not isinstance(interface, dict):
        return Layout(warnings=("AWS::CloudFormation::Interface is not a mapping; it is ignored.",))
    return _Reading(body.section("Parameters"), interface).layout()


class _Reading:
    def __init__(self, declared: dict[str, Any], interface: dict[str, Any]) -> None:
        self.declared = declared
        self.interface = interface
        self.labels_in_order: list[str] = []
        self.group_of: dict[str, str] = {}
        self.warnings: list[str] = []

    def layout(self) -> Layout:
        groups = self.interface.get("ParameterGroups")
        for position, group in enumerate(groups if isinstance(groups, list) else [], start=1):
            self.read_group(position, group)
        labels = self.read_labels()
        order = tuple(self.group_of)
        return Layout(tuple(self.labels_in_order), self.group_of, order, labels, tuple(self.warnings))

    def read_group(self, position: int, group: Any) -> None:
        if not isinstance(group, dict):
            self.warnings.append(f"Group {position} of the interface is not a mapping; it is ignored.")
            return
        label = _label(group.get("Label")) or f"Group {position}"
        if label not in self.labels_in_order:
            self.labels_in_order.append(label)
        members = group.get("Parameters")
        for name in as_texts(members) if isinstance(members, list) else ():
            self.place(name, label)

    def place(self, name: str, label: str) -> None:
        """Put a parameter into a group. The first group that names it wins; unknown names only leave a warning."""
        if name not in self.declared:
            self.warnings.append(f"The group {shorten(label)} names {shorten(name)}, which is no parameter.")
        elif name in self.group_of:
            self.warnings.append(f"{shorten(name)} stands in more than one group; the first one counts.")
        else:
            self.group_of[name] = label

    def read_labels(self) -> dict[str, str]:
        given = self.interface.get("ParameterLabels")
        entries = given.items() if isinstance(given, dict) else ()
        labels = {name: _label(entry) for name, entry in entries if name in self.declared}
        return {name: label for name, label in labels.items() if label}


def _label(entry: Any) -> str | None:
    """Read `{default: text}`, and the bare text that authors write in its place."""
    found = as_text(entry.get("default")) if isinstance(entry, dict) else as_text(entry)
    return " ".join(found.split()) if found and found.strip() else None
