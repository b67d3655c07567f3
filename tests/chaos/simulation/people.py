"""People at the portal, and somebody at the console: what `app.stacks.actions` and `deciding` do, in memory."""

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from app.jobs import lifecycle as jobs
from app.jobs.lifecycle import JobStatus
from app.stacks import lifecycle as stacks
from app.stacks.lifecycle import StackStatus
from tests.chaos.simulation.asking import BODIES
from tests.chaos.simulation.rows import Job, Stack
from tests.chaos.simulation.world import Interrupted

if TYPE_CHECKING:
    from tests.chaos.simulation.scheduler import Simulation

Life = Generator[float, None, None]


class Refused(Exception):  # noqa: N818 - a refusal is an answer: 409
    """Another job has the stack, or the moment has passed."""


class People:
    """Everybody who asks for something; each is a generator of pauses."""

    def __init__(self, sim: "Simulation"):
        self.sim, self.world, self.rng = sim, sim.world, sim.rng
        self.busy = 0
        self.refusals = 0
        # Request keys, and what was answered.
        self.answered: dict[str, Job] = {}
        # Which digest a person had read who said yes.
        self.read: dict[str, str] = {}
        self.keys = 0

    @property
    def are_done(self) -> bool:
        return self.busy == 0

    def begin(self) -> None:
        for number in range(self.rng.choice((1, 2, 3))):
            self._live(self._owner(number), self.rng.uniform(0, 60))
        self._live(self._attendant(), 60.0, counts=False)
        if self.sim.faults.interference:
            self._live(self._console(), 20.0, counts=False)

    def _live(self, life: Life, after: float, *, counts: bool = True) -> None:
        self.busy += counts

        def on() -> None:
            try:
                self.sim.later(next(life), on)
            except StopIteration:
                self.busy -= counts

        self.sim.later(after, on)

    # Lives.

    def _owner(self, number: int) -> Life:
        """Launch a stack, then want other things of it, sometimes two at once."""
        stack = yield from self._launch(number)
        for _ in range(self.rng.randint(2, 5)):
            yield self.rng.choice((2.0, 60.0, 200.0, 400.0)) * self.rng.random() * 2
            acts = [self._want(stack) for _ in range(2 if self.rng.random() < 0.2 else 1)]
            for act in acts:
                self._live(act, self.rng.random() * 0.2)

    def _attendant(self) -> Life:
        """See to what waits for a person. Plans are read; what needs attention is let try again."""
        while True:
            yield self.rng.uniform(5.0, 60.0)
            for job in self.world.jobs:
                if job.status == JobStatus.WAITING and self.rng.random() < 0.5:
                    self._try(lambda job=job: self._decide(job))
                elif job.status == JobStatus.NEEDS_ATTENTION:
                    self._try(lambda job=job: self._attend(job))

    def _console(self) -> Life:
        """Change something past the portal, now and then."""
        while self.sim.faults.interference:
            yield self.rng.uniform(10.0, 600.0)
            live = [stack.cloud_name for stack in self.world.stacks]
            if live and self.sim.faults.interference:
                what = self.rng.choice(("update", "update", "cancel", "delete", "protect", "unprotect"))
                name = self.rng.choice(live)
                is_there = self.sim.cloud.stack(name) is not None
                happened = is_there and self.sim.cloud.interfere(name, what)
                if not is_there and self.rng.random() < self.sim.faults.strangers:
                    # The name is free, so somebody else takes it.
                    self.sim.cloud.put_stack(name, "CREATE_COMPLETE", {"owner": "somebody"})
                    what, happened = "name taken", True
                self.sim.cover("console", what if happened else "refused")
                self.sim.tell("console", what, name, happened)

    # Requests.

    def _launch(self, number: int) -> Generator[float, None, Stack]:
        world, rng = self.world, self.rng
        stack = Stack(f"stk_{number}", f"orders-{number}", rng.choice((0, 1)), self._answers(), rng.random() < 0.1)
        if rng.random() < self.sim.faults.strangers / 4:
            # Somebody else's, under the very name.
            self.sim.cloud.put_stack(stack.cloud_name, "CREATE_COMPLETE", {"owner": "somebody"})
            self.sim.cover("strangers", "name taken")

        def write(key: str) -> Job:
            if stack not in world.stacks:
                world.stacks.append(stack)
            return self._start(stack, "create", key, stack.version, {"answers": stack.answers})

        yield from self._request(stack, write)
        return stack

    def _answers(self) -> dict[str, str]:
        return {"Days": str(self.rng.randint(1, 3))}

    def _want(self, stack: Stack) -> Life:
        """Ask for what the state of the stack permits, as it was when the page was read."""
        job = self.world.unfinished(stack)
        if job is None:
            yield from self._request(stack, self._wish(stack))
            return
        match self.rng.randrange(4):
            case 0 | 1:
                # A page from before the job began: the second request on a busy stack.
                yield from self._request(stack, self._wish(stack))
            case 2:
                self._try(lambda: self._cancel(job))
            case 3:
                self._try(lambda: self._decide(job))

    def _wish(self, stack: Stack) -> Callable[[str], Job]:
        kind = "delete" if self.rng.random() < 0.3 else "update"
        version, answers = self.rng.randrange(len(BODIES)), self._answers()
        confirmed = self.rng.random() < 0.5

        def write(key: str) -> Job:
            match stack.status:
                case StackStatus.DELETED:
                    raise Refused("deleted already")
                case StackStatus.FAILED if kind == "update":
                    return self._retry(stack, key, version, answers)
                case StackStatus.TAINTED if not confirmed:
                    return self._accept(stack)
                case status if status in stacks.UPDATE.sources and kind == "update":
                    payload = {"answers": answers} | ({"confirmed": True} if confirmed else {})
                    return self._start(stack, "update", key, version, payload)
                case _:
                    stack.is_protected = False
                    return self._start(stack, "delete", key, None, {"answers": stack.answers})

        return write

    def _retry(self, stack: Stack, key: str, version: int, answers: dict[str, str]) -> Job:
        self._refuse_if_busy(stack)
        values = {"version": version, "answers": answers, "cloud_id": None, "cloud_status": None, "outputs": ()}
        self.world.move_stack(stack, stacks.RETRY, **values)
        return self._start(stack, "create", key, version, {"answers": answers})

    def _accept(self, stack: Stack) -> Any:
        self._refuse_if_busy(stack)
        values = {"version": stack.running_version, "answers": stack.running_answers}
        self.world.move_stack(stack, stacks.ACCEPT, "What runs was accepted.", **values)

    def _refuse_if_busy(self, stack: Stack) -> None:
        if self.world.unfinished(stack) is not None:
            raise Refused("another job has the stack")

    def _start(self, stack: Stack, kind: str, key: str, version: int | None, payload: dict[str, Any]) -> Job:
        world = self.world
        steps = [step.key for step in self.sim.flows[kind].steps]
        job = Job(f"job_{len(world.jobs)}", kind, stack, steps, self.sim.now, self.sim.now + self.sim.job_seconds)
        job.version, job.key, job.payload = version, key, {"generation": 1, **payload}
        if not world.insert(job):
            raise Refused("another job has the stack")
        return job

    def _request(self, stack: Stack, write: Callable[[str], Job]) -> Life:
        """Send a request under a key, and again under the same key while its answer does not come."""
        self.keys += 1
        key = f"key-{self.keys}"
        for _ in range(4):
            try:
                self._send(stack, write, key)
                return
            except Refused:
                self.refusals += 1
                return
            except Interrupted:
                yield self.rng.uniform(0.5, 5.0)

    def _send(self, stack: Stack, write: Callable[[str], Job], key: str) -> None:
        fault = self.sim.commit_fault()
        if fault:
            self.sim.cover("request", fault)
        if fault == "commit_refused":
            raise Interrupted
        job = next((job for job in self.world.jobs if job.key == key), None) or self._commit(stack, write, key)
        if fault == "commit_unanswered":
            raise Interrupted
        if job is not None:
            self.answered[key] = job

    def _commit(self, stack: Stack, write: Callable[[str], Job], key: str) -> Job | None:
        jobs_before = len(self.world.jobs)
        try:
            job = self.world.transact(lambda: write(key), stack)
        except BaseException:
            del self.world.jobs[jobs_before:]
            raise
        if job is not None:
            self.sim.tell("web", job.kind, job.ref, stack.ref, job.version)
            self.sim.announce(job)
        return job

    # What people say to a job under way.

    def _try(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Refused:
            self.refusals += 1

    def _decide(self, job: Job) -> None:
        """Say yes to the plan as it was read, no, or yes to something else that was read."""
        plan = job.plan
        if job.status != JobStatus.WAITING or plan is None or plan.confirmed_at is not None:
            raise Refused("nothing to decide")
        match self.rng.randrange(5):
            case 0:
                self._cancel(job)
            case 1:
                self.confirm(job, "what another page showed")
            case _:
                self.confirm(job, plan.digest)

    def confirm(self, job: Job, digest: str) -> None:
        """Say yes to the plan with this digest: `deciding.confirm_plan`."""
        plan = job.plan
        assert plan is not None, "only a plan is said yes to"
        if job.cancel_requested_at is not None:
            raise Refused("withdrawn")
        self.check_digest(digest, plan.digest)

        def say_yes() -> None:
            plan.confirmed_at, plan.confirmed_digest = self.sim.now, digest
            self._resume(job)
            self.world.record("plan:confirmed", job.stack.ref)

        self.world.transact(say_yes, job.stack, job)
        self.sim.tell("web", "confirms", job.ref)
        self.sim.announce(job)

    def check_digest(self, read: str, planned: str) -> None:
        if read != planned:
            raise Refused("the plan changed since it was read")

    def _resume(self, job: Job) -> None:
        values = {"next_run_at": self.sim.now, "deadline_at": self.sim.now + self.sim.job_seconds}
        self.world.move_job(job, jobs.CONFIRM, **values)

    def _attend(self, job: Job) -> None:
        values = {"next_run_at": self.sim.now, "attempts": 0, "deadline_at": self.sim.now + self.sim.job_seconds}
        self.world.transact(lambda: self.world.move_job(job, jobs.RESUME, **values), job.stack, job)
        self.sim.crashes.pop(job.ref, None)
        self.sim.tell("operator", "resumes", job.ref)
        self.sim.announce(job)

    def _cancel(self, job: Job) -> None:
        """Ask a job to stop: `deciding.request_cancel`."""
        if job.status not in jobs.UNFINISHED or (job.kind == "delete" and job.stack.status == StackStatus.DELETING):
            raise Refused("too late")

        def ask() -> None:
            if job.cancel_requested_at is None:
                job.cancel_requested_at = self.sim.now
            if job.status in jobs.CONFIRM.sources:
                self._resume(job)
            elif job.status in jobs.RESUME.sources:
                self.sim.crashes.pop(job.ref, None)
                values = {"attempts": 0, "deadline_at": self.sim.now + self.sim.job_seconds}
                self.world.move_job(job, jobs.RESUME, next_run_at=self.sim.now, **values)
            self.world.record("job:cancel_requested", job.stack.ref)

        self.world.transact(ask, job.stack, job)
        self.sim.tell("web", "cancels", job.ref)
        self.sim.announce(job)
