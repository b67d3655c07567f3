"""What a kind of job consists of, and what a step may answer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.errors import Problem

if TYPE_CHECKING:
    from app.jobs.run import Run


@dataclass(frozen=True)
class Done:
    """The step's work is done; the next step follows."""

    note: str = ""
    output: dict[str, Any] | None = None


@dataclass(frozen=True)
class Skip:
    """There was nothing for this step to do here."""

    note: str = ""


@dataclass(frozen=True)
class Again:
    """Look again after so many seconds; meanwhile no worker is held."""

    seconds: float
    note: str = ""


@dataclass(frozen=True)
class Hold:
    """A person has to decide; the job waits until somebody does."""

    note: str = ""


@dataclass(frozen=True)
class Stop:
    """The world said no, and `failure` says why: sentence, advice, and the raw words."""

    failure: dict[str, Any]


@dataclass(frozen=True)
class Cancelled:
    """The job was cancelled on request, and what it had begun is undone."""

    note: str = ""


Outcome = Done | Skip | Again | Hold | Stop | Cancelled


@dataclass(frozen=True)
class Step:
    """One stage. `run` may be called more than once and looks before it acts.

    `handles_cancel`: the step itself undoes what has begun; otherwise the flow's `cancel` does.
    """

    key: str
    run: Callable[["Run"], Outcome]
    handles_cancel: bool = False


def _plainly(problem: Problem) -> dict[str, Any]:
    return {"sentence": problem.sentence, "advice": "", "reason": problem.sentence}


@dataclass(frozen=True)
class Flow:
    """The steps of one kind of job; what happens, in the same transaction, when it ends; how a refusal is explained."""

    kind: str
    steps: tuple[Step, ...]
    cancel: Callable[["Run"], Outcome]
    ended: Callable[["Run", str], None] = field(default=lambda run, status: None)
    explain: Callable[[Problem], dict[str, Any]] = field(default=_plainly)

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)


FLOWS: dict[str, Flow] = {}


def register(flow: Flow) -> None:
    """Make a kind of job known to the engine."""
    FLOWS[flow.kind] = flow
