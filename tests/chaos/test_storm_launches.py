"""A short storm of kills over launches: each accepted one is there once, and nothing stays behind."""

import pytest

from tests.chaos.storm import launches

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_launches_survive_kills_of_everything(database: str) -> None:
    found = launches.run(database, launches=12, kills=6, seed=5, pause=1.0)
    assert found["found"] == []
    assert (found["launches"], found["unanswered"], found["refused"], found["stuck"]) == (12, 0, 0, 0)
    assert found["jobs"] == {"succeeded": 12}
    assert sum(found["kills"].values()) == 6
