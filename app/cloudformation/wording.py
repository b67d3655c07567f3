"""The sentences beside a field: each says what would be right."""

from collections.abc import Sequence

from app.cloudformation.parameters import Parameter
from app.cloudformation.scalars import in_words

_OPTIONS_SHOWN = 8
_VALUE_SHOWN = 40


def needed(parameter: Parameter) -> str:
    """Ask for the answer that is missing."""
    if parameter.allowed_values:
        return f"Choose {one_of(parameter.allowed_values)}."
    if parameter.lookup:
        return "Choose at least one." if parameter.is_list else "Choose one."
    if parameter.is_number and not parameter.is_list:
        return number_in_bounds(parameter)
    return "Enter at least one value." if parameter.is_list else "Enter a value."


def number_in_bounds(parameter: Parameter) -> str:
    """Say which numbers are right."""
    low, high = parameter.min_value, parameter.max_value
    if low is not None and high is not None:
        return f"Between {in_words(low)} and {in_words(high)}."
    if low is not None:
        return f"{in_words(low)} or more."
    if high is not None:
        return f"{in_words(high)} or less."
    return "A number, such as 20 or 0.5."


def length_in_bounds(parameter: Parameter, actual: int) -> str:
    """Say which lengths are right, and what the length is."""
    low, high = parameter.min_length, parameter.max_length
    if low is not None and high is not None and low == high:
        right = f"Exactly {low:,} characters"
    elif low and high is not None:
        right = f"Between {low:,} and {high:,} characters"
    elif low:
        right = f"At least {low:,} characters"
    else:
        right = f"At most {high or 0:,} characters"
    return f"{right}; this has {actual:,}."


def matching(pattern: str) -> str:
    """Say which pattern the whole answer has to match."""
    return f"The whole value has to match {pattern}"


def one_of(options: Sequence[str]) -> str:
    """Name the options: all of a few, the first of many."""
    shown = [option or "(empty)" for option in options]
    if len(shown) == 1:
        return shown[0]
    if len(shown) <= _OPTIONS_SHOWN:
        return f"{', '.join(shown[:-1])} or {shown[-1]}"
    return f"one of {', '.join(shown[: _OPTIONS_SHOWN - 1])} and {len(shown) - _OPTIONS_SHOWN + 1} more"


def about_item(position: int, item: str, sentence: str, is_hidden: bool) -> str:
    """Point a sentence at one item of a list, by its text unless that is secret."""
    if is_hidden or not item.strip():
        return f"Item {position}: {sentence}"
    shown = item if len(item) <= _VALUE_SHOWN else f"{item[: _VALUE_SHOWN - 1]}…"
    return f"Item {position} ({shown}): {sentence}"


def as_sentence(text: str) -> str:
    """Give an author's remark as a sentence: a capital first and a full stop last, and nothing else changed."""
    flat = " ".join(text.split())
    if not flat:
        return ""
    ended = flat if flat[-1] in ".!?…" else f"{flat}."
    return ended[0].upper() + ended[1:]
