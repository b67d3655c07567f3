"""The kinds of job a stack knows, made known to the engine."""

from app.jobs.flows import Flow, Step, register
from app.stacks import deleting, launching

_CHANGE = (
    Step("plan", launching.plan),
    Step("confirm", launching.confirm),
    Step("execute", launching.execute),
    Step("follow", launching.follow, handles_cancel=True),
    Step("verify", launching.verify, handles_cancel=True),
)

_CREATE = Flow("create", (Step("check", launching.check), *_CHANGE), launching.cancel, launching.ended)
_UPDATE = Flow("update", (Step("check", launching.check_update), *_CHANGE), launching.cancel, launching.ended)
_DELETE = Flow(
    "delete",
    (
        Step("check", deleting.check),
        Step("execute", deleting.execute),
        Step("follow", deleting.follow, handles_cancel=True),
        Step("verify", deleting.verify, handles_cancel=True),
    ),
    deleting.cancel,
    deleting.ended,
)


def register_all() -> None:
    """Make create, update and delete known to the engine. May be repeated."""
    for flow in (_CREATE, _UPDATE, _DELETE):
        register(flow)
