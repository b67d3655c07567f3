"""Fifty people want one stack at once: one of them gets it, and each of the others hears whose job is in the way."""

import pytest

from tests.chaos.storm import conflicts

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_one_request_of_many_wins(database: str) -> None:
    found = conflicts.run(database, stacks=3, people=50, seed=5)
    assert found["found"] == []
    assert found["answers"] == {"202": 3, "409": 147}
    assert (found["unnamed"], found["not_one_active"], found["deadlocks"]) == (0, 0, 0)
