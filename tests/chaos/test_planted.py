"""Bugs put in on purpose are noticed by the simulation; without that its silence would prove nothing."""

import pytest

from tests.chaos.planted import Bug, all_bugs

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("bug", all_bugs(), ids=lambda bug: bug.name)
def test_a_planted_bug_is_caught(bug: Bug):
    assert bug.catch() is not None
