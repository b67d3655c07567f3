"""A plan counted in one line."""

from app.stacks.plan_pages import sorted_out


def change(logical_id, kind, holds_data=False):
    return {"logical_id": logical_id, "kind": kind, "holds_data": holds_data}


def test_what_would_lose_data_stands_apart_and_is_counted_first():
    changes = [change("Database", "replace", True), change("Alarm", "modify"), change("Key", "add", True)]
    page = sorted_out(changes, {"Database", "Alarm", "Subnets"})
    assert page["worst"] == [changes[0]]
    assert page["rest"] == changes[1:]
    assert [item[0] for item in page["tally"]] == [
        "1 replaced, holds data",
        "1 in place",
        "1 new",
        "0 removed, 1 untouched",
    ]


def test_that_nothing_goes_is_said():
    page = sorted_out([change("Queue", "modify", True)], {"Queue"})
    assert page["worst"] == []
    assert page["tally"][-1][0] == "0 replaced, 0 removed, 0 untouched"
