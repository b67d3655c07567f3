"""T9: many people want something of one stack at once. One gets it; the others are told which job is in the way."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import func, select

from app.jobs.lifecycle import UNFINISHED
from app.jobs.models import Job
from bench._figures import percentile
from tests.chaos.storm.client import Answer, Client, Driver
from tests.chaos.storm.installation import Installation
from tests.chaos.storm.waiting import wait_for_quiet


def run(database: str, stacks: int = 200, people: int = 50, seed: int = 1) -> dict[str, Any]:
    """Let so many people ask for deletions and updates of each stack at the same moment; return what they heard."""
    with Installation(database, seed=seed, resource_seconds=0, WEB_THREADS="16", DATABASE_POOL="16") as it:
        it.start_all()
        refs = _launched(it, seed, stacks)
        for worker in it.workers:
            # A job that ended would let the next request in.
            worker.term()
        with ThreadPoolExecutor(people) as pool:
            heard = [_at_once(pool, it.client, ref, people) for ref in refs]
        return _figures(it, refs, heard)


def _launched(it: Installation, seed: int, count: int) -> list[str]:
    driver = Driver(it.client, it.history, seed)
    refs = [driver.launch(f"wanted-{number:03}").document["stack"]["id"] for number in range(count)]
    wait_for_quiet(it, 120)
    return refs


def _at_once(pool: ThreadPoolExecutor, client: Client, ref: str, people: int) -> list[Answer]:
    """Return what each of them heard."""
    together = threading.Barrier(people)

    def ask(number: int) -> Answer:
        together.wait(30)
        if number % 2:
            return client.ask("DELETE", f"/api/v1/stacks/{ref}", key=f"{ref}-{number}")
        body = {"parameters": {"VisibilityTimeoutSeconds": 30 + number}}
        return client.ask("POST", f"/api/v1/stacks/{ref}/updates", body, key=f"{ref}-{number}")

    return list(pool.map(ask, range(people)))


def _figures(it: Installation, refs: list[str], heard: list[list[Answer]]) -> dict[str, Any]:
    answers = [answer for each in heard for answer in each]
    # Nobody runs the jobs here, so they do wait; everything else has to hold.
    found = [each for each in it.violations() if each.invariant != "I8"]
    return {
        "database": it.database,
        "stacks": len(refs),
        "requests": len(answers),
        "not_one_winner": sum(_accepted(each) != 1 for each in heard),
        "unnamed": sum(_unnamed(each) for each in heard),
        "not_one_active": _not_one_active(it, len(refs)),
        "other_answers": sum(answer.status not in (202, 409) for answer in answers),
        "deadlocks": _deadlocks(it),
        "violations": len(found),
        "found": [f"{each.invariant} {each.sentence}" for each in found[:5]],
        "answers": {str(status): count for status, count in sorted(Counter(a.status for a in answers).items())},
        "p95_ms": percentile([answer.seconds * 1000 for answer in answers], 95),
    }


def _accepted(answers: list[Answer]) -> int:
    return sum(answer.status == 202 for answer in answers)


def _unnamed(answers: list[Answer]) -> int:
    """Count the refusals that do not name the job that won."""
    winner = next((each.document["job"]["id"] for each in answers if each.status == 202), None)
    return sum(each.status == 409 and each.document.get("job") != winner for each in answers)


def _not_one_active(it: Installation, stacks: int) -> int:
    with it.looking() as session:
        active = select(func.count()).select_from(Job).where(Job.status.in_(UNFINISHED)).group_by(Job.stack_id)
        counts = session.scalars(active).all()
    return stacks - sum(count == 1 for count in counts)


def _deadlocks(it: Installation) -> int:
    if it.postgres is None:
        return 0
    with it.postgres.connect() as connection:
        row = connection.execute("SELECT sum(deadlocks) FROM pg_stat_database").fetchone()
    return int(row[0]) if row and row[0] is not None else 0
