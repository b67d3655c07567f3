"""Whatever becomes of the broker's messages, each launch runs once, and soon."""

import pytest

from tests.chaos.storm import broker

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("mode", ["doubled", "absent"])
def test_messages_decide_nothing_but_when(mode: str) -> None:
    found = broker.run(mode, launches=8, seed=5)
    assert found["found"] == []
    assert found["jobs"] == {"succeeded": 8}
    assert found["start_p95_s"] <= 6
