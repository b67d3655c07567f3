"""A job as its page shows it: stages, resources on one clock, how long it still takes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app import clock
from app.catalog.bodies import parsed
from app.catalog.models import Version
from app.cloudformation.outline import outline
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep
from app.stacks.following import is_the_stack
from app.stacks.forecasts import Usual
from app.stacks.models import Plan, Stack, StackEvent
from app.words import duration, eta_range, time_of_day

_NAMES = {"check": "Checked", "plan": "Planned", "confirm": "Approved", "verify": "Verified"}
_UNDER_WAY = {"check": "Checking", "plan": "Planning", "confirm": "Confirming", "verify": "Verifying"}
_DOING = {"create": ("Creating", "Created"), "update": ("Changing", "Changed"), "delete": ("Deleting", "Deleted")}


def stage_name(kind: str, key: str) -> str:
    """Return the words for a step under way; starting and following are one stage to whoever reads."""
    if key in ("execute", "follow") and kind in _DOING:
        return _DOING[kind][0]
    return _UNDER_WAY.get(key, key.capitalize())


@dataclass
class Lane:
    """One resource on the job's clock; times in seconds since the job began to act."""

    name: str
    type: str
    status: str = "to_come"
    word: str | None = None
    reason: str = ""
    start: float | None = None
    end: float | None = None
    usual_start: float | None = None
    usual_end: float | None = None
    usual: float | None = None
    after: Sequence[str] = ()

    @property
    def is_done(self) -> bool:
        return self.status.endswith("_complete")

    @property
    def moves(self) -> bool:
        return self.status.endswith("_in_progress")


@dataclass
class Progress:
    """What the page of a job shows; lengths in seconds."""

    job: Job
    stages: list[dict[str, Any]]
    lanes: list[Lane]
    total: float
    now: float | None
    left: str | None
    words: str
    events: list[StackEvent] = field(default_factory=list)

    @property
    def done(self) -> int:
        return sum(lane.is_done for lane in self.lanes) - self.removed

    @property
    def removed(self) -> int:
        """What was taken back; where removing is the job's purpose it counts as done."""
        return sum(lane.status == "delete_complete" for lane in self.lanes) if self.job.kind != "delete" else 0

    @property
    def moving(self) -> int:
        return sum(lane.moves for lane in self.lanes)

    @property
    def to_come(self) -> int:
        return sum(lane.status in ("to_come", "queued") for lane in self.lanes)

    @property
    def failed(self) -> int:
        return sum(lane.status.endswith("failed") for lane in self.lanes)


def progress(
    stack: Stack, job: Job, plan: Plan | None, events: Sequence[StackEvent], usual: Usual, version: Version | None
) -> Progress:
    """Work out a job's progress from its rows; `events` are the job's, oldest first."""
    begun_at = _begun_at(job)
    lanes = _lanes(stack, plan, events, begun_at, usual, version)
    now = None if job.is_finished or begun_at is None else (clock.now() - begun_at).total_seconds()
    if now is not None:
        _foresee(lanes, now)
    elif job.is_finished:
        _conclude(lanes)
    ends = [lane.end or lane.usual_end or lane.start or 0 for lane in lanes]
    total = max([now or 0, *ends, (usual.high or 0) if now is not None else 0, 1])
    left, words = _forecast(job, now, usual, lanes)
    return Progress(job, _stages(job), lanes, total, now, left, words, list(events)[::-1])


def _begun_at(job: Job) -> datetime | None:
    return next((step.intent_at for step in job.steps if step.key == "execute"), None)


def _lanes(
    stack: Stack,
    plan: Plan | None,
    events: Sequence[StackEvent],
    begun_at: datetime | None,
    usual: Usual,
    version: Version | None,
) -> list[Lane]:
    lanes = {
        change["logical_id"]: Lane(change["logical_id"], change["type"]) for change in (plan.changes if plan else [])
    }
    for event in events:
        if begun_at and not is_the_stack(stack.cloud_name, event):
            lane = lanes.setdefault(event.logical_id, Lane(event.logical_id, event.type))
            _advance(lane, event, max(0.0, (event.occurred_at - begun_at).total_seconds()))
    after = _dependencies(version) if version else {}
    for lane in lanes.values():
        lane.usual = usual.resources.get(lane.name)
        lane.after = [name for name in after.get(lane.name, ()) if name in lanes]
    return list(lanes.values())


def _advance(lane: Lane, event: StackEvent, at: float) -> None:
    status = event.status.lower()
    moves = status.endswith("_in_progress")
    if lane.start is None or (moves and lane.status.split("_")[0] != status.split("_")[0]):
        lane.start, lane.end = at, None
    if not moves:
        lane.end = at
    lane.status = status
    lane.reason = event.reason if status.endswith("_failed") else lane.reason


