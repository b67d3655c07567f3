"""What must hold between requests, rows and the cloud: nothing lost, nothing doubled, nothing side by side."""

from collections.abc import Iterator

from tests.chaos.calls import Call
from tests.chaos.evidence import CloudStack, StackRow
from tests.chaos.facts import Facts, grouped, name_of
from tests.chaos.history import Request

MAKES_A_JOB = ("launch", "retry", "update", "delete")
# What CloudFormation must say of a stack that stands like this; written here and not read from the portal.
TRUE_OF = {
    "ready": ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"),
    "tainted": ("UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"),
    "degraded": ("UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"),
}


def accepted_is_kept(facts: Facts) -> Iterator[str]:
    """I1: each accepted launch has exactly one live stack or a recorded end; every accepted request has its job."""
    for request in facts.requests:
        if request.outcome != "ok":
            continue
        if request.job and request.job not in facts.job_by_ref:
            yield f"{request.op} {request.key} was accepted as {request.job}, and there is no such job."
        elif request.op in MAKES_A_JOB and not request.job and not facts.jobs_by_key.get(request.key):
            yield f"{request.op} {request.key} was accepted, and no job has its key."
        if request.op == "launch":
            yield from _launch_is_kept(facts, request)


def _launch_is_kept(facts: Facts, request: Request) -> Iterator[str]:
    stack = facts.stack_by_ref.get(request.ref)
    if stack is None:
        yield f"launch {request.key} was accepted as {request.ref}, and there is no such stack."
        return
    live = [each for each in facts.live_by_ref.get(stack.ref, []) if each.status != "REVIEW_IN_PROGRESS"]
    if len(live) > 1:
        yield f"{stack.ref} has {len(live)} live stacks in the cloud."
    elif not live and not _has_ended(facts, stack):
        yield f"{stack.ref} is {stack.status}, has no stack in the cloud and no recorded end."


def _has_ended(facts: Facts, stack: StackRow) -> bool:
    """Say whether it is written down why there is no live stack."""
    if stack.status == "deleted":
        return True
    jobs = facts.jobs_by_stack.get(stack.id, [])
    return bool(jobs) and (jobs[-1].status == "cancelled" or bool(jobs[-1].failure))


def unanswered_is_whole(facts: Facts) -> Iterator[str]:
    """I2: a request nobody heard the end of made one stack or none; a refused one made none."""
    for request in facts.requests:
        jobs = facts.jobs_by_key.get(request.key, [])
        if request.outcome == "fail" and jobs:
            yield f"{request.op} {request.key} was refused, and yet there is {jobs[0].ref}."
        if request.outcome == "unknown" and request.op == "launch":
            live = [each for job in jobs for each in _live_of(facts, job.stack_id)]
            if len(jobs) > 1 or len(live) > 1:
                yield f"launch {request.key} was not answered and made {len(jobs)} jobs and {len(live)} stacks."


def _live_of(facts: Facts, stack_id: int) -> list[CloudStack]:
    stack = facts.stack_by_id.get(stack_id)
    return facts.live_by_ref.get(stack.ref, []) if stack else []


def nothing_is_doubled(facts: Facts) -> Iterator[str]:
    """I3: each request key made at most one stack, each job at most one plan and one start, each ref one stack."""
    for key, jobs in facts.jobs_by_key.items():
        stacks = {job.stack_id for job in jobs if job.kind == "create"}
        if len(stacks) > 1:
            yield f"The key {key} made {len(stacks)} stacks."
    for ref, live in facts.live_by_ref.items():
        if len(live) > 1:
            yield f"{ref} is the tag of {len(live)} live stacks."
    yield from _doubled_calls(facts)


def _doubled_calls(facts: Facts) -> Iterator[str]:
    ours = [call for call in facts.beginnings if not facts.is_foreign(call)]
    for call in ours:
        if not facts.job_of(call.token):
            yield f"{call.operation} on {name_of(call)} happened under {call.token or 'no token'}, which names no job."
    by_job = grouped(ours, lambda call: (facts.job_of(call.token), call.operation))
    for (job, operation), calls in by_job.items():
        if job and operation in ("CreateChangeSet", "ExecuteChangeSet"):
            yield from _doubled_by_job(job, operation, calls)


