"""The one refusal of this package, and the limits behind it."""

# CloudFormation takes at most 1 MB from S3. Depth and nodes leave several times what published templates need and
# keep a hostile file from costing more than a moment.
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_NODES = 100_000
MAX_ALIASES = 200


class NotATemplate(ValueError):
    """The text is not a CloudFormation template that Slipway can read.

    `sentence` says what was found and what would be right; `line` counts from 1, or is None where no line is to blame.
    """

    status = 422

    def __init__(self, sentence: str, line: int | None = None) -> None:
        self.sentence = sentence
        self.line = line
        super().__init__(sentence if line is None else f"Line {line}: {sentence}")


class BrokenText(NotATemplate):
    """The text breaks the rules of YAML or JSON, for a cause that may lie outside both (Jinja, another language)."""


def too_deep(line: int) -> NotATemplate:
    """Refuse nesting beyond the limit, at the line where it is crossed."""
    return NotATemplate(f"This is nested more than {MAX_DEPTH} levels deep; flatten it or split the template.", line)


def too_many_nodes(line: int) -> NotATemplate:
    """Refuse more values than the limit, aliases counted as often as they are used."""
    return NotATemplate(f"The template holds more than {MAX_NODES:,} values; split it into smaller ones.", line)


def duplicate_key(key: str, line: int) -> NotATemplate:
    """Refuse a key that stands twice in one mapping: one of the two would be lost in silence."""
    return NotATemplate(f"The key {shorten(key)} stands twice in the same place; keep one of them.", line)


def shorten(text: str, most: int = 60) -> str:
    """Give text fit for a sentence: one line, at most `most` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"
