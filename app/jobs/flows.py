"""What a kind of job consists of, what a step may ask for, and what it may answer.

A step decides and does nothing itself: it is a generator that asks for effects, one after the other, and is sent what
came of each. Whoever runs it performs them: the engine against the database and the cloud, a simulation in memory.
"""

import re
from collections.abc import Callable, Generator
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
class Watch:
    """What a job waits for: news of a key under a topic, brought by whoever watches the topic."""

    topic: str
    key: str


@dataclass(frozen=True)
class Again:
    """Look again after so many seconds, or when a watcher brings news; meanwhile no worker is held."""

    seconds: float
    note: str = ""
    watch: Watch | None = None


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


class Effect:
    """Something a step asks for. Its name says where in a job it happens, for logs and failpoints."""

    @property
    def name(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", "_", type(self).__name__).lower()


class Look(Effect):
    """Reads the outside. Asking twice is harmless."""


class Deed(Effect):
    """Changes the outside. Its intent is committed before, and it carries a token under which it happens once."""


class Note(Effect):
    """Changes our own rows, in a transaction that only the holder of the newest fence can commit."""


Steps = Generator[Effect, Any, Outcome]


@dataclass(frozen=True)
class Step:
    """One stage. `run` may be called more than once and looks before it acts; it answers at once or asks for effects.

    `handles_cancel`: the step itself undoes what has begun; otherwise the flow's `cancel` does.
    """

    key: str
    run: Callable[[Any], Outcome | Steps]
    handles_cancel: bool = False


def _plainly(problem: Problem) -> dict[str, Any]:
    return {"sentence": problem.sentence, "advice": "", "reason": problem.sentence}


def _nothing(run: "Run", effect: Effect) -> Any:
    raise NotImplementedError(f"This kind of job performs no {effect.name}.")


@dataclass(frozen=True)
class Flow:
    """The steps of one kind of job.

    `begin` gathers the facts a step is given, `perform` does what it asks for, `explain` puts a refusal in words, and
    `ended` settles the rest in the transaction that ends the job.
    """

    kind: str
    steps: tuple[Step, ...]
    cancel: Callable[[Any], Outcome | Steps]
    ended: Callable[["Run", str], None] = field(default=lambda run, status: None)
    explain: Callable[[Problem], dict[str, Any]] = field(default=_plainly)
    begin: Callable[["Run"], Any] = field(default=lambda run: run)
    perform: Callable[["Run", Effect], Any] = field(default=_nothing)

    def step(self, key: str) -> Step:
        return next(step for step in self.steps if step.key == key)


FLOWS: dict[str, Flow] = {}


def register(flow: Flow) -> None:
    """Make a kind of job known to the engine."""
    FLOWS[flow.kind] = flow
