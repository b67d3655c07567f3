"""What has to be true of every seed, read from what was committed and from the cloud's own log: I1 to I9.

The numbers are those of the checker's list in the reliability targets. Nothing here looks at how it came about.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from app.jobs import lifecycle as jobs
from app.jobs.decisions import MOST_ATTEMPTS
from app.stacks import lifecycle as stacks
from app.stacks.case import is_ours
from app.stacks.effects import ExecuteChangeSet
from app.stacks.lifecycle import StackStatus
from tests.chaos.model.state import Stack as CloudStack
from tests.chaos.simulation.asking import BODIES
from tests.chaos.simulation.rows import Job, Stack

if TYPE_CHECKING:
    from tests.chaos.simulation.scheduler import Simulation

Violations = Iterator[str]


def violations(sim: "Simulation") -> list[str]:
    """Return everything that is not as it has to be."""
    return [f"{check.__name__.strip('_')}: {words}" for check in _CHECKS for words in check(sim)]


def _nothing_broke(sim: "Simulation") -> Violations:
    """The engine meets no error it has no words for."""
    yield from sim.breaks


def _every_job_ended(sim: "Simulation") -> Violations:
    """I8: once faults stop nothing is lost or stuck."""
    for job in sim.world.jobs:
        if job.status in jobs.UNFINISHED:
            yield f"{job.ref} is {job.status}, attempts {job.attempts}, lease until {job.lease_until}"
    for key, job in sim.people.answered.items():
        if job not in sim.world.jobs:
            yield f"the request {key} was accepted and its job {job.ref} is not there"


def _one_job_a_request(sim: "Simulation") -> Violations:
    """I3: a request that is sent again makes no second job."""
    for key, times in Counter(job.key for job in sim.world.jobs).items():
        if times > 1:
            yield f"the request {key} made {times} jobs"


def _one_active_job_a_stack(sim: "Simulation") -> Violations:
    """I4: jobs on one stack come one after the other."""
    for stack in sim.world.stacks:
        mine = [job for job in sim.world.jobs if job.stack is stack]
        for before, after in zip(mine, mine[1:], strict=False):
            if before.finished_at is None or before.finished_at > after.created_at:
                yield f"{after.ref} began before {before.ref} had ended on {stack.ref}"


def _attempts_are_counted(sim: "Simulation") -> Violations:
    """A job that ends its workers does so at most five times."""
    for ref, most in sim.most_crashes.items():
        if most > MOST_ATTEMPTS:
            yield f"{ref} ended {most} workers in a row"


def _leases_hold(sim: "Simulation") -> Violations:
    """Nobody claims what somebody holds, by the database's clock, and no lease is longer than it should be."""
    for claim in sim.world.claims:
        if not claim.free_since < claim.at:
            yield f"{claim.job} was claimed at {claim.at:.3f} and held until {claim.free_since:.3f}"


def _fences_hold(sim: "Simulation") -> Violations:
    """I6: fences of accepted writes never fall, and none of them is old."""
    newest: Counter[str] = Counter()
    for write in sim.world.written:
        if write.fence < max(newest[write.job], write.newest):
            yield f"{write.what} of {write.job} was accepted under fence {write.fence}, the newest is {write.newest}"
        newest[write.job] = max(newest[write.job], write.fence)


def _workers_stop_in_time(sim: "Simulation") -> Violations:
    """A worker that cannot renew its leases ends before they run out."""
    yield from sim.overdue


_PATHS = {
    "Stack": {(source, move.target) for move in stacks.TRANSITIONS for source in move.sources},
    "Job": {(source, move.target) for move in jobs.TRANSITIONS for source in move.sources},
}


def _histories_are_paths(sim: "Simulation") -> Violations:
    """I5: every change of state is a transition that exists."""
    for change in sim.world.changes:
        if (change.before, change.after) not in _PATHS[change.row]:
            yield f"{change.ref} went from {change.before} to {change.after}"


