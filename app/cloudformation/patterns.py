"""Match answers against AllowedPattern: the whole value, within a time cap, and never unsure in silence."""

from dataclasses import dataclass, field
from functools import lru_cache
from time import monotonic

import regex

from app.cloudformation.java_regex import NotTranslatable, translate

# Published patterns decide in microseconds. What needs longer is left to CloudFormation.
SECONDS_PER_MATCH = 0.05
SECONDS_PER_FORM = 0.15
_LONGEST_PATTERN = 4_000


@dataclass
class Budget:
    """The time one form may spend on patterns altogether, however many of them are slow."""

    seconds: float = SECONDS_PER_FORM
    _spent: float = field(default=0.0, init=False)

    def left(self) -> float:
        """Give the seconds the next match may take; zero or less when the time is used up."""
        return min(SECONDS_PER_MATCH, self.seconds - self._spent)

    def spend(self, seconds: float) -> None:
        """Count the time a match has taken."""
        self._spent += seconds


def matches(pattern: str, value: str, budget: Budget | None = None) -> bool | None:
    """Tell whether the whole value matches a Java pattern; None when that cannot be decided here."""
    compiled = _compiled(pattern)
    budget = budget or Budget()
    if isinstance(compiled, str) or budget.left() <= 0:
        return None
    started = monotonic()
    try:
        return compiled.fullmatch(value, timeout=budget.left()) is not None
    except (TimeoutError, MemoryError):
        return None
    finally:
        budget.spend(monotonic() - started)


def why_undecidable(pattern: str) -> str | None:
    """Say why no value can be checked against this pattern here; None when it can, time permitting."""
    compiled = _compiled(pattern)
    return compiled if isinstance(compiled, str) else None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> "regex.Pattern[str] | str":
    """Compile a pattern, or give the reason why not."""
    if len(pattern) > _LONGEST_PATTERN:
        return f"it is longer than {_LONGEST_PATTERN:,} characters"
    try:
        return regex.compile(translate(pattern), regex.VERSION1)
    except NotTranslatable as reason:
        return str(reason)
    except (regex.error, RecursionError, OverflowError, MemoryError):
        return "it cannot be read as a regular expression"
