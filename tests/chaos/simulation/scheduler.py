"""Time, and who is next: one heap of what happens when, and a seed that decides everything else."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from app.jobs.decisions import MOST_ATTEMPTS
from app.jobs.flows import Flow
from app.jobs.lifecycle import RUNNABLE, UNFINISHED
from app.jobs.worker import LATEST_BEAT
from app.stacks.flows import FLOWS
from tests.chaos.model import CloudFormation
from tests.chaos.simulation import watching
from tests.chaos.simulation.faults import CALM, Faults, calmed, drawn_behaviour
from tests.chaos.simulation.people import People
from tests.chaos.simulation.rows import Job
from tests.chaos.simulation.worker import BEFORE, Done, Worker
from tests.chaos.simulation.world import World

START = 1_000_000.0
LEASE = 30.0
TICK = 2.0
# Once faults have stopped, everything that still moves comes to its end within this time.
QUIET = 12 * 3600.0
MOST_EVENTS = 60_000


class Cloud(CloudFormation):
    """The model, counting how often what was read is old."""

    stale_reads = 0

    def seen_at(self) -> float:
        at = super().seen_at()
        self.stale_reads += at != self.at
        return at


class Simulation:
    """One seed. `flows`: the kinds of job, where a planted bug has put other steps."""

    def __init__(self, seed: int, flows: Mapping[str, Flow] | None = None):
        self.seed, self.now, self.lease = seed, START, LEASE
        self.rng = rng = Random(seed)
        self.flows = flows or {flow.kind: flow for flow in FLOWS}
        self.faults = Faults.drawn(rng)
        behaviour = drawn_behaviour(rng)
        self.pace = max(1.0, behaviour.resource_seconds[1] / 3)
        self.job_seconds = rng.choice((300.0, 3600.0, 4 * 3600.0))
        self.world = World(self.clock, LEASE)
        self.world.flows = self.flows
        self.cloud = Cloud(self.clock, rng, behaviour)
        self.workers = [Worker(self, number) for number in range(rng.choice((2, 3)))]
        self.people = People(self)
        self.heap: list[tuple[float, int, Worker | None, int, Callable[[], Any]]] = []
        self.events = 0
        self.trace: list[tuple[Any, ...]] = []
        self.covered: Counter[tuple[str, str]] = Counter()
        self.deeds: list[Done] = []
        # Steps of workers that ought to have ended themselves for want of a heartbeat.
        self.overdue: list[str] = []
        self.breaks: list[str] = []
        # Workers a job has ended in a row, and the most of it.
        self.crashes: Counter[str] = Counter()
        self.most_crashes: Counter[str] = Counter()
        self.poisoned: tuple[str, str] | None = None
        self.next_look = math.inf
        self.is_watched = False

    def clock(self) -> float:
        return self.now

    # Time.

    def later(self, seconds: float, act: Callable[[], Any], worker: Worker | None = None) -> None:
        """Let something happen; what a worker would do is forgotten with its claim."""
        self.events += 1
        epoch = worker.epoch if worker else 0
        heapq.heappush(self.heap, (self.now + seconds, self.events, worker, epoch, act))

    def run(self) -> "Simulation":
        """Let the story happen, then let everything come to rest."""
        self.people.begin()
        self.later(self.rng.uniform(60, 1500), self.calm)
        while self.heap and self.events < MOST_EVENTS and not self.is_quiet():
            self.now, _, worker, epoch, act = self._next()
            if worker is None:
                act()
            elif worker.epoch == epoch:
                if self.now < worker.stopped_until:
                    self._postpone(worker, act)
                else:
                    act()
        self.now += 100_000.0
        self.cloud.settle()
        return self

    def _next(self) -> tuple[float, int, Worker | None, int, Callable[[], Any]]:
        return heapq.heappop(self.heap)

    def _postpone(self, worker: Worker, act: Callable[[], Any]) -> None:
        """A stopped process does everything once it goes on, in no order."""
        self.later(worker.stopped_until - self.now + self.rng.uniform(0.001, 1.0), act, worker)

    def is_quiet(self) -> bool:
        return self.faults is CALM and (
            self.now > self.calm_at + QUIET
            or self.people.are_done
            and all(job.status not in UNFINISHED for job in self.world.jobs)
        )

    def calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.faults, self.calm_at = CALM, self.now
        self.cloud.behave(calmed(self.cloud.behaviour))
        self.poisoned = None
        self.tell("", "faults end")

    # Workers.

    def start(self, worker: Worker, job: Job) -> None:
        worker.job, worker.work = job, worker.carry_on(job)
        since = self.rng.random() * self.lease / 6
        worker.beat_at, worker.woke_at = self.now - since, 0.0
        self.later(self.lease / 6 - since, worker.beat, worker)
        self.later(self.lease * LATEST_BEAT - since + self.rng.uniform(0.001, 1.0), worker.watch, worker)
        # Now and then at this very moment: ties are where `<` and `<=` differ.
        seconds = 0.0 if self.rng.random() < 0.5 else self.rng.random() * 0.1
        self.later(seconds, lambda: self.step(worker), worker)

    def step(self, worker: Worker) -> None:
        """Let a worker go as far as its next point, and see what happens to it there."""
        assert worker.work is not None, "who has nothing to do makes no step"
        # The watch looks once a second, also after the process was stopped.
        if worker.held and self.now > max(worker.beat_at + self.lease * LATEST_BEAT, worker.woke_at) + 1.1:
            self.overdue.append(f"{worker.name} was at {worker.place} at {self.now:.3f}")
        try:
            point = next(worker.work)
        except StopIteration:
            self._rest(worker)
        else:
            self._meet(worker, point)

    def _rest(self, worker: Worker) -> None:
        worker.epoch += 1
        worker.work = worker.job = worker.held = None
        self.look_at(self.now)

    def _meet(self, worker: Worker, point: str) -> None:
        self.covered[worker.place, point] += 1
        if self.faults is CALM:
            return self.later(0.05, lambda: self.step(worker), worker)
        fate = self._fate(worker, point)
        if fate:
            self.cover(worker.place, f"{fate}_{point}")
            self.tell(worker.name, "meets", fate, point, worker.place)
        if fate == "crash":
            return self.crash(worker, "is killed")
        if fate == "stop":
            worker.stopped_until = worker.woke_at = self.now + self.rng.uniform(0.1, 3.0) * self.lease
        elif fate == "cut":
            worker.cut_until = self.now + self.rng.uniform(1.0, 60.0)
        seconds = self.rng.uniform(1.0, 40.0) if fate in ("slow", "cut") else self.rng.random() * 0.3
        return self.later(seconds, lambda: self.step(worker), worker)

    def _fate(self, worker: Worker, point: str) -> str:
        if worker.held and self.poisoned == (worker.held.job.ref, worker.place) and point == BEFORE:
            return "crash"
        drawn, faults = self.rng.random(), self.faults
        for name, chance in (
            ("crash", faults.crash),
            ("stop", faults.stop),
            ("cut", faults.cut),
            ("slow", faults.slow),
        ):
            if drawn < chance:
                return name
            drawn -= chance
        if worker.held and self.rng.random() < faults.poison / 50:
            self.poisoned = (worker.held.job.ref, worker.place)
        return ""

    def crash(self, worker: Worker, how: str) -> None:
        """End a worker's process; another takes its place after a while."""
        self.tell(worker.name, how, worker.place)
        if worker.work is not None:
            worker.work.close()
        held = worker.held
        # What was given back already is not to blame; past the last attempt a worker only writes that it was the last.
        if held and held.holds_newest() and held.job.lease_owner and held.facts.attempts <= MOST_ATTEMPTS:
            ref = held.job.ref
            self.crashes[ref] += 1
            self.most_crashes[ref] = max(self.most_crashes[ref], self.crashes[ref])
        if worker.job:
            self.look_at_job(worker.job)
        worker.epoch += 1
        worker.lives += 1
        worker.work = worker.job = worker.held = None
        worker.is_down = True
        worker.stopped_until = worker.cut_until = 0.0
        worker.clients = {}
        self.later(self.rng.uniform(0.5, 20.0), lambda: self._restart(worker))

    def _restart(self, worker: Worker) -> None:
        worker.is_down = False
        self.look_at(self.now)

    # What brings workers to jobs.

    def announce(self, job: Job) -> None:
        """Send the wake-up of a job. It is only a hint: lost, doubled or late, the timer finds the job."""
        faults, rng = self.faults, self.rng
        self.look_at(self.now + rng.random() * TICK)
        if rng.random() < faults.hint_lost:
            return self.cover("hint", "hint_lost")
        times = 1
        if rng.random() < faults.hint_doubled:
            times = rng.randint(2, 10)
            self.cover("hint", "hint_doubled")
        for _ in range(times):
            seconds = rng.random() * 0.2
            if rng.random() < faults.hint_late:
                seconds = rng.uniform(2.0, 120.0)
                self.cover("hint", "hint_late")
            self.later(seconds, lambda: self._hint(job))
        return None

    def _hint(self, job: Job) -> None:
        idle = [worker for worker in self.workers if worker.is_idle]
        if idle:
            self.start(self.rng.choice(idle), job)

    def look_at_job(self, job: Job) -> None:
        if job.status in RUNNABLE:
            if job.watch_key:
                watching.begin(self)
            self.look_at(max(job.next_run_at, job.lease_until, self.now))

    def look_at(self, at: float) -> None:
        """Let the workers' timer look for due jobs then: now and then at the very moment, usually a little later."""
        at += 0.0 if at > self.now and self.rng.random() < 0.1 else 0.001 + self.rng.random() * 0.5
        if at < self.next_look:
            self.next_look = at
            self.later(at - self.now, self._sweep)

    def _sweep(self) -> None:
        if self.now < self.next_look:
            return
        self.next_look = math.inf
        soonest = math.inf
        under_way = {worker.job for worker in self.workers if worker.held}
        for job in self.world.jobs:
            if job.status in RUNNABLE:
                if not self.world.is_due(job, self.now):
                    soonest = min(soonest, max(job.next_run_at, job.lease_until, self.now))
                elif job not in under_way:
                    self._hint(job)
                    soonest = min(soonest, self.now + TICK)
        if soonest < math.inf:
            self.look_at(soonest)

    # Faults, and what is noted.

    def commit_fault(self) -> str:
        """Return what happens to a commit, if anything."""
        faults = self.faults
        if faults is CALM or not (faults.commit_refused or faults.commit_unanswered):
            return ""
        drawn = self.rng.random()
        if drawn < faults.commit_refused:
            return "commit_refused"
        return "commit_unanswered" if drawn < faults.commit_refused + faults.commit_unanswered else ""

    def cover(self, place: str, fault: str) -> None:
        self.covered[place, fault] += 1

    def tell(self, *what: Any) -> None:
        self.trace.append((self.now, *what))

    def broke(self, job: Job, error: Exception) -> None:
        self.tell(job.ref, "broke", repr(error))
        self.breaks.append(f"{job.ref}: {error!r}")