def _audit_tells_each_change(sim: "Simulation") -> Violations:
    """I7: one entry for each change of a stack's state, and none besides."""
    changed = Counter((each.ref, each.before, each.after) for each in sim.world.changes if each.row == "Stack")
    told = Counter((each.subject, each.before, each.after) for each in sim.world.entries if each.after)
    for move in changed.keys() | told.keys():
        if changed[move] != told[move]:
            yield f"{move} happened {changed[move]} times and was recorded {told[move]} times"


def _nothing_happens_twice(sim: "Simulation") -> Violations:
    """I1, I3: a job begins one change at most, and plans again only where somebody has removed what it had planned."""
    begun: Counter[str] = Counter()
    planned: dict[str, set[str]] = defaultdict(set)
    for call in sim.cloud.calls:
        job = call.actor.split()[0]
        if not call.happened:
            continue
        if call.operation == "ExecuteChangeSet":
            begun[job] += 1
        elif call.operation in ("DeleteChangeSet", "DeleteStack"):
            planned[call.stack_id].clear()
        elif call.operation == "CreateChangeSet":
            stack_id = call.stack_id
            if job in planned[stack_id]:
                yield f"{job} asked for a second change set while it had one"
            planned[stack_id].add(job)
    yield from (f"{job} began {times} changes" for job, times in begun.items() if times > 1)


def _jobs_do_not_overlap_in_the_cloud(sim: "Simulation") -> Violations:
    """I4: once the next job on a stack has done something, the one before does nothing more."""
    latest: dict[str, int] = {}
    for call in sim.cloud.calls:
        if call.happened and call.actor.startswith("job_"):
            number = int(call.actor.split()[0][4:])
            stack = sim.world.jobs[number].stack.ref
            if number < latest.get(stack, -1):
                yield f"{call.operation} of job_{number} happened after job_{latest[stack]} had begun on {stack}"
            latest[stack] = max(number, latest.get(stack, -1))


def _only_ours_is_touched(sim: "Simulation") -> Violations:
    """I9: nothing without our mark is changed."""
    for call in sim.cloud.calls:
        if call.happened and call.actor.startswith("job_"):
            stack = sim.world.jobs[int(call.actor.split()[0][4:])].stack
            touched = sim.cloud.ids.get(call.stack_id)
            if touched is not None and not is_ours(stack.ref, touched.tags):
                yield f"{call.operation} of {call.actor} touched {touched.name}, which is not {stack.ref}"


def _yes_to_what_ran(sim: "Simulation") -> Violations:
    """What is executed is the job's own plan and, of a change, the one somebody read and said yes to."""
    for deed in sim.deeds:
        if not isinstance(deed.request, ExecuteChangeSet):
            continue
        job = _job(sim, deed.job)
        plan = job.plan
        if plan is None or plan.change_set_id != deed.request.change_set_id:
            yield f"{deed.job} executed another change set than it planned"
        elif job.kind == "update" and (plan.confirmed_at is None or plan.confirmed_at > deed.at):
            yield f"{deed.job} executed what nobody had said yes to"
        elif job.kind == "update" and plan.confirmed_digest != plan.digest:
            yield f"{deed.job} executed another plan than the one that was read"


def _what_is_said_to_run_runs(sim: "Simulation") -> Violations:
    """A stack is being changed only once the cloud was asked to, and was."""
    begun = [call for call in sim.cloud.calls if call.happened and call.operation == "ExecuteChangeSet"]
    for change in sim.world.changes:
        if change.row == "Stack" and change.after == StackStatus.UPDATING:
            mine = [job.ref for job in sim.world.jobs if job.stack.ref == change.ref and job.created_at <= change.at]
            if not any(call.actor.split()[0] == mine[-1] and call.t <= change.at for call in begun):
                yield f"{change.ref} is said to change, and nothing of {mine[-1]} was begun"


def _job(sim: "Simulation", ref: str) -> Job:
    return sim.world.jobs[int(ref[4:])]


# --- rows and cloud -----------------------------------------------------------------------------------------------

