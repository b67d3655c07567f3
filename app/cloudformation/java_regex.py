"""Rewrite a Java regular expression for Python's `regex` module.

CloudFormation checks AllowedPattern with Java. Most patterns mean the same in both, some do not compile in one of
them (`[\\w-\\+]`), and a few mean something else (`\\w` and `\\d` are ASCII in Java, `{e}` is fuzzy matching in
`regex`). What cannot be rewritten with certainty is refused: an unsure answer is worse than leaving the check to
CloudFormation.
"""

from collections.abc import Callable

import regex

_DIGIT, _WORD, _SPACE = "0-9", "a-zA-Z0-9_", r"\ \t\n\x0b\f\r"
_HORIZONTAL, _VERTICAL = r"\ \t\xa0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000", r"\n\x0b\f\r\x85\u2028\u2029"
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE, "h": _HORIZONTAL, "v": _VERTICAL}
_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "ASCII": r"\x00-\x7f",
    "Alpha": "a-zA-Z",
    "Digit": _DIGIT,
    "Alnum": "a-zA-Z0-9",
    "Punct": r"\!-\/\:-\@\[-\`\{-\~",
    "Graph": r"\!-\~",
    "Print": r"\ -\~",
    "Blank": r"\ \t",
    "Cntrl": r"\x00-\x1f\x7f",
    "XDigit": "0-9a-fA-F",
    "Space": _SPACE,
}
# General categories and the two scripts seen in the wild; other properties are named differently in the two languages.
_PROPERTY = regex.compile(r"(?:Is)?(L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|IsLatin|IsAlphabetic)")
_CONTROLS = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\f", "a": r"\x07", "e": r"\x1b"}
_ANCHORS = {"b": r"\b", "B": r"\B", "A": r"\A", "Z": r"(?=\n?\Z)", "z": r"\Z"}
_REPEAT = regex.compile(r"\{\d{1,5}(?:,\d{0,5})?\}")
_GROUP = regex.compile(r"\(\?(?::|=|!|<=|<!|>|<[a-zA-Z][a-zA-Z0-9]*>|[ims]*(?:-[ims]+)?[:)])")
# Counted repetitions are unrolled while compiling: nested ones cost gigabytes long before a time cap could help.
_MOST_UNROLLED = 20_000
_ANY_BUT_LINE_ENDS = r"[^\n\r\x85\u2028\u2029]"


class NotTranslatable(ValueError):
    """The pattern uses something whose meaning in Java cannot be kept."""


def translate(pattern: str) -> str:
    """Give a pattern for `regex` (version 1) with the meaning `pattern` has in Java. Raises NotTranslatable."""
    return _Translation(pattern).run()


