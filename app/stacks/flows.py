"""The kinds of job a stack knows, made known to the engine."""

from collections.abc import Callable

from app.jobs.flows import Flow, Step, register
from app.stacks import cancelling, deleting, launching, performing, planning, settling
from app.stacks.wordings import explain_problem

_CHANGE = (
    Step("plan", planning.plan),
    Step("confirm", planning.confirm),
    Step("execute", launching.execute),
    Step("follow", launching.follow, handles_cancel=True),
    Step("verify", launching.verify, handles_cancel=True),
)
_DELETE = (
    Step("check", deleting.check),
    Step("execute", deleting.execute),
    Step("follow", deleting.follow, handles_cancel=True),
    Step("verify", deleting.verify, handles_cancel=True),
)


def _flow(kind: str, steps: tuple[Step, ...], cancel: Callable, ended: Callable) -> Flow:
    return Flow(kind, steps, cancel, ended, explain_problem, performing.begin, performing.perform)


FLOWS = (
    _flow("create", (Step("check", planning.check), *_CHANGE), cancelling.cancel, settling.ended),
    _flow("update", (Step("check", planning.check_update), *_CHANGE), cancelling.cancel, settling.ended),
    _flow("delete", _DELETE, deleting.cancel, settling.deletion_ended),
)


def register_all() -> None:
    """Make create, update and delete known to the engine. May be repeated."""
    for flow in FLOWS:
        register(flow)