# How the cloud's stack may stand for each of our states. None: there is no stack.
_STANDS: dict[StackStatus, set[str | None]] = {
    StackStatus.READY: {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"},
    StackStatus.TAINTED: {"UPDATE_ROLLBACK_COMPLETE"},
    StackStatus.DEGRADED: {"UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"},
    StackStatus.FAILED: {None, "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"},
    StackStatus.DELETE_FAILED: {"DELETE_FAILED"},
    StackStatus.LOST: {None},
    StackStatus.DELETED: {None},
}


def _rows_are_as_the_cloud(sim: "Simulation") -> Violations:
    """I9: what is shown of a stack is so, where nobody else has had a hand in it."""
    meddled = {call.stack_id for call in sim.cloud.calls if call.actor == "console" and call.happened}
    for stack in sim.world.stacks:
        mine = [each for each in sim.cloud.stacks if is_ours(stack.ref, each.tags)]
        if not any(each.id in meddled for each in mine):
            yield from _stands_so(sim, stack, [each for each in mine if each.status != "DELETE_COMPLETE"])


def _stands_so(sim: "Simulation", stack: Stack, live: list[CloudStack]) -> Violations:
    job = next((job for job in reversed(sim.world.jobs) if job.stack is stack), None)
    if job is None or any(_is_left_to_a_person(each) for each in _since_last_success(sim, stack)):
        return
    found = live[0] if live else None
    shown, stands = stack.status, found.status if found else None
    if shown is StackStatus.DEGRADED and stands == "UPDATE_ROLLBACK_COMPLETE" and _was_mended(sim, stack):
        # An update that was cancelled had got the stuck rollback going: it is better off than shown.
        return
    if stands not in _STANDS.get(shown, set()):
        yield f"{stack.ref} is {shown} and in the cloud {stands}; {job.ref} {job.kind} {job.status} {job.failure}"
    elif shown is StackStatus.READY and found is not None:
        yield from _runs_what_is_shown(stack, found)
        if stands == "UPDATE_ROLLBACK_COMPLETE" and stack.status_reason not in _TAKEN_BACK:
            yield f"{stack.ref} is {shown}, though its last change was rolled back: {stack.status_reason}"


# Why a stack is ready whose last change was rolled back: somebody wanted it so.
_TAKEN_BACK = ("The update was cancelled.", "What runs was accepted.", "It runs as asked already.")


def _was_mended(sim: "Simulation", stack: Stack) -> bool:
    return any(
        call.operation == "ContinueUpdateRollback" and call.stack_id == stack.cloud_id for call in sim.cloud.calls
    )


# What a job says that ended without having learned how the stack stands, or that found it in the way of a new try.
_UNKNOWN = ("deadline passed", "The last try came up after all")


def _is_left_to_a_person(job: Job) -> bool:
    """Say whether the job told a person to look: the stack is shown as broken, with what is not known of it."""
    return job.status == "failed" and (job.failure or {}).get("reason", "").startswith(_UNKNOWN)


def _since_last_success(sim: "Simulation", stack: Stack) -> Iterator[Job]:
    for job in reversed(sim.world.jobs):
        if job.stack is stack:
            if job.status == "succeeded":
                return
            yield job


def _runs_what_is_shown(stack: Stack, found: CloudStack) -> Violations:
    assert stack.running_version is not None, "what is ready has a version that runs"
    if found.parameters != stack.running_answers or found.body != BODIES[stack.running_version]:
        yield f"{stack.ref} shows {stack.running_version} {stack.running_answers}, and {found.parameters} runs"


_CHECKS: tuple[Callable[["Simulation"], Violations], ...] = (
    _nothing_broke,
    _every_job_ended,
    _one_job_a_request,
    _one_active_job_a_stack,
    _attempts_are_counted,
    _leases_hold,
    _fences_hold,
    _workers_stop_in_time,
    _histories_are_paths,
    _audit_tells_each_change,
    _nothing_happens_twice,
    _jobs_do_not_overlap_in_the_cloud,
    _only_ours_is_touched,
    _yes_to_what_ran,
    _what_is_said_to_run_runs,
    _rows_are_as_the_cloud,
)
