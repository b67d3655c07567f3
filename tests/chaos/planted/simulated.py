"""The bugs the simulation shows: each a small change to the engine, to the steps, or to the database in memory."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from app.aws.errors import CloudProblem, NoAnswer, Refused, Throttled
from app.jobs.flows import Again, Done, Step, Steps
from app.stacks import cancelling, case, deleting, effects, launching, lifecycle, planning, standing
from app.stacks.case import Case
from app.stacks.lifecycle import StackStatus
from app.stacks.standing import Follow
from tests.chaos.planted import Bug, Caught
from tests.chaos.simulation import asking, rows, scheduler
from tests.chaos.simulation.invariants import violations
from tests.chaos.simulation.people import People
from tests.chaos.simulation.rows import Job
from tests.chaos.simulation.scheduler import Simulation
from tests.chaos.simulation.worker import Worker
from tests.chaos.simulation.world import Run, World

MOST_SEEDS = 4000
Plant = Callable[[pytest.MonkeyPatch], None]
_PLANTS: list[tuple[str, Plant]] = []


def bug(name: str) -> Callable[[Plant], Plant]:
    def add(plant: Plant) -> Plant:
        _PLANTS.append((name, plant))
        return plant

    return add


def catch(plant: Plant, most: int = MOST_SEEDS) -> Caught | None:
    """Play seeds with the bug in place until one breaks a promise, which without the bug it keeps."""
    for seed in range(most):
        with pytest.MonkeyPatch.context() as patch:
            plant(patch)
            found = violations(Simulation(seed).run())
        if found and not violations(Simulation(seed).run()):
            return Caught(f"seed {seed}: {found[0]}", seed + 1)
    return None


def other_step(patch: pytest.MonkeyPatch, kind: str, key: str, run: Callable[[Case], Any]) -> None:
    """Let a kind of job do something else in one of its steps."""
    flows = [
        replace(flow, steps=tuple(_with(step, run) if step.key == key else step for step in flow.steps))
        if flow.kind == kind
        else flow
        for flow in scheduler.FLOWS
    ]
    patch.setattr(scheduler, "FLOWS", tuple(flows))


def _with(step: Step, run: Callable[[Case], Any]) -> Step:
    return Step(step.key, run, step.handles_cancel)


# --- the engine and its database ----------------------------------------------------------------------------------


@bug("no fence in one write")
def _(patch: pytest.MonkeyPatch) -> None:
    fenced = Run.transaction

    def transaction(run: Run, body: Any, what: str, **values: Any) -> Any:
        if what == "observe":
            patch.setattr(Run, "holds_newest", lambda run: True)
        try:
            return fenced(run, body, what, **values)
        finally:
            patch.setattr(Run, "holds_newest", lambda run: run.job.fence == run.fence)

    patch.setattr(Run, "transaction", transaction)


@bug("a lease that is NULL once given back")
def _(patch: pytest.MonkeyPatch) -> None:
    # As NULL in SQL, it is less than nothing and no less than anything.
    patch.setitem(rows.FREE, "lease_until", float("nan"))


@bug("<= in the lease test")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(World, "is_free", lambda world, job, now: job.lease_until <= now)


@bug("a lease by the worker's own clock")
def _(patch: pytest.MonkeyPatch) -> None:
    timed = World.claim

    def claim(world: World, job: Job, owner: str) -> Run | None:
        ahead = 20.0 * int(owner[1])
        with pytest.MonkeyPatch.context() as skewed:
            skewed.setattr(world, "is_free", lambda job, now: job.lease_until < now + ahead)
            return timed(world, job, owner)

    patch.setattr(World, "claim", claim)


@bug("attempts counted after the attempt")
def _(patch: pytest.MonkeyPatch) -> None:
    taken = World._take

    def take(world: World, job: Job, owner: str, now: float) -> None:
        taken(world, job, owner, now)
        job.attempts -= 1

    patch.setattr(World, "_take", take)


@bug("no self-fence")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Worker, "watch", lambda worker: None)


@bug("two active jobs: the unique index dropped")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(World, "insert", lambda world, job: world.jobs.append(job) or True)


@bug("cancel read once")
def _(patch: pytest.MonkeyPatch) -> None:
    read, guarded = Job.facts, Run.transaction

    def facts(job: Job, now: float) -> Any:
        return replace(read(job, now), wants_cancel=job.fence == 1 and job.cancel_requested_at is not None)

    def transaction(run: Run, body: Any, what: str, **values: Any) -> Any:
        def deaf() -> Any:
            run.facts = replace(run.facts, wants_cancel=False)
            return body()

        return guarded(run, deaf, what, **values)

    patch.setattr(Job, "facts", facts)
    patch.setattr(Run, "transaction", transaction)


@bug("an audit entry in a second transaction")
def _(patch: pytest.MonkeyPatch) -> None:
    whole = Run.transaction

    def transaction(run: Run, body: Any, what: str, **values: Any) -> Any:
        world = run.world
        written, brought = len(world.entries), getattr(run, "late_entries", [])
        answer = whole(run, body, what, **values)
        run.late_entries = world.entries[written:]  # type: ignore[attr-defined]  # the bug's own memory
        world.entries[written:] = brought
        if what.startswith("end_"):
            world.entries += run.late_entries  # type: ignore[attr-defined]  # as above
        return answer

    patch.setattr(Run, "transaction", transaction)


@bug("approval not bound to the plan")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(People, "check_digest", lambda people, read, planned: None)


# --- the steps ----------------------------------------------------------------------------------------------------


@bug("a random client token")
def _(patch: pytest.MonkeyPatch) -> None:
    rng = Random(1)
    patch.setattr(case, "token", lambda job, step, generation=1: f"p-{rng.getrandbits(64):x}")


@bug("no observe-first")
def _(patch: pytest.MonkeyPatch) -> None:
    def never_looks(case: Case) -> Any:
        return ""
        yield

    for module in (planning, launching, cancelling):
        patch.setattr(module, "execution", never_looks)


@bug("the done row before the call")
def _(patch: pytest.MonkeyPatch) -> None:
    def execute(case: Case) -> Steps:
        if case.plan is not None:
            yield effects.TakeOver()
        return Done()

    def follow(case: Case) -> Steps:
        if case.plan is not None and case.looks == 1:
            yield effects.ExecuteChangeSet(case.plan.change_set_id, case.token("execute"))
        return (yield from launching.follow(case))

    for kind in ("create", "update"):
        other_step(patch, kind, "execute", execute)
        other_step(patch, kind, "follow", follow)


@bug("waiting as boto's waiter does: a refusal is taken for a deletion")
def _(patch: pytest.MonkeyPatch) -> None:
    def follow(case: Case) -> Steps:
        try:
            return (yield from deleting.follow(case))
        except CloudProblem:
            return Done()

    other_step(patch, "delete", "follow", follow)


@bug("described by name after the deletion")
def _(patch: pytest.MonkeyPatch) -> None:
    other_step(patch, "delete", "follow", lambda case: deleting.follow(case.with_(cloud_id=case.cloud_name)))


@bug("a stale REVIEW_IN_PROGRESS taken for truth")
def _(patch: pytest.MonkeyPatch) -> None:
    row = replace(standing.STANDINGS["REVIEW_IN_PROGRESS"], creating=Follow.FAILED)
    patch.setitem(standing.STANDINGS, "REVIEW_IN_PROGRESS", row)


@bug("a throttled poll of events fails the job")
def _(patch: pytest.MonkeyPatch) -> None:
    asked = asking.cfn.events_since

    def events_since(*given: Any) -> Any:
        try:
            return asked(*given)
        except (Throttled, NoAnswer) as problem:
            raise Refused(problem.sentence) from None

    patch.setattr(asking.cfn, "events_since", events_since)


@bug("tainted shown as ready")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "TAINT", replace(lifecycle.TAINT, target=StackStatus.READY))


@bug("touched without asking for our mark")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Case, "is_ours", lambda case, tags: True)


@bug("the refusal of an OBSOLETE change set ignored")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(launching, "STARTED", (*planning.STARTED, "OBSOLETE", "UNAVAILABLE", ""))


@bug("a settled update followed without asking whose end it is")
def _(patch: pytest.MonkeyPatch) -> None:
    def believes(case: Case) -> Any:
        return "EXECUTE_COMPLETE"
        yield

    patch.setattr(launching, "execution", believes)
    patch.setattr(launching, "_ask_again", lambda case: iter_again(case))


def iter_again(case: Case) -> Steps:
    return Again(case.pace)
    yield


BUGS = tuple(Bug(name, lambda plant=plant: catch(plant)) for name, plant in _PLANTS)
