"""Counts are kept between requests, and never longer than they are true."""

import re

import pytest
from sqlalchemy import text

from app import db
from app.stacks import remembering
from app.stacks.lifecycle import RANK, StackStatus


@pytest.fixture
def browser(sign_in, make):
    return sign_in(make.person("dana"))


def total_of(page) -> str:
    return re.search(r"of ([\d,]+), worst first", page.text).group(1)


def test_a_second_look_counts_nothing_anew(browser, make, count_queries):
    make.stack()
    browser.get("/stacks")
    with count_queries() as queries:
        assert total_of(browser.get("/stacks")) == "1"
    assert [query for query in queries if "sum(" in query] == []


def test_a_new_stack_is_counted_at_once(browser, make):
    make.stack()
    assert total_of(browser.get("/stacks")) == "1"
    make.stack()
    assert total_of(browser.get("/stacks")) == "2"


def test_a_stack_that_changes_is_counted_at_once(browser, make):
    stack = make.stack()
    assert total_of(browser.get("/stacks?status=ready")) == "1"
    assert "Nothing matches" in browser.get("/stacks?status=failed").text
    stack.status, stack.rank = StackStatus.FAILED, RANK[StackStatus.FAILED]
    assert "Nothing matches" in browser.get("/stacks?status=ready").text
    assert total_of(browser.get("/stacks?status=failed")) == "1"


def test_a_new_environment_is_listed_at_once(browser, make):
    make.stack()
    assert "sandbox" not in browser.get("/environments").text
    make.environment("sandbox")
    assert "sandbox" in browser.get("/environments").text


def test_a_search_shows_what_its_filters_leave_not_what_another_counted(browser, make):
    make.stack("orders-queue")
    failed = make.stack("refunds-queue", status=StackStatus.FAILED, rank=RANK[StackStatus.FAILED])
    assert total_of(browser.get("/stacks")) == "2"
    assert total_of(browser.get("/stacks?status=failed")) == "1"
    found = browser.get("/stacks?q=queue&status=failed").text
    assert failed.ref in found
    assert "orders-queue" not in found


def test_what_the_tally_does_not_tell_is_seen_after_a_while(browser, make):
    make.stack()
    assert total_of(browser.get("/stacks")) == "1"
    # As a change that was written later than the one numbered after it.
    db.session.execute(text("UPDATE stack_tally SET n = n + 1 WHERE n > 0"))
    assert total_of(browser.get("/stacks")) == "1"
    memory = browser.application.extensions["stack_memory"]
    memory.until -= remembering.KEPT_SECONDS
    assert total_of(browser.get("/stacks")) == "2"


def test_there_is_room_for_every_question(browser, make, monkeypatch):
    monkeypatch.setattr(remembering, "MOST", 2)
    make.stack()
    for _ in range(3):
        assert total_of(browser.get("/stacks")) == "1"
        assert "Nothing matches" in browser.get("/stacks?status=failed").text
