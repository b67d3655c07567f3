"""What a portal under test writes into its log, as a reader of the file would have it."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from app import logs


@contextmanager
def lines_as_json(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """Write JSON lines within the block; what it yields returns those written since it was last asked."""
    logs.configure("INFO", "json")
    # What a request of an earlier test has left behind in this thread belongs to nobody.
    structlog.contextvars.clear_contextvars()
    try:
        yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    finally:
        logs.configure("WARNING", "text")
