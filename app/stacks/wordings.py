"""Failures that Slipway itself has words for."""

from typing import Any

from app.errors import Problem
from app.stacks import causes

GONE = ("The stack is gone from the cloud.", "Delete it here, then launch it again.")


def failure(sentence: str, advice: str, reason: str = "") -> dict[str, Any]:
    """Return a failure in Slipway's own words; `reason` is the cloud's."""
    return {"sentence": sentence, "advice": advice, "reason": reason or sentence, "logical_id": "", "type": ""}


def explain_problem(problem: Problem) -> dict[str, Any]:
    """Return a failure in plain words for what the cloud refused outright."""
    return causes.explain(None, problem.sentence)
