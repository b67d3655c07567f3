"""How much one worker does to follow many stacks at once.

`./slipway bench follow [--stacks 5000] [--seconds 60]`: one worker, PostgreSQL, no broker, and the model of
CloudFormation over HTTP, in which so many stacks are being created in one account and region. Counts the calls that
arrive and the worker's processor time, while all of them move.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
from sqlalchemy import func, insert, select

from app import db
from app.config import ROOT
from app.environments.models import Environment
from app.jobs.lifecycle import JobStatus, StepStatus
from app.jobs.models import Job, JobStep
from app.stacks.lifecycle import RANK, StackStatus
from app.stacks.models import Plan, Stack
from app.web import create_app
from bench import _servers, _world
from bench._figures import emit, machine
from bench._noop_work import wait_for_a_worker

STEPS = ("check", "plan", "confirm", "execute", "follow", "verify")
WARM_UP = 10
A_DAY = 86_400


def measure(stacks: int, seconds: int) -> None:
    with ExitStack() as servers:
        directory = servers.enter_context(_servers.scratch())
        url = servers.enter_context(_servers.database("postgresql", directory))
        model = servers.enter_context(_model())
        # Nothing listens there: the worker's own timer finds every job.
        nowhere = f"redis://127.0.0.1:{_servers.free_port()}/0"
        config = _world.config_of(directory, url, CELERY_BROKER_URL=nowhere, AWS_ENDPOINT_URL=model)
        _world.build(config, 100)
        os.environ.update(
            AWS_ACCESS_KEY_ID="000000000000", AWS_SECRET_ACCESS_KEY="local", AWS_DEFAULT_REGION="eu-west-1"
        )
        app = create_app(config)
        with app.app_context():
            _put_in_flight(model, stacks)
            process = servers.enter_context(_servers.worker(config))
            wait_for_a_worker()
            time.sleep(WARM_UP)
            emit(bench="follow", stacks=stacks, seconds=seconds, **_watch(model, process.pid, stacks, seconds))


@contextmanager
def _model() -> Iterator[str]:
    port = _servers.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.chaos.model.server", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 20
        while not _answers(port) and time.monotonic() < until:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _put_in_flight(model: str, count: int) -> None:
    """Write stacks and jobs as they are when each has been looked at once, and lay the stacks in the cloud."""
    place = db.session.scalars(select(Environment).where(Environment.slug == "payments-staging")).one()
    known = db.session.scalars(select(Stack).limit(1)).one()
    by, version = known.created_by_id, known.version_id
    template, account, region = known.template_id, place.account.number, place.region
    team, first = place.team_id, (db.session.scalar(select(func.max(Stack.id))) or 0) + 1
    refs = [f"stk_F{number:07}" for number in range(count)]
    rows = [
        {"account": account, "region": region, "name": f"flight-{ref[4:].lower()}", "status": "CREATE_IN_PROGRESS",
         "tags": {"slipway:stack": ref}, "then": [[A_DAY, "CREATE_COMPLETE"]]}
        for ref in refs
    ]  # fmt: skip
    ids = [cloud_id for start in range(0, count, 500) for cloud_id in _post(model, rows[start : start + 500])]
    ours = {"environment_id": place.id, "team_id": team, "template_id": template, "version_id": version}
    now, later = db.now(), db.now(A_DAY)
    numbered = list(enumerate(zip(refs, ids, strict=True), first))
    _insert(Stack, [
        {"id": number, "ref": ref, "name": f"flight-{ref[4:].lower()}", "cloud_name": f"flight-{ref[4:].lower()}",
         "cloud_id": cloud_id, "answers": {}, "status": StackStatus.CREATING, "rank": RANK[StackStatus.CREATING],
         "status_reason": "", "cloud_status": "CREATE_IN_PROGRESS", "cloud_reason": "", "outputs": [],
         "is_protected": False, "created_by_id": by, **ours}
        for number, (ref, cloud_id) in numbered
    ], created_at=now)  # fmt: skip
    _insert(Job, [
        {"id": number, "ref": ref.replace("stk", "job"), "kind": "create", "status": JobStatus.RUNNING,
         "stack_id": number, "team_id": team, "template_id": template, "to_version_id": version, "fence": 1,
         "requested_by_id": by, "via": "ui", "payload": {"answers": {}, "generation": 1}, "attempts": 0,
         "watch_topic": f"{account}/{region}", "watch_key": cloud_id}
        for number, (ref, cloud_id) in numbered
    ], created_at=now, started_at=now, next_run_at=db.now(600), deadline_at=later)  # fmt: skip
    _insert(JobStep, [
        {"job_id": number, "position": position, "key": key, "note": "", "attempt": 1, "status": _status_of(key)}
        for number, _ in numbered for position, key in enumerate(STEPS)
    ], intent_at=now)  # fmt: skip
    _insert(Plan, [
        {"ref": ref.replace("stk", "pln"), "job_id": number, "change_set_id": f"{cloud_id}/plan", "digest": "0" * 64,
         "changes": [], "answer_changes": [], "untouched": 0}
        for number, (ref, cloud_id) in numbered
    ], created_at=now)  # fmt: skip
    db.session.commit()


def _status_of(key: str) -> StepStatus:
    return {"follow": StepStatus.WAITING, "verify": StepStatus.TO_COME}.get(key, StepStatus.DONE)


def _insert(model: Any, rows: Sequence[dict[str, Any]], **moments: Any) -> None:
    """Insert many rows whose moments are the database's."""
    for start in range(0, len(rows), 2000):
        db.session.execute(insert(model).values(**moments), list(rows[start : start + 2000]))


def _post(model: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    request = urllib.request.Request(f"{model}/_model/stacks", json.dumps(rows).encode())
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def _calls(model: str, since: int) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{model}/_model/calls?since={since}") as answer:
        return json.load(answer)


def _watch(model: str, pid: int, stacks: int, seconds: int) -> dict[str, Any]:
    worker = psutil.Process(pid)
    family = [worker, *worker.children(recursive=True)]
    before, used = len(_calls(model, 0)), sum(sum(each.cpu_times()[:2]) for each in family)
    time.sleep(seconds)
    used = sum(sum(each.cpu_times()[:2]) for each in family) - used
    made = Counter(call["operation"] for call in _calls(model, before))
    polls = made["ListStacks"] / max(1, -(-stacks // 100))
    hundreds = stacks / 100
    return {
        "rounds": round(polls, 1),
        "calls": dict(made),
        "describes_per_100_a_round": round(made["DescribeStacks"] / hundreds / max(polls, 1), 2),
        "listings_per_100_a_round": round(made["ListStacks"] / hundreds / max(polls, 1), 2),
        "cpu_share_of_a_core": round(used / seconds, 3),
        "rss_mb": round(sum(each.memory_info().rss for each in family) / 2**20, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--stacks", type=int, default=5000)
    parser.add_argument("--seconds", type=int, default=60)
    given = parser.parse_args()
    emit(bench="follow", machine=machine())
    measure(given.stacks, given.seconds)


if __name__ == "__main__":
    main()
