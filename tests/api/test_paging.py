"""Walking through collections: every row once, whatever is added meanwhile, and the same number of queries."""

import pytest

from app import db
from app.stacks.models import Resource
from tests.api.test_stacks import add_event


def walk(caller, path, *, meanwhile=lambda: None, key="id"):
    """Return the keys of all items, two at a time; `meanwhile` happens between pages."""
    found, after = [], ""
    while after is not None:
        page = caller.get(f"{path}{'&' if '?' in path else '?'}limit=2&after={after}").json
        found += [item[key] for item in page["items"]]
        after = page["next"]
        meanwhile()
    return found


def test_a_walk_meets_every_stack_once_while_others_are_launched(dana, make):
    stacks = [make.stack() for _ in range(7)]
    walked = walk(dana, "/stacks", meanwhile=make.stack)
    assert walked == [stack.ref for stack in reversed(stacks)]


def test_a_walk_by_name_stays_in_order_while_others_are_added(dana, make):
    for slug in ("b", "d", "f", "h"):
        make.version(template=make.template(slug))
    names = iter("aceg")
    walked = walk(dana, "/templates", key="slug", meanwhile=lambda: make.version(template=make.template(next(names))))
    assert walked == sorted(set(walked))
    assert {"b", "d", "f", "h"} <= set(walked)


def test_events_and_resources_are_walked_in_order(dana, make):
    stack = make.stack()
    job = make.job(stack)
    for number in range(5):
        add_event(stack, job, number)
        db.session.add(
            Resource(stack_id=stack.id, job_id=job.id, logical_id=f"R{number}", type="AWS::SQS::Queue", status="x")
        )
    events = [f"event-{number}" for number in range(5)]
    assert walk(dana, f"/stacks/{stack.ref}/events") == events
    assert walk(dana, f"/jobs/{job.ref}/events") == events
    assert walk(dana, f"/stacks/{stack.ref}/resources", key="logical_id") == [f"R{number}" for number in range(5)]


def test_the_last_page_says_so_even_when_it_is_full(dana, make):
    make.stack()
    assert dana.get("/stacks?limit=1").json["next"] is None
    make.stack()
    assert dana.get("/stacks?limit=1").json["next"]


def fill(make, number):
    stack = make.stack(service=make.service())
    make.environment(f"payments-{number}")
    make.version(f"1.{number}.1")
    make.version(template=make.template(f"template-{number}"))
    job = make.job(stack)
    add_event(stack, job, 1)


@pytest.mark.parametrize(
    "path", ["/stacks", "/jobs", "/templates", "/environments", "/templates/sqs-queue/versions", "/me"]
)
def test_a_list_costs_the_same_at_every_length(path, dana, make, count_queries):
    counts = []
    made = 0
    make.version()
    for wanted in (1, 10, 100):
        while made < wanted:
            fill(make, made)
            made += 1
        # The first request of a minute notes the token's use; what is measured is the list.
        dana.get("/me")
        with count_queries() as queries:
            assert dana.get(f"{path}?limit=200" if path != "/me" else path).status_code == 200
        counts.append(len(queries))
    assert counts == [counts[0]] * 3
    assert counts[0] <= 8
