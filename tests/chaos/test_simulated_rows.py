"""The rows in memory behave as the rows in SQL: what the simulation shows holds for the engine's own statements."""

from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import literal, select

from app import db
from app.db import Moment
from app.jobs import lifecycle as jobs
from app.jobs.decisions import End, GiveBack, StepChange, Write
from app.jobs.engine import Worker
from app.jobs.flows import FLOWS, Cancelled, Done, Flow, Step, Watch
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import EPOCH, Job, JobStep
from app.jobs.run import LeaseLost
from app.stacks.lifecycle import StackStatus
from tests.chaos.simulation import rows, world

pytestmark = pytest.mark.chaos

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEYS = ("check", "plan", "follow")
OFFSETS = (-3600.0, -30.0, -5.0, -0.001, 0.0, 0.001, 30.0)
COLUMNS = ("status", "lease_owner", "fence", "attempts", "watch_key", "failure")
TIMES = ("lease_until", "next_run_at", "cancel_requested_at", "started_at", "finished_at")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that both databases read: only one that stands still lets two moments be the same."""
    clock = SimpleNamespace(at=NOW)
    monkeypatch.setattr(db, "now", lambda seconds=0: literal(clock.at + timedelta(seconds=seconds), Moment()))
    return clock


@pytest.fixture
def pairs(app, make, monkeypatch: pytest.MonkeyPatch, clock: SimpleNamespace):
    """`pairs(rng)` is a job in both databases with the same random values."""
    steps = tuple(Step(key, lambda run: Done()) for key in KEYS)
    monkeypatch.setitem(FLOWS, "update", Flow("update", steps, lambda run: Cancelled()))
    # What the end of a job does to its stack is compared by the simulation with the cloud.
    monkeypatch.setattr(world.settling, "ended", lambda run, status: None)

    def pair(rng: Random) -> tuple[Job, rows.Job, world.World]:
        values = {
            "status": rng.choice((*JobStatus, *[JobStatus.QUEUED, JobStatus.RUNNING] * 4)),
            "fence": rng.randrange(3),
            "attempts": rng.randrange(7),
            "lease_until": rng.choice((None, *OFFSETS)),
            "next_run_at": rng.choice(OFFSETS),
            "deadline_at": rng.choice(OFFSETS),
            "cancel_requested_at": rng.choice((None, -5.0)),
        }
        made = make.job(kind="update", stack=make.stack(), lease_owner="w9", finished_at=None, **_moments(values))
        stack = rows.Stack("stk_1", "orders", 0, {}, False)
        stack.status = StackStatus.READY
        twin = rows.Job(made.ref, "update", stack, KEYS, 0.0, 0.0)
        vars(twin).update(_seconds(values), lease_owner="w9")
        for position, key in enumerate(KEYS):
            db.session.add(JobStep(job_id=made.id, position=position, key=key, status=StepStatus.TO_COME))
        db.session.commit()
        return made, twin, world.World(lambda: clock.at.timestamp(), 30.0)

    return pair


def _moments(values: dict[str, Any]) -> dict[str, Any]:
    there = {name: NOW + timedelta(seconds=value) for name, value in values.items() if isinstance(value, float)}
    return values | there | ({} if values["lease_until"] is not None else {"lease_until": EPOCH})


def _seconds(values: dict[str, Any]) -> dict[str, Any]:
    there = {name: NOW.timestamp() + value for name, value in values.items() if isinstance(value, float)}
    return values | there | ({} if values["lease_until"] is not None else {"lease_until": rows.EPOCH})


def assert_equal(made: Job, twin: rows.Job) -> None:
    db.session.expire_all()
    assert {name: getattr(made, name) for name in COLUMNS} == {name: getattr(twin, name) for name in COLUMNS}
    for name in TIMES:
        mine, other = getattr(made, name), getattr(twin, name)
        assert (mine and mine.timestamp()) == pytest.approx(other), name
    for step, other in zip(made.steps, twin.steps, strict=True):
        told = (step.key, step.status, step.attempt, step.note, step.output, step.intent_at, step.done_at)
        times = tuple(at and datetime.fromtimestamp(at, UTC) for at in other[5:])
        assert told == (*other[:5], *times)


def claims(pair: tuple[Job, rows.Job, world.World]) -> tuple[Any, world.Run | None]:
    made, twin, memory = pair
    return Worker("w1", 30).claim(made.id), memory.claim(twin, "w1")


def test_a_claim_in_memory_is_granted_when_that_in_sql_is(pairs):
    rng, granted = Random(1), 0
    for _ in range(150):
        pair = pairs(rng)
        run, twin = claims(pair)
        assert (run is None) == (twin is None)
        assert_equal(*pair[:2])
        if run and twin:
            granted += 1
            assert (run.fence, run.facts) == (twin.fence, twin.facts)
    assert 20 < granted < 130


def random_write(rng: Random) -> Write:
    """Return any of what the engine may decide to write, also what makes little sense."""
    changes = tuple(_change(rng, key) for key in rng.sample(KEYS, rng.randint(0, 2)))
    match rng.randrange(4):
        case 0:
            return Write(changes)
        case 1:
            watch = Watch("the place", "the stack") if rng.random() < 0.5 else None
            return Write(changes, rest=rng.choice((0.3, 30.0)), watch=watch)
        case 2:
            return Write(changes, holds=True)
    transition = rng.choice((jobs.SUCCEED, jobs.FAIL, jobs.CANCEL, jobs.STOP))
    return Write(
        changes, end=End(transition, {"sentence": "No."}, rng.choice((None, Step(KEYS[0], lambda run: Done()))))
    )


def _change(rng: Random, key: str) -> StepChange:
    if rng.random() < 0.4:
        return StepChange(key, StepStatus.ACTIVE, begins=True)
    output = rng.choice((None, {"asked_in_vain": 3, "told": "Throttled", "same": 2}))
    return StepChange(key, StepStatus.DONE, rng.choice(("", "a note")), output, ends=rng.random() < 0.5)


def test_a_write_in_memory_leaves_what_that_in_sql_leaves(pairs, clock):
    rng, written = Random(2), 0
    for _ in range(150):
        pair = pairs(rng)
        run, twin = claims(pair)
        if run is None or twin is None:
            continue
        for _ in range(3):
            clock.at += timedelta(seconds=rng.choice((0, 7)))
            write = random_write(rng)
            # A job that is over is written to no more; the guard asks for the fence alone.
            if pair[1].status != JobStatus.RUNNING:
                break
            assert run.write(write) == twin.write(write)
            assert_equal(*pair[:2])
            written += 1
        clock.at = NOW
    assert written > 50


def test_a_broken_claim_is_given_back_alike_and_an_old_fence_is_refused_alike(pairs):
    rng, refused = Random(3), 0
    for _ in range(80):
        pair = pairs(rng)
        run, twin = claims(pair)
        if run is None or twin is None:
            continue
        back = GiveBack(rng.choice((1.0, 32.0)), rng.randrange(5))
        run.let_go(back)
        twin.let_go(back)
        assert_equal(*pair[:2])
        made = db.session.scalars(select(Job).where(Job.id == pair[0].id)).one()
        made.fence = pair[1].fence = 99
        db.session.commit()
        for each in (run, twin):
            with pytest.raises(LeaseLost):
                each.let_go(back)
        assert_equal(*pair[:2])
        refused += 1
    assert refused > 5
