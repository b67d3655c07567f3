"""Patterns mean what they mean in Java, within a time cap, and are never guessed."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.cloudformation.patterns import Budget, matches, why_undecidable


@pytest.mark.parametrize(
    ("pattern", "value", "verdict"),
    [
        ("[a-z]+", "orders", True),
        ("[a-z]+", "orders1", False),
        ("[a-z]", "orders", False),
        ("a|b", "ab", False),
        ("^a$", "a\n", False),
        (r"[\w-\+]+", "a-+b", True),
        (r"^[\w-\+]+(\.[\w]+)*@[\w-]+(\.[\w]+)*(\.[a-z]{2,})$|^$", "dana@slipway.example", True),
        (r"^[\w-\+]+(\.[\w]+)*@[\w-]+(\.[\w]+)*(\.[a-z]{2,})$|^$", "", True),
        (r"\d+", "٣", False),
        (r"\w+", "é", False),
        (r"\s", "\u00a0", False),
        (r"\h", "\u00a0", True),
        (r"\D+", "a٣", True),
        (r"[\D]+", "a1", False),
        (r"[^\W_]+", "ab1", True),
        ("a.b", "a\nb", False),
        ("a.b", "a\u2028b", False),
        ("(?s)a.b", "a\nb", True),
        ("(?i)abc", "ABC", True),
        ("[a-z&&[^bc]]+", "ad", True),
        ("[a-z&&[^bc]]+", "ab", False),
        ("[a[0-9]]+", "a1", True),
        ("[[:alpha:]]+", "alph:", True),
        ("[[:alpha:]]+", "z", False),
        ("[]a]+", "]a", True),
        ("[a-]+", "a-", True),
        ("[--]", "-", True),
        ("[+--]+", "+,-", True),
        (r"[\Q^-]\E]+", "^-]", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        (r"\p{Alpha}\p{Digit}", "a1", True),
        (r"\p{L}+", "é", True),
        (r"\P{L}+", "é", False),
        (r"\x41\u0042", "AB", True),
        (r"[\t\n]", "\t", True),
        (r"\/\-\_\@", "/-_@", True),
        ("[ -~]*", "hi there", True),
        ("[S|N]", "|", True),
        ("a~~b", "a~~b", True),
        ("a++b", "aab", True),
        ("x*+x", "xx", False),
        ("(?<letter>a)b", "ab", True),
        ("(?=.*[0-9])(?!.*x).{3}", "ab1", True),
        ("(?=.*[0-9])(?!.*x).{3}", "xb1", False),
        (r"(a)\1", "aa", True),
        (r"a\Z", "a", True),
        ("", "", True),
        ("é", "é", True),
        ("😀+", "😀😀", True),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern, value, verdict):
    assert matches(pattern, value) is verdict


@pytest.mark.parametrize(
    "pattern",
    ["(", "[a", "a{e}", "{", "[z-a]", r"\p{IsGreek}", r"\y", "(?x)a b", r"\xZZ", "\\", "[&&a]", "*a", "a" * 5000, "("]
    + ["((a{1,1000}){1,1000}){1,1000}", "((()){4000}){4}", "a{99999}", "(?:" * 900 + ")" * 900],
)
def test_what_cannot_be_rewritten_is_undecidable_with_a_reason(pattern):
    assert matches(pattern, "a") is None
    assert why_undecidable(pattern)


@pytest.mark.parametrize("pattern", ["(a|aa)+$", "(x+x+)+y", "(.*a){25}b", "(a*)*b", "(a|a?)+$"])
def test_a_slow_pattern_is_given_up_in_time(pattern):
    started = process_time()
    assert matches(pattern, "a" * 4000 + "x" * 90) is not True
    assert process_time() - started < 0.2


def test_one_form_never_waits_longer_than_its_budget():
    budget = Budget()
    started = process_time()
    verdicts = [matches("(a|aa)+$", "a" * 60 + "b" * (n % 7 + 1), budget) for n in range(200)]
    assert process_time() - started < 0.5
    assert verdicts[-1] is None


@given(st.text(r"ab-[]{}()\^$.|?*+&1dwpQE:<=!,", max_size=25), st.text("ab-1]", max_size=6))
def test_matching_never_fails(pattern, value):
    assert matches(pattern, value) in (True, False, None)
