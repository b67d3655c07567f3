"""AllowedPattern as CloudFormation reads it: Java's regular expressions, which Python's differ from in places."""

import logging

import regex

log = logging.getLogger("slipway.local")

# Java's POSIX classes carry names that `regex` knows under others.
JAVA_CLASSES = {
    r"\p{Alpha}": "[a-zA-Z]",
    r"\p{Digit}": "[0-9]",
    r"\p{Alnum}": "[a-zA-Z0-9]",
    r"\p{Lower}": "[a-z]",
    r"\p{Upper}": "[A-Z]",
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"\p{Punct}": r"[!-/:-@\[-`{-~]",
    r"\p{Space}": r"\s",
    r"\p{XDigit}": "[0-9a-fA-F]",
}


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches. A pattern that nothing here can read refuses nobody."""
    try:
        return bool(regex.fullmatch(_from_java(pattern), value, timeout=2))
    except (regex.error, TimeoutError) as problem:
        log.warning("AllowedPattern %r is not checked: %s", pattern, problem)
        return True


def _from_java(pattern: str) -> str:
    for java, ours in JAVA_CLASSES.items():
        # Inside a bracket the class stands without its own brackets; both spellings mean the same set.
        pattern = pattern.replace(java, ours[1:-1] if _inside_bracket(pattern, java) else ours)
    return _escape_loose_hyphens(pattern)


def _inside_bracket(pattern: str, part: str) -> bool:
    before = pattern.split(part, 1)[0]
    return before.count("[") - before.count(r"\[") > before.count("]") - before.count(r"\]")


def _escape_loose_hyphens(pattern: str) -> str:
    r"""Write `[\w-\+]` as `[\w\-\+]`: after a class a hyphen cannot begin a range, and Java takes it as itself."""
    return regex.sub(r"(\\[wWdDsS])-(?=[^\]])", r"\1\\-", pattern)
