"""The checker finds nothing in a good run, and each kind of harm in a run that has it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.chaos.calls import Call
from tests.chaos.checker import INVARIANTS, check
from tests.chaos.evidence import (
    AuditRow,
    CloudEvent,
    CloudStack,
    Evidence,
    JobChange,
    JobRow,
    StackChange,
    StackRow,
)
from tests.chaos.history import Entry

pytestmark = pytest.mark.chaos

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/refunds-aa/1"
OTHER_ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/refunds-aa/2"


def call(t: float, operation: str, token: str = "", **more: object) -> Call:
    given = {"stack_id": ARN, "outcome": "ok", "happened": True, **more}
    return Call(t, "cloudformation", operation, "111122223333", "eu-west-1", token=token, **given)  # type: ignore[arg-type]  # a mixed bag of fields


def job_change(number: int, old: str | None, new: str, fence: int, **more: object) -> JobChange:
    change = JobChange(number, NOW, 1, old, new, None if old is None else fence, fence, None, None, EPOCH, "")
    return replace(change, **more)  # type: ignore[arg-type]  # a mixed bag of fields


def stack_change(number: int, old: str | None, new: str) -> StackChange:
    return StackChange(number, NOW, 1, old, new)


JOB = JobRow(1, "job_AA", "create", "succeeded", 1, "key-1", None, None, EPOCH, NOW)
STACK = StackRow(1, "stk_AA", "ready", "refunds-aa", ARN)
PLANNED = call(1, "CreateChangeSet", "p-job-AA-plan-1", stack="refunds-aa", tag_ref="stk_AA")
STARTED = call(2, "ExecuteChangeSet", "p-job-AA-execute-1")
IN_CLOUD = CloudStack(
    "refunds-aa",
    ARN,
    "CREATE_COMPLETE",
    "stk_AA",
    (CloudEvent("CREATE_IN_PROGRESS", "p-job-AA-execute-1"), CloudEvent("CREATE_COMPLETE", "p-job-AA-execute-1")),
)
CLAIM = job_change(2, "queued", "running", 1, old_fence=0, lease_owner="w1", writer="11@1")
GOOD = Evidence(
    now=NOW,
    history=(
        Entry(0.1, "launch", "key-1", "", "sent"),
        Entry(0.2, "launch", "key-1", "", "unknown"),
        Entry(0.3, "launch", "key-1", "", "sent"),
        Entry(0.4, "launch", "key-1", "stk_AA", "ok", "job_AA"),
        Entry(0.5, "launch", "key-2", "", "sent"),
        Entry(0.6, "launch", "key-2", "", "fail"),
    ),
    calls=(
        call(0.9, "CreateChangeSet", "p-job-AA-plan-1", happened=False, outcome="Throttling", stack_id=""),
        replace(PLANNED, outcome="InternalFailure"),
        call(1.5, "DescribeStacks"),
        STARTED,
        replace(STARTED, t=3),
    ),
    cloud=(IN_CLOUD,),
    jobs=(JOB,),
    stacks=(STACK,),
    audit=(AuditRow("stack:launched", "stk_AA"), AuditRow("stack:ready", "stk_AA")),
    job_log=(
        job_change(1, None, "queued", 0),
        CLAIM,
        job_change(
            3,
            "running",
            "running",
            2,
            old_fence=1,
            old_owner="w1",
            lease_owner="w2",
            old_lease_until=NOW,
            writer="22@1",
        ),
        job_change(4, "running", "succeeded", 2, old_owner="w2", old_lease_until=NOW + timedelta(30), writer="22@1"),
    ),
    stack_log=(
        stack_change(1, None, "creating"),
        stack_change(2, "creating", "creating"),
        stack_change(3, "creating", "ready"),
    ),
    canaries=("hunter-2026",),
    texts={"log": "nothing to see"},
)
QUEUED = replace(JOB, status="queued", next_run_at=NOW - timedelta(seconds=61))
FAILED = replace(JOB, status="failed", failure={"sentence": "No room."})
DELETING = replace(JOB, id=2, ref="job_BB", kind="delete", key="key-3")


def without_a_stack(run: Evidence) -> Evidence:
    """The cloud never made it, and the row says so."""
    return replace(
        run, cloud=(), calls=(), stacks=(replace(STACK, status="failed", cloud_id=None),), stack_log=(), audit=()
    )


def finds(run: Evidence) -> set[str]:
    return {violation.invariant for violation in check(run)}


def test_a_good_run_has_nothing_wrong() -> None:
    assert check(GOOD) == []


FINE: dict[str, Callable[[Evidence], Evidence]] = {
    "a launch that failed with a reason": lambda run: without_a_stack(replace(run, jobs=(FAILED,))),
    "a launch that was cancelled": lambda run: without_a_stack(replace(run, jobs=(replace(JOB, status="cancelled"),))),
    "an unanswered launch that arrived": lambda run: replace(run, history=run.history[:3]),
    "an unanswered launch that never arrived": lambda run: replace(
        run, history=(*run.history, Entry(9, "launch", "key-9", "", "unknown"))
    ),
    "a job held under a live lease": lambda run: replace(
        run, jobs=(replace(QUEUED, status="running", lease_owner="w1", lease_until=NOW + timedelta(seconds=9)),)
    ),
    "a job that will run": lambda run: replace(run, jobs=(replace(QUEUED, next_run_at=NOW + timedelta(seconds=9)),)),
    "one job after the other": lambda run: replace(
        run, jobs=(JOB, DELETING), calls=(*run.calls, call(9, "DeleteStack", "p-job-BB-execute-1"))
    ),
    "a rollback that somebody accepted": lambda run: replace(
        run,
        cloud=(replace(IN_CLOUD, status="UPDATE_ROLLBACK_COMPLETE"),),
        stack_log=(
            *run.stack_log,
            stack_change(4, "ready", "updating"),
            stack_change(5, "updating", "tainted"),
            stack_change(6, "tainted", "ready"),
        ),
        audit=(*run.audit, *(AuditRow(f"stack:{status}", "stk_AA") for status in ("updating", "tainted", "ready"))),
    ),
    "another's stack that nobody touched": lambda run: replace(
        run, cloud=(IN_CLOUD, CloudStack("theirs", "arn:theirs", "CREATE_COMPLETE")), foreign=frozenset({"theirs"})
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FINE)
def test_says_nothing_of(name: str) -> None:
    assert check(FINE[name](GOOD)) == []


HARM: list[tuple[str, str, Callable[[Evidence], Evidence]]] = [
    ("I1", "an accepted launch without a stack", lambda run: replace(run, stacks=())),
    ("I1", "an accepted launch without a job", lambda run: replace(run, jobs=())),
    ("I1", "a launch that came to nothing", lambda run: without_a_stack(run)),
    ("I1", "an accepted update without a job", lambda run: replace(
        run, history=(*run.history, Entry(9, "update", "key-9", "stk_AA", "ok")))),
    ("I1", "two stacks for one launch", lambda run: replace(run, cloud=(IN_CLOUD, replace(IN_CLOUD, id=OTHER_ARN)))),
    ("I2", "an unanswered launch made twice", lambda run: replace(
        run, history=run.history[:3], jobs=(JOB, replace(JOB, id=2, ref="job_BB", stack_id=2)))),
    ("I2", "a refused launch made all the same", lambda run: replace(run, jobs=(JOB, replace(DELETING, key="key-2")))),
    ("I3", "one key, two stacks", lambda run: replace(run, jobs=(JOB, replace(JOB, id=2, ref="job_BB", stack_id=2)))),
    ("I3", "one ref, two live stacks", lambda run: replace(run, cloud=(IN_CLOUD, replace(IN_CLOUD, id=OTHER_ARN)))),
    ("I3", "a second plan under another token", lambda run: replace(
        run, calls=(*run.calls, replace(PLANNED, t=1.7, token="p-job-AA-plan-2")))),
    ("I3", "a second start under another token", lambda run: replace(
        run, calls=(*run.calls, replace(STARTED, t=2.7, token="p-job-AA-execute-2")))),
    ("I3", "a random token", lambda run: replace(run, calls=(replace(PLANNED, token="f3a1c2"), STARTED))),
    ("I3", "no token at all", lambda run: replace(run, calls=(PLANNED, replace(STARTED, token="")))),
    ("I3", "one job, two stacks", lambda run: replace(
        run, calls=(PLANNED, replace(STARTED, stack_id=OTHER_ARN), replace(STARTED, t=4, token="p-job-AA-execute-2")))),
    ("I4", "two jobs that take turns", lambda run: replace(
        run, jobs=(JOB, DELETING), calls=(PLANNED, call(1.5, "DeleteStack", "p-job-BB-execute-1"), STARTED))),
    ("I4", "one operation begun within another", lambda run: replace(
        run, jobs=(JOB, DELETING), cloud=(replace(IN_CLOUD, events=(
            IN_CLOUD.events[0], CloudEvent("DELETE_IN_PROGRESS", "p-job-BB-execute-1"))),))),
    ("I5", "a job that rose from the dead", lambda run: replace(
        run, job_log=(*run.job_log, job_change(5, "succeeded", "running", 2)))),
    ("I5", "a job that began in the middle", lambda run: replace(run, job_log=(job_change(1, None, "running", 1),))),
    ("I5", "a step nobody saw", lambda run: replace(
        run, job_log=(run.job_log[0], job_change(2, "running", "failed", 1)))),
    ("I5", "a stack that skipped a state", lambda run: replace(
        run, stack_log=(*run.stack_log, stack_change(4, "ready", "deleted")))),
    ("I6", "a fence that fell", lambda run: replace(
        run, job_log=(*run.job_log[:3], job_change(4, "running", "succeeded", 1, old_fence=2)))),
    ("I6", "a claim within somebody's lease", lambda run: replace(
        run, job_log=(*run.job_log[:2], replace(run.job_log[2], old_lease_until=NOW + timedelta(seconds=1))))),
    ("I6", "a write by whoever held it before", lambda run: replace(
        run, job_log=(*run.job_log[:3], replace(run.job_log[3], writer=CLAIM.writer)))),
    ("I7", "a change without a record", lambda run: replace(run, audit=run.audit[:1])),
    ("I7", "a record without a change", lambda run: replace(
        run, audit=(*run.audit, AuditRow("stack:ready", "stk_AA")))),
    ("I7", "a launch without a record", lambda run: replace(run, audit=run.audit[1:])),
    ("I8", "a job that nobody will run", lambda run: replace(run, jobs=(QUEUED,))),
    ("I8", "a job whose owner is gone", lambda run: replace(
        run, jobs=(replace(QUEUED, status="running", lease_owner="w1", lease_until=NOW - timedelta(seconds=1)),))),
    ("I8", "a job with an empty lease", lambda run: replace(run, jobs=(replace(JOB, lease_until=None),))),
    ("I8", "a stack that moves by itself", lambda run: replace(run, stacks=(replace(STACK, status="creating"),))),
    ("I9", "a stack nobody knows", lambda run: replace(
        run, cloud=(IN_CLOUD, replace(IN_CLOUD, id=OTHER_ARN, tag_ref="stk_BB")))),
    ("I9", "a stack that was deleted only here", lambda run: replace(run, stacks=(replace(STACK, status="deleted"),))),
    ("I9", "a stack that is gone there", lambda run: replace(run, cloud=())),
    ("I9", "another stack of the same name", lambda run: replace(run, cloud=(replace(IN_CLOUD, id=OTHER_ARN),))),
    ("I9", "a rollback shown as ready", lambda run: replace(
        run, cloud=(replace(IN_CLOUD, status="UPDATE_ROLLBACK_COMPLETE"),))),
    ("I9", "a stranger's stack deleted", lambda run: replace(
        run, foreign=frozenset({"theirs"}),
        calls=(*run.calls, call(9, "DeleteStack", "p-job-AA-clear0-1", stack="theirs", stack_id="")))),
    ("I10", "a secret in a log", lambda run: replace(run, texts={"log": "password=hunter-2026"})),
    ("I10", "a secret in base64", lambda run: replace(run, texts={"table job": "aHVudGVyLTIwMjY="})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("invariant", "harm"), [(invariant, harm) for invariant, _, harm in HARM], ids=[f"{i} {n}" for i, n, _ in HARM]
)
def test_finds(invariant: str, harm: Callable[[Evidence], Evidence]) -> None:
    assert invariant in finds(harm(GOOD))


def test_every_invariant_has_been_broken() -> None:
    assert {invariant for invariant, _, _ in HARM} == set(INVARIANTS)
