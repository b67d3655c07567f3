"""What the engine does next with a job: pure functions of what is known about it, without clock or database."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from app.errors import Problem
from app.jobs import lifecycle
from app.jobs.flows import Again, Cancelled, Done, Effect, Flow, Hold, Outcome, Skip, Step, Stop, Watch
from app.jobs.lifecycle import StepStatus, Transition

MOST_ATTEMPTS = 5
LONGEST_PAUSE = 30.0
_OVER = (StepStatus.DONE, StepStatus.SKIPPED)


@dataclass(frozen=True)
class StepFacts:
    """A step's row as far as decisions need it. `in_vain`: how many times in a row the outside did not answer."""

    key: str
    status: StepStatus = StepStatus.TO_COME
    has_intent: bool = False
    attempt: int = 0
    in_vain: int = 0


@dataclass(frozen=True)
class JobFacts:
    """A claimed job. `attempts` counts this claim too; `is_late` by the database's clock."""

    kind: str
    attempts: int
    wants_cancel: bool
    is_late: bool
    steps: tuple[StepFacts, ...]

    @property
    def current(self) -> StepFacts | None:
        return next((step for step in self.steps if step.status not in _OVER), None)


class Dice(Protocol):
    """What makes pauses uneven: the module `random`, or a seeded generator."""

    def uniform(self, a: float, b: float) -> float: ...


# --- what comes next ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Take:
    """Perform a step. `is_repeat`: its intent was written before, so that it looks before it acts."""

    step: Step
    is_repeat: bool


@dataclass(frozen=True)
class Undo:
    """The job is to be cancelled, and the step it stands at cannot do that itself."""

    step: Step


@dataclass(frozen=True)
class End:
    """The job is over, or stops until a person looks."""

    transition: Transition
    failure: Mapping[str, Any] | None = None
    step: Step | None = None


Act = Take | Undo | End


def next_act(facts: JobFacts, flow: Flow) -> Act:
    """Return what to do with a job that was just claimed, or whose last step is done."""
    current = facts.current
    if facts.attempts > MOST_ATTEMPTS:
        return End(lifecycle.STOP, _gave_up(facts.attempts - 1))
    if current is None:
        return End(lifecycle.SUCCEED)
    step = flow.step(current.key)
    if facts.wants_cancel and not step.handles_cancel:
        return Undo(step)
    if facts.is_late and not step.handles_cancel:
        return End(lifecycle.FAIL, _too_late(step), step)
    return Take(step, current.has_intent)


# --- what is written ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StepChange:
    """New values of one step's row. A step that begins keeps its note and output; moments are the database's."""

    key: str
    status: StepStatus
    note: str = ""
    output: Mapping[str, Any] | None = None
    begins: bool = False
    ends: bool = False


@dataclass(frozen=True)
class Write:
    """What to commit about a job in one transaction that only the holder of the newest fence can commit.

    `rest`: give the job back, and look again after so many seconds, or when there is news of what is watched.
    `holds`: wait for a person, unless somebody has asked to cancel meanwhile.
    """

    steps: tuple[StepChange, ...] = ()
    rest: float | None = None
    watch: Watch | None = None
    holds: bool = False
    end: End | None = None

    @property
    def name(self) -> str:
        """What it says, in a word: for logs and failpoints."""
        if self.end:
            return f"end_{self.end.transition.target}"
        if self.holds or self.rest is not None:
            return "hold" if self.holds else "rest"
        return "intent" if any(change.begins for change in self.steps) else "done"

    def __add__(self, other: "Write") -> "Write":
        return replace(other, steps=self.steps + other.steps)

    @property
    def says_nothing(self) -> bool:
        return self == Write()


def opening(act: Act) -> Write:
    """Return what is written before an act: an intent, so that whoever comes after a crash looks first, or the end."""
    match act:
        case Take(step):
            return Write((StepChange(step.key, StepStatus.ACTIVE, begins=True),))
        case End():
            return Write(end=act)
        case Undo():
            return Write()


