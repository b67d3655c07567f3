"""A client with boto3's method names, keyword arguments, answers and errors."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore import xform_name

from tests.chaos.model import change_sets, events, reading, stacks
from tests.chaos.model.refusals import Refusal

if TYPE_CHECKING:
    from tests.chaos.model.cloud import CloudFormation

OPERATIONS: dict[str, Callable[..., Any]] = {
    "CancelUpdateStack": stacks.cancel_update_stack,
    "ContinueUpdateRollback": stacks.continue_update_rollback,
    "CreateChangeSet": change_sets.create_change_set,
    "DeleteChangeSet": change_sets.delete_change_set,
    "DeleteStack": stacks.delete_stack,
    "DescribeChangeSet": reading.describe_change_set,
    "DescribeEvents": events.describe_events,
    "DescribeStackEvents": events.describe_stack_events,
    "DescribeStacks": reading.describe_stacks,
    "ExecuteChangeSet": change_sets.execute_change_set,
    "GetTemplate": reading.get_template,
    "ListStackResources": events.list_stack_resources,
    "ListStacks": reading.list_stacks,
    "UpdateTerminationProtection": stacks.update_termination_protection,
}


class Client:
    """What `boto3.client("cloudformation")` is to somebody who assumed a role.

    Its credentials run out: then one call is refused with ExpiredToken and the next has fresh ones, as the portal's
    cache of clients takes care of.
    """

    __slots__ = ("_cloud", "_expires_at", "actor")

    def __init__(self, cloud: "CloudFormation", actor: str):
        self._cloud, self.actor = cloud, actor
        self._expires_at: float | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = _METHODS.get(name)
        if operation is None:
            raise AttributeError(f"The model has no call {name}.")
        return lambda **request: self._call(operation, request)

    def _call(self, operation: str, request: dict[str, Any]) -> Any:
        try:
            answer = self._cloud.answer(self.actor, operation, request, self._check_credentials)
        except Refusal as refusal:
            raised_by = "AssumeRole" if refusal.code == "AccessDenied" else operation
            raise refusal.as_client_error(raised_by) from None
        # botocore turns a template that is JSON into a dictionary.
        if operation == "GetTemplate" and answer["TemplateBody"].lstrip().startswith("{"):
            answer["TemplateBody"] = json.loads(answer["TemplateBody"])
        return answer

    def _check_credentials(self) -> None:
        """Assume the role at the first call; find out when that has become too old."""
        cloud = self._cloud
        if self._expires_at is None:
            cloud.check_role()
            self._expires_at = cloud.at + cloud.behaviour.credentials_seconds
        elif self._expires_at <= cloud.at:
            self._expires_at = None
            raise Refusal("ExpiredToken", "The security token included in the request is expired", 403)


_METHODS = {xform_name(operation): operation for operation in OPERATIONS}
