"""Write values the way CloudFormation does when it turns them into text, and numbers the way people read them."""

import re
from decimal import Decimal
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST_NUMBER = 400


def as_text(value: Any) -> str | None:
    """Give a scalar as text: booleans become true and false, whole floats keep one decimal. None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    return None


def as_texts(values: list[Any]) -> tuple[str, ...]:
    """Give the scalars of a list as text, leaving out what is not a scalar."""
    texts = (as_text(value) for value in values)
    return tuple(text for text in texts if text is not None)


def as_number(text: str) -> Decimal | None:
    """Read a number as CloudFormation accepts it (whole, decimal, signed, with an exponent), else None."""
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text)


def in_words(number: Decimal) -> str:
    """Write a number with thousands separators and without needless zeros: 1,000 and 0.5."""
    if number != number.to_integral_value():
        return f"{number.normalize():,f}"
    return f"{number.quantize(Decimal(1)):,f}" if number.adjusted() < 28 else str(number)


def split_items(text: str) -> list[str]:
    """Split the text of a list at its commas and trim every item; nothing at all is no item."""
    return [item.strip() for item in text.split(",")] if text.strip() else []
