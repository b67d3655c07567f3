"""Make texts that match a Java regular expression: enough of its syntax for the patterns people write."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import regex

from app.cloudformation.patterns import matches, why_undecidable

_ATTEMPTS = 60
_LONGEST = 4096
_MOST_EFFORT = 60_000
_REPEAT = regex.compile(r"\{(\d{1,4})(,?)(\d{0,4})\}")
_OPENING = regex.compile(r"\(\?(?::|>|<[A-Za-z]\w*>|[ims]+:)|\((?!\?)")
_FLAGS = regex.compile(r"\(\?[ims]+\)")
# Tried in this order, so that samples read like words before they read like noise.
_CHARACTERS = "a1Ab2B-_./:@c3Cx ,=+" + "".join(chr(code) for code in range(33, 127))


class _TooOdd(ValueError):
    """The pattern uses syntax no sample is made for."""


@dataclass(frozen=True)
class _Piece:
    """A class of characters or a group, and how often it stands. `most` None means without end."""

    characters: str
    group: "tuple[tuple[_Piece, ...], ...] | None"
    least: int
    most: int | None


def samples(pattern: str, length: int = 0) -> Iterator[str]:
    """Give texts that probably match, plain ones first, some of about `length`; none for patterns beyond its syntax.

    Always the same texts for the same pattern. The caller checks them: look-aheads are passed over here.
    """
    if why_undecidable(pattern):
        return
    try:
        branches = _Parser(pattern).branches()
    except (_TooOdd, RecursionError):
        return
    effort = 0
    for attempt in range(_ATTEMPTS):
        extra = max(attempt // 4, length if attempt % 2 else 0)
        writer = _Writer(Random(attempt), extra, attempt)  # noqa: S311 - samples are no secrets
        yield writer.write(branches)
        effort += writer.effort
        if effort > _MOST_EFFORT:
            return


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def branches(self) -> tuple[tuple[_Piece, ...], ...]:
        found: list[tuple[_Piece, ...]] = [self.branch()]
        while self.pattern.startswith("|", self.at):
            self.at += 1
            found.append(self.branch())
        return tuple(found)

    def branch(self) -> tuple[_Piece, ...]:
        pieces: list[_Piece] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            pieces += self.piece()
        return tuple(pieces)

    def piece(self) -> list[_Piece]:
        if self.pattern[self.at] in "^$":
            self.at += 1
            return []
        if flags := _FLAGS.match(self.pattern, self.at):
            self.at = flags.end()
            return []
        if self.pattern.startswith("(", self.at):
            return self.group()
        return [self.repeated(_members(self.atom()), None)]

    def group(self) -> list[_Piece]:
        """Read a group; what only looks ahead or behind adds no text of its own."""
        opening = _OPENING.match(self.pattern, self.at)
        self.at = opening.end() if opening else self.at + 3
        inside = self.branches()
        if not self.pattern.startswith(")", self.at):
            raise _TooOdd(self.pattern)
        self.at += 1
        piece = self.repeated("", inside)
        return [piece] if opening else []

    def atom(self) -> str:
        start = self.at
        if self.pattern[start] == "[":
            self.at = _class_end(self.pattern, start)
        elif self.pattern[start : start + 3] in (r"\p{", r"\P{"):
            self.at = self.pattern.find("}", start) + 1 or len(self.pattern)
        else:
            self.at += _length_of_escape(self.pattern, start) if self.pattern[start] == "\\" else 1
        return self.pattern[start : self.at]

    def repeated(self, characters: str, group: "tuple[tuple[_Piece, ...], ...] | None") -> _Piece:
        least, most = self.bounds()
        if self.at < len(self.pattern) and self.pattern[self.at] in "?+":
            self.at += 1
        return _Piece(characters, group, least, most)

    def bounds(self) -> tuple[int, int | None]:
        sign = self.pattern[self.at : self.at + 1]
        if sign and sign in "*+?":
            self.at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if counted := _REPEAT.match(self.pattern, self.at):
            self.at = counted.end()
            least = int(counted[1])
            return least, (int(counted[3]) if counted[3] else None) if counted[2] else least
        return 1, 1


def _length_of_escape(pattern: str, start: int) -> int:
    return {"x": 4, "u": 6}.get(pattern[start + 1 : start + 2], 2)


def _class_end(pattern: str, start: int) -> int:
    """Find where a character class ends, nested classes and escapes included."""
    depth, at = 0, start
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
        elif pattern[at] == "[":
            depth += 1
            at += pattern[at + 1 : at + 2] == "^"
            at += pattern[at + 1 : at + 2] == "]"
        elif pattern[at] == "]":
            depth -= 1
        at += 1
        if depth == 0:
            return at
    raise _TooOdd(pattern)


@lru_cache(maxsize=512)
def _members(atom: str) -> str:
    """Give the printable characters an atom matches, by asking the pattern itself."""
    if atom in (r"\b", r"\B", r"\A", r"\Z", r"\z"):
        return ""
    return "".join(dict.fromkeys(character for character in _CHARACTERS if matches(atom, character)))


class _Writer:
    """Writes one text: early attempts short and plain, later ones longer and wilder."""

    def __init__(self, random: Random, extra: int, attempt: int) -> None:
        self.random = random
        self.extra = extra
        self.attempt = attempt
        self.effort = 0

    def write(self, branches: tuple[tuple[_Piece, ...], ...]) -> str:
        filled = [branch for branch in branches if branch] or list(branches)
        branch = filled[self.attempt % len(filled)]
        return "".join(self.piece(piece) for piece in branch)

    def piece(self, piece: _Piece) -> str:
        times = piece.least + self.extra if piece.most is None else min(piece.most, piece.least + self.extra)
        written = []
        for _ in range(times):
            if self.effort >= _LONGEST:
                break
            written.append(self.one(piece))
        return "".join(written)

    def one(self, piece: _Piece) -> str:
        # Counted even where nothing is written: empty groups may repeat without end.
        self.effort += 1
        if piece.group is not None:
            return self.write(piece.group)
        if self.attempt < 2:
            return piece.characters[:1]
        return self.random.choice(piece.characters) if piece.characters else ""
