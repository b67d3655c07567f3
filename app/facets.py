"""A list's facets: what `templates/ui/facets.html` prints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One value of a facet, as a link with how many rows it would leave."""

    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True)
class Facet:
    """One way to narrow a list: its words, the name of its argument in the address, and its values."""

    label: str
    name: str
    choices: tuple[Choice, ...]