class _Translation:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.open_groups = [0]
        self.last = 0
        self.dot = "." if _sets_dotall(pattern) else _ANY_BUT_LINE_ENDS

    def run(self) -> str:
        pieces = []
        while self.at < len(self.pattern):
            pieces.append(self.piece())
        return "".join(pieces)

    def piece(self) -> str:
        handlers: dict[str, Callable[[], str]] = {
            "\\": self.escape,
            "[": self.character_class,
            "(": self.group,
            "{": self.repeat,
            ".": self.any_character,
        }
        character = self.pattern[self.at]
        if character not in "({)":
            self.weigh(1)
        handler = handlers.get(character, self.plain)
        return handler()

    def plain(self) -> str:
        character = self.take()
        if character == ")":
            self.close()
        return character if character in "^$*+?|)" else regex.escape(character)

    def weigh(self, weight: int) -> None:
        """Count what the group being read unrolls to, `weight` being its newest part."""
        self.last = weight
        self.open_groups[-1] += weight
        if self.open_groups[-1] > _MOST_UNROLLED:
            raise NotTranslatable("it repeats too much")

    def close(self) -> None:
        if len(self.open_groups) > 1:
            inside = self.open_groups.pop()
            self.weigh(inside)

    def take(self, length: int = 1) -> str:
        taken = self.pattern[self.at : self.at + length]
        if len(taken) < length:
            raise NotTranslatable("it ends too early")
        self.at += length
        return taken

    def next_is(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def matched(self, shape: "regex.Pattern[str]", meaning: str) -> str:
        found = shape.match(self.pattern, self.at)
        if found is None:
            raise NotTranslatable(meaning)
        return self.take(len(found.group()))

    def any_character(self) -> str:
        self.take()
        return self.dot

    def group(self) -> str:
        if self.next_is("(?"):
            opened = self.matched(_GROUP, "it uses a kind of group that only Java has")
        else:
            opened = self.take()
        if not opened.endswith(")"):
            self.open_groups.append(0)
        return opened

    def repeat(self) -> str:
        repeated = self.matched(_REPEAT, "a brace stands where no repetition can")
        if self.last == 0:
            # Empty groups are the one thing whose repetition takes seconds to compile.
            raise NotTranslatable("it repeats nothing")
        most = max(int(bound) for bound in repeated[1:-1].split(",") if bound)
        self.weigh(self.last * most)
        return repeated

    def escape(self) -> str:
        self.take()
        kind = self.take()
        if kind in _ANCHORS:
            return _ANCHORS[kind]
        if kind == "R":
            return r"(?:\r\n|[\n\x0b\f\r\x85\u2028\u2029])"
        if kind in "123456789":
            return f"(?:\\{kind})"
        if kind == "Q":
            return regex.escape(self.quoted())
        members, negated = self.members(kind)
        return f"[{'^' if negated else ''}{members}]"

    def quoted(self) -> str:
        end = self.pattern.find(r"\E", self.at)
        text = self.pattern[self.at : end if end >= 0 else len(self.pattern)]
        self.at = end + 2 if end >= 0 else len(self.pattern)
        return text

    def members(self, kind: str) -> tuple[str, bool]:
        """Give the class members an escape stands for, and whether they are excluded."""
        if kind.lower() in _CLASSES:
            return _CLASSES[kind.lower()], kind.isupper()
        if kind in "pP":
            return self.property(), kind == "P"
        return self.literal(kind), False

    def property(self) -> str:
        name = self.take()
        if name == "{":
            end = self.pattern.find("}", self.at)
            name = self.take(max(end - self.at, 0) + 1)[:-1]
        if name in _POSIX:
            return _POSIX[name]
        if _PROPERTY.fullmatch(name):
            return f"\\p{{{name.removeprefix('Is')}}}"
        raise NotTranslatable(f"it uses the property {name[:30]}")

    def literal(self, kind: str) -> str:
        """Give one character, escaped so that it can stand inside a class as well."""
        if kind in _CONTROLS:
            return _CONTROLS[kind]
        if kind in "xu":
            return self.code_point(4 if kind == "u" else 2)
        if kind.isalnum() and kind.isascii():
            raise NotTranslatable(f"it uses \\{kind}")
        return _escaped(kind)

    def code_point(self, digits: int) -> str:
        try:
            return _escaped(chr(int(self.take(digits), 16)))
        except ValueError as error:
            raise NotTranslatable("it writes a character by a number that is none") from error

    def character_class(self) -> str:
        """Rewrite a class with everything in it escaped, so that only Java's own syntax is left to mean anything."""
        self.take()
        pieces = ["["]
        if self.next_is("^"):
            pieces.append(self.take())
        if self.next_is("&&"):
            raise NotTranslatable("a class begins with an intersection")
        first = True
        while first or not self.next_is("]"):
            pieces.append(self.class_piece())
            first = False
        self.take()
        return "".join([*pieces, "]"])

    def class_piece(self) -> str:
        if self.next_is("&&"):
            return self.take(2)
        if self.next_is("["):
            return self.character_class()
        low, single = self.class_atom()
        if not single or not self.is_range():
            return low
        self.take()
        high, _ = self.class_atom()
        return f"{low}-{high}"

    def is_range(self) -> bool:
        """Whether the hyphen ahead makes a range: not before the end of the class, a nested class or a shorthand."""
        if not self.next_is("-") or self.pattern[self.at + 1 : self.at + 2] in ("]", "[", ""):
            return False
        return not _SHORTHAND.match(self.pattern, self.at + 1)

    def class_atom(self) -> tuple[str, bool]:
        """Give the next member of a class, and whether it is a single character that could begin a range."""
        character = self.take()
        if character != "\\":
            return _escaped(character), True
        kind = self.take()
        if kind == "Q":
            return "".join(_escaped(each) for each in self.quoted()), False
        members, negated = self.members(kind)
        single = kind.lower() not in _CLASSES and kind not in "pP"
        return (f"[^{members}]" if negated else members), single


_SHORTHAND = regex.compile(r"\\[dwshvpDWSHVPQ]")


def _escaped(character: str) -> str:
    return character if character.isalnum() else f"\\{character}" if character.isascii() else character


def _sets_dotall(pattern: str) -> bool:
    return regex.search(r"\(\?[im]*s", pattern) is not None
