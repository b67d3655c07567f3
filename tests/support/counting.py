"""Counting what a page asks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app, has_request_context
from sqlalchemy import event

_NOT_QUERIES = ("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")


@contextmanager
def count_queries() -> Iterator[list[str]]:
    """Collect the statements requests issue within the block; `len()` of it is their number.

    What the test itself reads in between does not count.
    """
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if has_request_context() and not statement.startswith(_NOT_QUERIES):
            statements.append(statement)

    engine = current_app.extensions["engine"]
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
