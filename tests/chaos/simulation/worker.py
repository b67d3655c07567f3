"""One worker process: claims jobs and performs what is decided, until something happens to it.

It is `app.jobs.engine` and `app.jobs.worker` with a pause at each point where the world can move on meanwhile.
"""

from collections.abc import Callable, Generator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from app.aws.errors import CloudProblem
from app.errors import Problem
from app.jobs import decisions
from app.jobs.decisions import Begin, Request, Take, Write
from app.jobs.flows import Deed, Note
from app.jobs.run import LeaseLost
from app.jobs.worker import LATEST_BEAT
from tests.chaos.model.client import Client
from tests.chaos.simulation import asking, noting
from tests.chaos.simulation.rows import Job
from tests.chaos.simulation.world import Interrupted, Run

if TYPE_CHECKING:
    from tests.chaos.simulation.scheduler import Simulation


class Done(NamedTuple):
    """A deed a worker set about."""

    at: float
    job: str
    request: Deed


# Where a worker stands when the world moves on: it has not done it yet; it has, and nobody knows.
BEFORE, EFFECT = "before", "effect"
Points = Generator[str, None, None]


class Worker:
    """`held` is the claim its heartbeat renews; `beat_at` is when the last one got through."""

    def __init__(self, sim: "Simulation", number: int):
        self.sim, self.number = sim, number
        self.epoch = self.lives = 0
        self.work: Points | None = None
        self.job: Job | None = None
        self.held: Run | None = None
        self.place = ""
        self.is_down = False
        self.stopped_until = self.cut_until = self.beat_at = self.woke_at = 0.0
        self.clients: dict[str, Client] = {}

    @property
    def name(self) -> str:
        return f"w{self.number}.{self.lives}"

    @property
    def is_idle(self) -> bool:
        return self.work is None and not self.is_down and self.stopped_until <= self.sim.now

    def is_cut(self) -> bool:
        return self.sim.now < self.cut_until

    # The engine.

    def carry_on(self, job: Job) -> Points:
        """Advance one job as far as it goes without waiting: `Worker.run`."""
        self.place = "claim"
        try:
            run = self._commit(lambda: self.sim.world.claim(job, self.name), job)
        except Interrupted:
            return
        if run is None:
            return
        self.held = run
        self.sim.tell(self.name, "claims", job.ref, run.fence, run.facts.attempts)
        yield EFFECT
        try:
            yield from self._drive(run)
        except LeaseLost:
            self.sim.tell(self.name, "lost its lease", job.ref, run.fence)
        except Interrupted:
            yield from self._give_back(run, by_database=True)
        except Exception as error:  # noqa: BLE001 - as the engine does; here it is noted, for nothing may break
            self.sim.broke(job, error)
            yield from self._give_back(run, by_database=False)

    def _give_back(self, run: Run, *, by_database: bool) -> Points:
        self.place = "let_go"
        yield BEFORE
        back = decisions.broken(run.facts.attempts, self.sim.rng, by_database=by_database)
        try:
            self._commit(lambda: run.let_go(back), run.job)
        except (LeaseLost, Interrupted):
            return

    def _drive(self, run: Run) -> Points:
        decided = decisions.advance(self.sim.flows[run.facts.kind], run.facts, self.sim.rng, run.opened)
        answer: Any = None
        problem: Problem | None = None
        while True:
            try:
                request = decided.throw(problem) if problem else decided.send(answer)
            except StopIteration:
                return
            answer = problem = None
            self.place = _place(run, request)
            yield BEFORE
            try:
                answer = self._perform(run, request)
            except Problem as error:
                problem = error
                self._complain(error)
            if isinstance(request, (Write, Note, Deed)):
                yield EFFECT

    def _complain(self, error: Problem) -> None:
        code = error.code if isinstance(error, CloudProblem) else ""
        self.sim.cover(self.place, f"cloud:{code or type(error).__name__}")
        self.sim.tell(self.name, "is told", self.place, code, error.sentence)

    def _perform(self, run: Run, request: Request) -> Any:
        sim = self.sim
        sim.tell(self.name, "asks", self.place, run.job.ref, run.fence)
        if isinstance(request, Write):
            return self._commit(lambda: run.write(request), run.job)
        if isinstance(request, Note):
            body = lambda: run.transaction(lambda: noting.note(run, request), request.name)  # noqa: E731 - read once
            return self._commit(body, run.job)
        if isinstance(request, Begin):
            if self.is_cut():
                raise Interrupted
            run.is_repeat = isinstance(request.act, Take) and request.act.is_repeat
            return asking.begin(run, sim.pace)
        if isinstance(request, Deed):
            # Nobody is stopped between this proof and the call: the cloud knows no fence that could tell.
            if run.needs_proof():
                self._commit(lambda: run.transaction(lambda: None, "proof"), run.job)
            sim.deeds.append(Done(sim.now, run.job.ref, request))
        return asking.ask(request, run, self._client(run))

    def _client(self, run: Run) -> Client:
        client = self.clients.get(run.job.ref)
        if client is None:
            client = self.clients[run.job.ref] = self.sim.cloud.client()
        client.actor = f"{run.job.ref} {run.fence}"
        return client

    def _commit(self, commit: Callable[[], Any], job: Job) -> Any:
        """Commit, unless the database is away; or lose the answer to a commit that happened."""
        fault = "cut" if self.is_cut() else self.sim.commit_fault()
        if fault:
            self.sim.cover(self.place, fault)
            self.sim.tell(self.name, "meets", fault, self.place)
        if fault in ("cut", "commit_refused"):
            raise Interrupted
        answer = commit()
        if job.attempts == 0:
            self.sim.crashes.pop(job.ref, None)
        self.sim.look_at_job(job)
        if fault == "commit_unanswered":
            raise Interrupted
        return answer

    # What runs beside it.

    def beat(self) -> None:
        """Renew the lease of what is held, unless the database is away for this worker."""
        held = self.held
        if not self.is_cut():
            self.beat_at = self.sim.now
            if held and not self.sim.world.renew(held.job, held.fence, held.owner):
                self.held = None
        self.sim.later(self.sim.lease / 6, self.beat, self)

    def watch(self) -> None:
        """End the process when the lease could run out soon, since no heartbeat got through."""
        latest = self.beat_at + self.sim.lease * LATEST_BEAT
        if self.held and self.sim.now > latest:
            self.sim.cover(self.place, "self_fence")
            self.sim.crash(self, "fences itself")
        else:
            self.sim.later(max(latest - self.sim.now, 0) + self.sim.rng.uniform(0.001, 1.0), self.watch, self)


def _place(run: Run, request: Request) -> str:
    current = run.facts.current
    name = request.name if isinstance(request, Write) else named(type(request))
    return f"{run.facts.kind}/{current.key if current else 'all'}/{name}"


@lru_cache(maxsize=100)
def named(kind: type) -> str:
    return str(kind.name.fget(object.__new__(kind)))  # type: ignore[attr-defined]  # a property of the class