def _dependencies(version: Version) -> dict[str, Sequence[str]]:
    return {planned.logical_id: planned.depends_on for planned in outline(parsed(version).body, {}, {})}


def _foresee(lanes: Sequence[Lane], now: float) -> None:
    """Say what each lane waits for, and draw where it usually lies."""
    by_name = {lane.name: lane for lane in lanes}
    for lane in lanes:
        waits = [name for name in lane.after if not by_name[name].is_done]
        if lane.status == "to_come" and waits:
            lane.status, lane.word = "queued", f"Waits for {waits[0]}"
        if lane.usual is not None and not lane.is_done:
            ends = [by_name[name].end or by_name[name].usual_end or now for name in lane.after]
            lane.usual_start = lane.start if lane.start is not None else max([now, *ends])
            lane.usual_end = lane.usual_start + lane.usual


def _conclude(lanes: Sequence[Lane]) -> None:
    """Nothing comes any more; a resource that failed and was put back did fail."""
    for lane in lanes:
        if lane.status == "to_come":
            lane.status, lane.word = "skipped", "Not begun"
        elif lane.moves:
            lane.status, lane.word = "cancelled", "Stopped"
        elif lane.reason and lane.status.endswith("_complete"):
            lane.status, lane.word = "failed", "Failed, then undone"


def _forecast(job: Job, now: float | None, usual: Usual, lanes: Sequence[Lane]) -> tuple[str | None, str]:
    waiting = next((lane.name for lane in lanes if lane.moves), None)
    words = f"Waiting for {waiting}." if waiting else ""
    if now is None or not usual.is_known or usual.low is None or usual.high is None:
        return None, f"Too few runs here to say how long it takes (n={usual.n}). {words}".strip()
    usually = f"This usually takes {eta_range(usual.low, usual.high)} here (n={usual.n}). "
    if now > usual.high:
        return None, usually + "It takes longer than nine in ten before it. " + words
    usually = f"{duration(now)} so far. {usually}"
    return eta_range(max(usual.low - now, 1), max(usual.high - now, 1)), usually + words


def _stages(job: Job) -> list[dict[str, Any]]:
    """Return the job's steps as stages; starting and following are one stage to whoever watches."""
    stages = []
    for step in job.steps:
        if step.key == "execute" and any(other.key == "follow" for other in job.steps):
            continue
        stages.append({"name": _name(job, step), "status": _status(job, step), "note": _note(job, step)})
    if job.is_finished and stages and stages[-1]["status"] == StepStatus.TO_COME:
        stages[-1] = _ending(job)
    return stages


def _ending(job: Job) -> dict[str, Any]:
    """What stands in the place of the last stage when a job ended before it."""
    at = time_of_day(job.finished_at) if job.finished_at else ""
    status = (job.failure or {}).get("cloud_status", "")
    if status.endswith("ROLLBACK_COMPLETE"):
        return {"name": "Undone", "status": StepStatus.DONE, "note": f"by {at}"}
    if status.endswith("ROLLBACK_FAILED"):
        return {"name": "Undone", "status": StepStatus.FAILED, "note": f"stopped at {at}"}
    return {"name": "Verified", "status": StepStatus.SKIPPED, "note": "not reached"}


def _name(job: Job, step: JobStep) -> str:
    if step.key == "follow":
        doing, done = _DOING[job.kind]
        return done if step.status in (StepStatus.DONE, StepStatus.FAILED) else doing
    return _NAMES[step.key]


def _status(job: Job, step: JobStep) -> str:
    if step.key == "follow" and step.status is StepStatus.TO_COME:
        execute = next(other for other in job.steps if other.key == "execute")
        return "active" if execute.status is StepStatus.ACTIVE else step.status
    if job.is_finished and step.status in (StepStatus.ACTIVE, StepStatus.WAITING):
        return job.status
    if step.status is StepStatus.WAITING and job.status is not JobStatus.WAITING:
        return "active"
    return step.status


def _note(job: Job, step: JobStep) -> str:
    if step.status is StepStatus.SKIPPED or step.intent_at is None:
        return step.note
    at = time_of_day(step.intent_at)
    if step.status is StepStatus.FAILED:
        return f"stopped at {time_of_day(step.done_at or job.finished_at or step.intent_at)}"
    if step.key == "follow" and step.done_at is None:
        return f"since {at}"
    took = f"{at}, {duration((step.done_at - step.intent_at).total_seconds())}" if step.done_at else at
    return f"{took} · {step.note}" if step.note and step.key != "follow" else took
