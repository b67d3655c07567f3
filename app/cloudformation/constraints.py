"""Try one answer against the constraints of its parameter."""

from decimal import Decimal

from app.cloudformation import wording
from app.cloudformation.parameters import Parameter
from app.cloudformation.patterns import Budget, matches, why_undecidable
from app.cloudformation.scalars import as_number

MAX_VALUE_BYTES = 4096
# Enough to mend a list by; a thousand wrong items need no thousand sentences.
_ITEMS_SHOWN = 5


class Trial:
    """One answer, its items, and what is wrong with them. The author's own explanation comes before ours."""

    def __init__(self, parameter: Parameter, items: list[str], budget: Budget) -> None:
        self.parameter = parameter
        self.items = items
        self.budget = budget
        self.warnings: list[str] = []
        self.errors = self._explained(self._faults())

    def _faults(self) -> list[str]:
        if not self.parameter.is_list and len(self.items) != 1:
            return ["Enter one value, not several."]
        if unfit := self._unfit_to_send():
            return [unfit]
        if not self.parameter.is_list:
            return self._about_value(self.items[0])
        return self._about_items()[:_ITEMS_SHOWN]

    def _unfit_to_send(self) -> str | None:
        """Refuse what no parameter can hold, before any pattern looks at it."""
        joined = ",".join(self.items)
        if len(size := joined.encode(errors="surrogatepass")) > MAX_VALUE_BYTES:
            return f"At most {MAX_VALUE_BYTES:,} bytes; this has {len(size):,}."
        if "\0" in joined or any("\ud800" <= character <= "\udfff" for character in joined):
            return "Only text that can be written in UTF-8, without null characters."
        return None

    def _about_items(self) -> list[str]:
        """Check a list item by item; lengths and patterns hold for each, as do the allowed values."""
        faults = []
        for position, item in enumerate(self.items, start=1):
            for fault in self._about_value(item):
                faults.append(wording.about_item(position, item, fault, self.parameter.no_echo))
        return faults

    def _about_value(self, value: str) -> list[str]:
        if self.parameter.is_number and (fault := self._about_number(value)):
            return [fault]
        if self.parameter.allowed_values and value not in self.parameter.allowed_values:
            return [self._about_options()] if not self._equals_an_option(value) else []
        return [fault for fault in (self._about_length(value), self._about_pattern(value)) if fault]

    def _about_number(self, value: str) -> str | None:
        number = as_number(value)
        low, high = self.parameter.min_value, self.parameter.max_value
        if number is None or (low is not None and number < low) or (high is not None and number > high):
            return wording.number_in_bounds(self.parameter)
        return None

    def _equals_an_option(self, value: str) -> bool:
        """Let 1.0 stand for an allowed 1: numbers are compared as numbers."""
        if not self.parameter.is_number:
            return False
        options: list[Decimal | None] = [as_number(option) for option in self.parameter.allowed_values]
        return as_number(value) in options

    def _about_options(self) -> str:
        named = wording.one_of(self.parameter.allowed_values)
        return f"{named[0].upper()}{named[1:]}." if named.startswith("one of") else f"Only {named}."

    def _about_length(self, value: str) -> str | None:
        low, high = self.parameter.min_length, self.parameter.max_length
        if (low is not None and len(value) < low) or (high is not None and len(value) > high):
            return wording.length_in_bounds(self.parameter, len(value))
        return None

    def _about_pattern(self, value: str) -> str | None:
        pattern = self.parameter.allowed_pattern
        if pattern is None:
            return None
        verdict = matches(pattern, value, self.budget)
        if verdict is None:
            self._leave_to_cloudformation(pattern)
        return wording.matching(pattern) if verdict is False else None

    def _leave_to_cloudformation(self, pattern: str) -> None:
        reason = why_undecidable(pattern) or "it takes too long to decide"
        sentence = f"the pattern is left to CloudFormation to check: {reason}."
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def _explained(self, faults: list[str]) -> list[str]:
        author = wording.as_sentence(self.parameter.constraint_description)
        return [author, *faults] if faults and author else faults
