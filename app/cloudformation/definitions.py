"""Read one parameter definition key by key, forgiving what is malformed and saying so."""

import re
from decimal import Decimal
from typing import Any

from app.cloudformation.errors import shorten
from app.cloudformation.scalars import as_number, as_text, as_texts
from app.cloudformation.types import NUMBER, STRING, kind_of

_NAME = re.compile(r"[A-Za-z0-9]{1,255}")
_BOOLEAN = "Boolean"
_KEYS = frozenset(
    (
        "Type",
        "Default",
        "Description",
        "AllowedValues",
        "AllowedPattern",
        "ConstraintDescription",
        "MinLength",
        "MaxLength",
        "MinValue",
        "MaxValue",
        "NoEcho",
    )
)


def read_definition(name: str, entry: Any) -> "Definition":
    """Start reading the definition of a parameter, whatever stands in its place."""
    definition = Definition(entry if isinstance(entry, dict) else {})
    if not isinstance(entry, dict):
        definition.warn("this is not a mapping; read as text.")
    if not _NAME.fullmatch(name):
        definition.warn("CloudFormation wants letters and digits only in a name.")
    for key in sorted(definition.entry.keys() - _KEYS):
        definition.warn(f"CloudFormation has no key {shorten(key)} here; it is ignored.")
    return definition


class Definition:
    """The keys of one definition, with the warnings that reading them has left so far."""

    def __init__(self, entry: dict[str, Any]) -> None:
        self.entry = entry
        self.warnings: list[str] = []
        self.type = self._type()
        self.kind = kind_of(self.type)
        if self.kind.warning:
            self.warn(self.kind.warning)

    def warn(self, sentence: str) -> None:
        """Note something odd, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def text(self, key: str) -> str:
        """Give a text, empty where there is none."""
        found = as_text(self.entry.get(key))
        if found is None and self.entry.get(key) is not None:
            self.warn(f"{key} is not text; it is ignored.")
        return (found or "").strip()

    def default(self) -> str | None:
        """Give the default as the text CloudFormation would use, None where the parameter has none."""
        if "Default" not in self.entry:
            return None
        given = self.entry["Default"]
        found = ",".join(as_texts(given)) if isinstance(given, list) else as_text(given)
        if found is None:
            self.warn("Default is neither text nor a number; it is ignored.")
        return found

    def allowed_values(self) -> tuple[str, ...]:
        """Give the allowed values as text; a Boolean allows true and false without saying so."""
        given = self.entry.get("AllowedValues")
        if given is None:
            return ("true", "false") if self.kind.item == _BOOLEAN else ()
        if not isinstance(given, list) or len(as_texts(given)) != len(given):
            self.warn("AllowedValues is not a list of plain values; what is not plain is ignored.")
        values = as_texts(given) if isinstance(given, list) else ()
        return tuple(dict.fromkeys(values))

    def pattern(self) -> str | None:
        """Give the pattern that the whole answer has to match. Numbers take none."""
        if "AllowedPattern" not in self.entry:
            return None
        if self.kind.item == NUMBER:
            self.warn("CloudFormation has no AllowedPattern for numbers; it is ignored.")
            return None
        return as_text(self.entry["AllowedPattern"])

    def length(self, key: str) -> int | None:
        """Give a length in characters. Numbers take none."""
        if self.kind.item == NUMBER and key in self.entry:
            self.warn(f"CloudFormation has no {key} for numbers; it is ignored.")
            return None
        found = self._number(key)
        return None if found is None else int(found)

    def bound(self, key: str) -> Decimal | None:
        """Give the lowest or highest number. Text takes none."""
        if self.kind.item != NUMBER and key in self.entry:
            self.warn(f"CloudFormation has {key} for numbers only; it is ignored.")
            return None
        return self._number(key)

    def flag(self, key: str) -> bool:
        """Give a yes or no, written as a boolean or as text."""
        return (as_text(self.entry.get(key)) or "").lower() == "true"

    def _type(self) -> str:
        written = as_text(self.entry.get("Type"))
        if written is None:
            self.warn("Type is missing; read as String.")
        return written.strip() if written and written.strip() else STRING

    def _number(self, key: str) -> Decimal | None:
        written = as_text(self.entry.get(key))
        found = as_number(written.strip()) if written is not None else None
        if found is None and self.entry.get(key) is not None:
            self.warn(f"{key} is not a number; it is ignored.")
        return found
