"""The kinds of job a stack knows, made known to the engine."""

from app.jobs.flows import Flow, Step, register
from app.stacks import cancelling, deleting, launching, planning, settling
from app.stacks.outcomes import explain_problem

_CHANGE = (
    Step("plan", planning.plan),
    Step("confirm", planning.confirm),
    Step("execute", launching.execute),
    Step("follow", launching.follow, handles_cancel=True),
    Step("verify", launching.verify, handles_cancel=True),
)

_CREATE = Flow("create", (Step("check", planning.check), *_CHANGE), cancelling.cancel, settling.ended, explain_problem)
_UPDATE = Flow(
    "update", (Step("check", planning.check_update), *_CHANGE), cancelling.cancel, settling.ended, explain_problem
)
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
    explain_problem,
)


def register_all() -> None:
    """Make create, update and delete known to the engine. May be repeated."""
    for flow in (_CREATE, _UPDATE, _DELETE):
        register(flow)
