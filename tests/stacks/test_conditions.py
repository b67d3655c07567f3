"""What a stack's page says is known, and how old that is."""

from datetime import timedelta

from app import clock
from app.stacks.conditions import STALE, conditions_of


def said(stack, newer=None):
    return [(each.status, each.stale) for each in conditions_of(stack, newer)]


def test_what_was_read_lately_is_good_news(make):
    stack = make.stack(status="ready", observed_at=clock.now())
    assert said(stack) == [("yes", False), ("yes", False), ("yes", False)]


def test_old_news_is_never_good_news(make):
    stack = make.stack(status="ready", observed_at=clock.now() - STALE - timedelta(minutes=1))
    assert said(stack) == [("unknown", True), ("yes", False), ("stale", True)]


def test_a_stack_nobody_looked_at_is_not_known(make):
    stack = make.stack(status="ready", observed_at=None)
    assert said(stack)[0] == ("unknown", True)
    assert said(stack)[2] == ("unknown", True)


def test_a_newer_version_is_named(make):
    stack = make.stack(status="tainted", observed_at=clock.now())
    newer = make.version("9.0.0", template=stack.template)
    ready, current, _ = conditions_of(stack, newer)
    assert (ready.status, current.status, current.words) == ("tainted", "behind", "v9.0.0 is out")