def recording(act: Take | Undo, outcome: Outcome, facts: JobFacts) -> Write:
    """Return what is written after a step has answered. What has settled in time, though nobody saw it, is not late."""
    step = act.step
    match outcome:
        case Done(note, output):
            return Write((StepChange(step.key, StepStatus.DONE, note, output, ends=True),))
        case Skip(note):
            return Write((StepChange(step.key, StepStatus.SKIPPED, note, ends=True),))
        case Again() if facts.is_late and isinstance(act, Take):
            return Write(end=End(lifecycle.FAIL, _too_late(step), step))
        case Again(seconds, note, watch):
            return Write((StepChange(step.key, StepStatus.WAITING, note),), rest=seconds, watch=watch)
        case Hold(note):
            return Write((StepChange(step.key, StepStatus.WAITING, note),), holds=True)
        case Stop(failure):
            return Write(end=End(lifecycle.FAIL, failure, step))
        case Cancelled():
            return Write(end=End(lifecycle.CANCEL, None, step))


def asking_again(step: Step, problem: Problem, facts: JobFacts, dice: Dice) -> Write:
    """Let the job rest, longer each time, and have the step look again."""
    times = (facts.current.in_vain if facts.current else 0) + 1
    change = StepChange(step.key, StepStatus.WAITING, problem.sentence, {"asked_in_vain": times})
    return Write((change,), rest=pause(times, dice))


def pause(times: int, dice: Dice) -> float:
    """Return seconds to wait: 1, 2, 4… up to 30, each a little shorter or longer so that jobs do not come in step."""
    return min(2.0 ** (times - 1), LONGEST_PAUSE) * dice.uniform(0.8, 1.2)


def written(facts: JobFacts, write: Write) -> JobFacts:
    """Return the facts as they are once the write is committed."""
    changes = {change.key: change for change in write.steps}
    steps = tuple(_changed(step, changes[step.key]) if step.key in changes else step for step in facts.steps)
    return replace(facts, steps=steps)


def _changed(step: StepFacts, change: StepChange) -> StepFacts:
    if change.begins:
        return replace(step, status=change.status, has_intent=True, attempt=step.attempt + 1)
    return replace(step, status=change.status, in_vain=int((change.output or {}).get("asked_in_vain", 0)))


# --- one claim ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Begin(Effect):
    """Gather the facts the step is given."""

    act: Take | Undo


Request = Write | Effect
Advance = Generator[Request, Any, None]


def advance(flow: Flow, facts: JobFacts, dice: Dice) -> Advance:
    """Take a claimed job as far as it goes without waiting.

    Asks for writes and effects; a write is answered with the facts as they are after it, an effect with what it found.
    The end of one step and the intent of the next are one write.
    """
    done = Write()
    while True:
        act = next_act(written(facts, done), flow)
        write = done + opening(act)
        if not write.says_nothing:
            facts = yield write
        if isinstance(act, End):
            return
        done = Write()
        if isinstance(act, Take) and not isinstance(next_act(facts, flow), Take):
            # Somebody has asked to cancel, or time has run out, while the intent was written.
            continue
        done = yield from _performed(flow, act, facts, dice)
        if done.end or done.rest is not None or done.holds:
            facts = yield done
            if not (done.holds and facts.wants_cancel):
                return
            done = Write()


def _performed(flow: Flow, act: Take | Undo, facts: JobFacts, dice: Dice) -> Generator[Request, Any, Write]:
    given = yield Begin(act)
    run = act.step.run if isinstance(act, Take) else flow.cancel
    try:
        answer = run(given)
        outcome = (yield from answer) if isinstance(answer, Generator) else answer
    except Problem as problem:
        if facts.current and facts.current.in_vain < problem.patience:
            return asking_again(act.step, problem, facts, dice)
        outcome = Stop(flow.explain(problem))
    return recording(act, outcome, facts)


def _gave_up(attempts: int) -> dict[str, str]:
    return {
        "sentence": f"Slipway tried {attempts} times and did not get through this step.",
        "advice": "The platform team sees why in the worker's log and can resume it here; you can cancel it.",
        "reason": "attempts exhausted",
    }


def _too_late(step: Step) -> dict[str, str]:
    return {
        "sentence": "This job did not end within its time limit.",
        "advice": "Look at the stack in the AWS console; then try again or delete it.",
        "reason": f"deadline passed in step {step.key}",
    }
