"""The kinds of job a stack knows, made known to the engine."""

from collections.abc import Callable

from app.aws.errors import Denied
from app.jobs.flows import Again, Flow, Step, Steps, register
from app.stacks import cancelling, deleting, launching, performing, planning, settling
from app.stacks.case import Case
from app.stacks.wordings import explain_problem

# How long to wait before looking again where the role may not look.
LOOK_LATER = 30.0


def _patient(run: Callable[[Case], Steps]) -> Callable[[Case], Steps]:
    """Make a step wait that may not look: that says nothing about the stack, whose outcome only a look can tell."""

    def look(case: Case) -> Steps:
        try:
            return (yield from run(case))
        except Denied as problem:
            return Again(case.pace if problem.patience else LOOK_LATER, problem.sentence)

    return look


_CHANGE = (
    Step("plan", planning.plan),
    Step("confirm", planning.confirm),
    Step("execute", launching.execute),
    Step("follow", _patient(launching.follow), handles_cancel=True),
    Step("verify", _patient(launching.verify), handles_cancel=True),
)
_DELETE = (
    Step("check", deleting.check),
    Step("execute", deleting.execute),
    Step("follow", _patient(deleting.follow), handles_cancel=True),
    Step("verify", _patient(deleting.verify), handles_cancel=True),
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
