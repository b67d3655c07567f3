"""What stacks an account has in a region, a page at a time. Every function raises the errors of `aws.errors`."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from app.aws.cloudformation import StackState, state_of
from app.aws.errors import translated


class Moving(NamedTuple):
    """A stack in one of the states that pass."""

    cloud_id: str
    name: str
    status: str
    reason: str


def moving_stacks(client: Any) -> Iterator[Moving]:
    """Yield every stack that moves, nested ones left out: one call for a hundred of them.

    A stack that is missing here has settled or was never there; only a look at it by id tells which.
    """
    for stack in _pages(client, "list_stacks", "StackSummaries", StackStatusFilter=_moving_statuses(client)):
        if not stack.get("ParentId"):
            reason = stack.get("StackStatusReason", "")
            yield Moving(stack["StackId"], stack["StackName"], stack["StackStatus"], reason)


def _moving_statuses(client: Any) -> list[str]:
    # Asked of the API's own model: a state added to it later is not forgotten.
    statuses = client.meta.service_model.shape_for("StackStatus").enum
    return [status for status in statuses if status.endswith("_IN_PROGRESS")]


def all_stacks(client: Any) -> Iterator[StackState]:
    """Yield every stack that is not deleted, with its tags; nested ones as well, which name their root."""
    return map(state_of, _pages(client, "describe_stacks", "Stacks"))


def _pages(client: Any, operation: str, key: str, **request: Any) -> Iterator[Any]:
    with translated():
        for page in client.get_paginator(operation).paginate(**request):
            yield from page[key]


def template_of(client: Any, cloud_id: str) -> str:
    """Return the body the stack was made from, as it was sent. Raises NotThere."""
    with translated():
        body = client.get_template(StackName=cloud_id, TemplateStage="Original")["TemplateBody"]
    # botocore reads JSON bodies on its own and leaves YAML alone.
    return body if isinstance(body, str) else json.dumps(body, indent=2)
