"""Sums of all stacks, kept until a stack changes: most pages ask for the same ones that the last page asked for."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, has_request_context
from sqlalchemy import func, select

from app import db
from app.stacks.models import StackTally

# Every change of a stack appends to the tally, so its newest row tells whether anything changed. Two changes of the
# same instant may be written in the other order than they are numbered; what that hides is seen after this long.
KEPT_SECONDS = 5.0
MOST = 300

Value = TypeVar("Value")
_NEWEST = select(func.max(StackTally.id))


class Memory:
    """What this process counted, by question. All of it belongs to one state of the stacks."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.state: int | None = None
        self.until = 0.0
        self.answers: dict[Hashable, Any] = {}

    def of(self, state: int | None) -> dict[Hashable, Any]:
        """Return the answers that hold for this state, none at first."""
        with self.lock:
            now = time.monotonic()
            if state != self.state or now > self.until or len(self.answers) > MOST:
                self.state, self.until, self.answers = state, now + KEPT_SECONDS, {}
            return self.answers


def init_app(app: Flask) -> None:
    app.extensions["stack_memory"] = Memory()


def remembered(question: Hashable, count: Callable[[], Value]) -> Value:
    """Return what `count` returns, or what it returned since the last change of any stack.

    Only a request that reads is given what others counted: whoever writes sees its own changes before anybody may.
    The answer is shared by all requests; nobody may change it.
    """
    if not has_request_context() or db.will_write():
        return count()
    if "stack_answers" not in g:
        g.stack_answers = current_app.extensions["stack_memory"].of(db.session.scalar(_NEWEST))
    answers = g.stack_answers
    if question not in answers:
        answers[question] = count()
    return cast(Value, answers[question])