def _doubled_by_job(job: str, operation: str, calls: list[Call]) -> Iterator[str]:
    tokens = sorted({call.token for call in calls})
    if len(tokens) > 1:
        yield f"{job} made {operation} happen {len(tokens)} times, under {', '.join(tokens)}."
    stacks = {call.stack_id for call in calls if call.stack_id}
    if len(stacks) > 1:
        yield f"{job} reached {len(stacks)} stacks with {operation}."


def one_at_a_time(facts: Facts) -> Iterator[str]:
    """I4: no two operations on one stack overlap, neither among the calls nor in the cloud's own events."""
    places = grouped(facts.beginnings, lambda call: (call.account, call.region, name_of(call)))
    for (_, _, name), calls in places.items():
        yield from _interleaved(name, [facts.job_of(call.token) or call.token for call in calls])
    for stack in facts.run.cloud:
        yield from _overlapping_events(facts, stack)


def _interleaved(name: str, jobs: list[str]) -> Iterator[str]:
    """Each job's calls must come in one piece: whoever comes back after another was not alone."""
    over: set[str] = set()
    for before, job in zip(jobs, jobs[1:], strict=False):
        if job != before:
            over.add(before)
            if job in over:
                yield f"{job} acted on {name} again after {before} had begun."


def _overlapping_events(facts: Facts, stack: CloudStack) -> Iterator[str]:
    holder = ""
    for event in stack.events:
        job = facts.job_of(event.token) or event.token
        if not event.status.endswith("_IN_PROGRESS"):
            holder = ""
        elif event.status != "REVIEW_IN_PROGRESS" and job:
            if holder and job != holder:
                yield f"{stack.name}: {job} began {event.status} before what {holder} began had settled."
            holder = job


def cloud_is_rows(facts: Facts) -> Iterator[str]:
    """I9: the cloud's stacks are our rows and stand as these say; what is not ours was left alone."""
    for ref, live in facts.live_by_ref.items():
        stack = facts.stack_by_ref.get(ref)
        if stack is None or stack.status in ("deleted", "lost"):
            state = f"is {stack.status}" if stack else "has no row"
            yield f"The cloud holds {live[0].name} ({live[0].status}), and {ref} {state}."
    for stack in facts.run.stacks:
        if stack.status in TRUE_OF and not facts.has_unfinished_job(stack):
            yield from _row_is_true(facts, stack)
    for call in facts.beginnings:
        if facts.is_foreign(call):
            yield f"{call.operation} happened on {name_of(call)}, which is not Slipway's."


def _row_is_true(facts: Facts, stack: StackRow) -> Iterator[str]:
    found = next((each for each in facts.live_by_ref.get(stack.ref, []) if each.id == stack.cloud_id), None)
    if found is None:
        yield f"{stack.ref} is {stack.status}, and the cloud has no stack {stack.cloud_id or 'of it'}."
    elif found.status not in TRUE_OF[stack.status] and not _is_accepted(facts, stack, found):
        yield f"{stack.ref} is {stack.status}, and the cloud says {found.status}."


def _is_accepted(facts: Facts, stack: StackRow, found: CloudStack) -> bool:
    """A person may accept what was rolled back to, or cancel an update: both leave a ready stack that says so."""
    if stack.status != "ready" or found.status not in TRUE_OF["tainted"]:
        return False
    changes = [each for each in facts.run.stack_log if each.stack_id == stack.id and each.new_status == "ready"]
    came_from = changes[-1].old_status if changes else None
    cancelled = any(job.kind == "update" and job.status == "cancelled" for job in facts.jobs_by_stack.get(stack.id, []))
    return came_from == "tainted" or (came_from == "updating" and cancelled)
