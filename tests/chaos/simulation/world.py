"""A database in memory: transactions that happen whole or not at all, the claim and the guard of the SQL, and a log.

Time is the virtual clock's alone. What `app.jobs.engine.Worker.claim` and `app.jobs.run.Run` say in SQL is said here
over again; `test_world.py` holds the two against each other on random rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from app.jobs import lifecycle as jobs
from app.jobs.decisions import End, GiveBack, JobFacts, StepChange, Take, Write, next_act, opening, written
from app.jobs.flows import FLOWS, Flow
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.run import PROOF_LASTS, LeaseLost
from app.stacks import lifecycle as stacks
from tests.chaos.simulation import settling
from tests.chaos.simulation.rows import FREE, Change, Claimed, Entry, Job, Stack, Written

Answer = TypeVar("Answer")


class Interrupted(Exception):
    """The database was busy or away, or the answer to a commit got lost: whether it happened is not known."""


class World:
    """All rows, and what was committed when."""

    def __init__(self, now: Callable[[], float], lease_seconds: float):
        self.now, self.lease_seconds = now, lease_seconds
        self.flows: Mapping[str, Flow] = FLOWS
        self.jobs: list[Job] = []
        self.stacks: list[Stack] = []
        self.entries: list[Entry] = []
        self.changes: list[Change] = []
        self.written: list[Written] = []
        self.claims: list[Claimed] = []

    def transact(self, body: Callable[[], Answer], stack: Stack, job: Job | None = None) -> Answer:
        """Do all of it or nothing, and note which statuses changed."""
        rows: list[Any] = [row for row in (stack, job, job and job.plan) if row is not None]
        before = [(row, dict(vars(row))) for row in rows]
        entries = len(self.entries)
        try:
            answer = body()
        except BaseException:
            for row, values in before:
                vars(row).update(values)
            del self.entries[entries:]
            raise
        for row, values in before:
            if "status" in values and row.status != values["status"]:
                self.changes.append(Change(self.now(), type(row).__name__, row.ref, values["status"], row.status))
        return answer

    def record(self, action: str, subject: str, before: str = "", after: str = "") -> None:
        """Write an audit entry in the transaction that is open."""
        self.entries.append(Entry(self.now(), action, subject, before, after))

    def move_stack(self, stack: Stack, transition: stacks.Transition, reason: str = "", **values: Any) -> None:
        """Move a stack as `app.stacks.lifecycle.apply` does."""
        before = stack.status
        if before not in transition.sources:
            raise stacks.InvalidTransition(f"{stack.name} is {before} and can no longer {transition.name}.")
        stack.status, stack.status_reason = transition.target, reason
        vars(stack).update(values)
        self.record(f"stack:{transition.target}", stack.ref, before, transition.target)

    def move_job(self, job: Job, transition: jobs.Transition, **values: Any) -> None:
        """Move a job as `app.jobs.lifecycle.apply` does."""
        if job.status not in transition.sources:
            raise jobs.InvalidTransition(f"This job can no longer {transition.name}: it is {job.status}.", job=job.ref)
        if transition.target not in jobs.UNFINISHED:
            job.finished_at = self.now()
        job.status = transition.target
        vars(job).update(values)

    def unfinished(self, stack: Stack) -> Job | None:
        """Return the job that has not ended on a stack."""
        return next((job for job in self.jobs if job.stack is stack and job.status in jobs.UNFINISHED), None)

    def insert(self, job: Job) -> bool:
        """Add a job, unless the stack has one that has not ended: the partial unique index."""
        if self.unfinished(job.stack) is not None:
            return False
        self.jobs.append(job)
        return True

    # Claims.

    def is_free(self, job: Job, now: float) -> bool:
        return job.lease_until < now

    def is_due(self, job: Job, now: float) -> bool:
        return job.status in jobs.RUNNABLE and self.is_free(job, now) and job.next_run_at <= now

    def claim(self, job: Job, owner: str) -> "Run | None":
        """Take the job if it is runnable and nobody holds it."""
        now = self.now()
        if not self.is_due(job, now):
            return None
        self.claims.append(Claimed(now, job.ref, job.fence + 1, job.lease_until))
        self._take(job, owner, now)
        return Run(self, job, owner)

    def _take(self, job: Job, owner: str, now: float) -> None:
        if job.status != JobStatus.RUNNING:
            self.changes.append(Change(now, "Job", job.ref, job.status, JobStatus.RUNNING))
        job.lease_owner, job.lease_until = owner, now + self.lease_seconds
        job.fence += 1
        job.attempts += 1
        job.watch_key = None
        job.status = JobStatus.RUNNING
        job.started_at = now if job.started_at is None else job.started_at

    def renew(self, job: Job, fence: int, owner: str) -> bool:
        """Renew a lease as a heartbeat does; say whether it is still held."""
        if job.fence != fence or job.lease_owner != owner:
            return False
        job.lease_until = self.now() + self.lease_seconds
        return True


class Run:
    """A job held by a worker under one fence: `app.jobs.run.Run`."""

    def __init__(self, world: World, job: Job, owner: str):
        self.world, self.job, self.owner = world, job, owner
        self.fence, self.now = job.fence, world.now()
        self.proved_at = self.now
        self.facts: JobFacts = job.facts(self.now)
        self.is_repeat = False
        self.opened: Take | None = None
        self._open()

    def _open(self) -> None:
        """Write the first step's intent with the claim: `Run.open`."""
        flow = self.world.flows.get(self.facts.kind)
        act = next_act(self.facts, flow) if flow else None
        if isinstance(act, Take):
            self.opened = act
            self._write(opening(act))

    def holds_newest(self) -> bool:
        return self.job.fence == self.fence

    def transaction(self, body: Callable[[], Answer], what: str, **values: Any) -> Answer:
        """Do it in a transaction that only the holder of the newest fence can commit. Raises LeaseLost."""
        job, world = self.job, self.world
        if not self.holds_newest():
            raise LeaseLost(f"{job.ref}, fence {self.fence}")
        self.now = self.proved_at = world.now()
        wants_cancel, is_late = job.cancel_requested_at is not None, job.deadline_at < self.now
        if (wants_cancel, is_late) != (self.facts.wants_cancel, self.facts.is_late):
            self.facts = replace(self.facts, wants_cancel=wants_cancel, is_late=is_late)

        def guarded() -> Answer:
            job.lease_until = self.now + world.lease_seconds
            vars(job).update(values)
            return body()

        answer = world.transact(guarded, job.stack, job)
        world.written.append(Written(self.now, job.ref, self.fence, job.fence, what))
        return answer

    def write(self, write: Write) -> JobFacts:
        """Commit what the engine decided, and return the facts as they are then."""
        self.transaction(lambda: self._write(write), write.name, **self._resting(write))
        return self.facts

    def _resting(self, write: Write) -> dict[str, Any]:
        if write.rest is None:
            return {}
        watch_key = {"watch_key": write.watch.key} if write.watch else {}
        return FREE | watch_key | {"next_run_at": self.world.now() + write.rest}

    def needs_proof(self) -> bool:
        """Say whether it is too long ago that the database told whose the job is: `Run._prove`."""
        return self.world.now() - self.proved_at > self.world.lease_seconds * PROOF_LASTS

    def let_go(self, back: GiveBack) -> None:
        """Give the job back after something broke."""
        values = FREE | {"next_run_at": self.world.now() + back.seconds, "attempts": back.attempts}
        self.transaction(lambda: None, "let_go", **values)

    def _write(self, write: Write) -> None:
        for change in write.steps:
            self._change_step(change)
        self.facts = written(self.facts, write)
        if write.end:
            self._end(write.end)
        elif write.holds and not self.facts.wants_cancel:
            self.world.move_job(self.job, jobs.WAIT, **FREE)

    def _change_step(self, change: StepChange) -> None:
        step = next(step for step in self.job.steps if step.key == change.key)
        values: dict[str, Any] = {"status": change.status}
        if change.begins:
            began = self.now if step.intent_at is None else step.intent_at
            values |= {"intent_at": began, "attempt": step.attempt + 1}
        else:
            values |= {"note": change.note[:500], "output": change.output}
        if change.ends:
            values["done_at"] = self.now
        self._update_step(change.key, values)

    def _update_step(self, key: str, values: dict[str, Any]) -> None:
        steps = self.job.steps
        self.job.steps = tuple(step._replace(**values) if step.key == key else step for step in steps)

    def _end(self, end: End) -> None:
        if end.step and end.transition is jobs.FAIL:
            self._update_step(end.step.key, {"status": StepStatus.FAILED, "done_at": self.now})
        failure = dict(end.failure) if end.failure else None
        target = end.transition.target
        self.world.move_job(self.job, end.transition, failure=failure, **FREE)
        if target not in jobs.UNFINISHED:
            settling.ended(self, target)
