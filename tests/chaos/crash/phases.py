"""What a scenario is made of: requests of a client who asks again until it is answered, and a worker that works."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import db
from app.jobs.chores import Rota, Shift
from app.jobs.engine import Worker, due
from app.jobs.lifecycle import RUNNABLE
from app.jobs.models import Job
from app.stacks.models import Stack
from tests.chaos.crash.stage import KILLED, LEASE_SECONDS, Stage
from tests.support.work import Work

PREFIX = "/api/v1"
MOST_RUNS = 12
# What a process comes to: it did its part; it was killed; it was told nothing it can count on.
DONE, UNKNOWN = 0, -1


@dataclass
class Play:
    """One performance of a scenario on a stage: `name` is its stack's, the refs are what the client was told.

    A stack that is as good as new may be used again: `round` tells its performances apart.
    """

    stage: Stage
    name: str
    round: str
    stack: str = ""
    job: str = ""
    kills: list[str] = field(default_factory=list)
    again: int = 0
    is_as_new: bool = False

    def ends(self) -> tuple[str, str]:
        """Return how the job of the last request and its stack stand."""
        query = select(Job.status, Stack.status).join(Stack, Stack.id == Job.stack_id).where(Job.ref == self.job)
        with self.stage.app.extensions["engine"].connect() as connection:
            job, stack = connection.execute(query).one()
        return str(job), str(stack)


class Phase:
    """Something one process does, and that is done again by another when the process was killed."""

    # What the names of the failpoints it meets begin with, but for claims and wake-ups.
    prefix: str

    def play(self, play: Play, rules: list[str], seen: str = "") -> None:
        """Do it until it is done; the first process meets the first rule, the next one the second."""
        for number in range(MOST_RUNS):
            rule = rules[number] if number < len(rules) else ""
            status = self.run(play, rule, seen)
            if status == DONE:
                return
            play.again += 1
            if status == KILLED:
                play.kills.append(rule)
        raise AssertionError(f"{self} was not done after {MOST_RUNS} times.")

    def run(self, play: Play, rule: str, seen: str) -> int:
        """Do it once in a process; return DONE, KILLED or UNKNOWN."""
        raise NotImplementedError


@dataclass(frozen=True)
class Asks(Phase):
    """A request, under a key of its own where the API takes one; whoever got no answer asks again."""

    op: str
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    prefix = "request"

    def run(self, play: Play, rule: str, seen: str) -> int:
        history, key = play.stage.history, f"{play.round}-{self.op}"
        history.append(self.op, key, "sent", play.stack, play.job)
        status, answer = play.stage.play(lambda app: self._ask(app, play, key), rule, seen)
        if status == KILLED or answer["status"] == 503:
            history.append(self.op, key, "unknown", play.stack, play.job)
            return status or UNKNOWN
        self._hear(play, answer)
        history.append(self.op, key, "ok", play.stack, play.job)
        return status

    def _ask(self, app: Flask, play: Play, key: str) -> dict[str, Any]:
        """Send the request as a client of the API would, and return what was answered."""
        headers = {"Authorization": f"Bearer {play.stage.token}", "Idempotency-Key": key}
        client = app.test_client()
        plan = self._plan(client, headers, play) if "{plan}" in self.path else {}
        path = self.path.format(stack=play.stack, job=play.job, plan=plan.get("id"))
        body = None if self.body is None else {**_filled(self.body, play.name, key), **self._yes(plan)}
        answer = client.open(PREFIX + path, method=self.method, json=body, headers=headers)
        return {"status": answer.status_code, "document": answer.json}

    def _plan(self, client: Any, headers: Mapping[str, str], play: Play) -> Any:
        ref = client.get(f"{PREFIX}/jobs/{play.job}", headers=headers).json["plan"]
        return client.get(f"{PREFIX}/plans/{ref}", headers=headers).json

    def _yes(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        return {"digest": plan["digest"]} if plan else {}

    def _hear(self, play: Play, answer: Mapping[str, Any]) -> None:
        document, status = answer["document"], answer["status"]
        # Whoever asked before, and was not answered, hears that it is so already.
        is_so_already = status == 409 and self.op in ("confirm", "cancel") and play.again > 0
        assert status in (200, 202) or is_so_already, f"{self.op} was answered {status}: {document}"
        if status == 202 and "stack" in document and "job" in document:
            play.stack, play.job = document["stack"]["id"], document["job"]["id"]


def _filled(body: Mapping[str, Any], name: str, key: str) -> dict[str, Any]:
    """Return the body with the stack's name, and with a word that no other request of the stack has."""
    words = {"{stack name}": name, "{op}": key}
    return {
        field: _filled(value, name, key) if isinstance(value, dict) else words.get(value, value)
        for field, value in body.items()
    }


@dataclass(frozen=True)
class Works(Phase):
    """A worker takes the job of the last request as far as it goes, or until a step is under way."""

    prefix: str
    until: str = ""

    def run(self, play: Play, rule: str, seen: str) -> int:
        status, _ = play.stage.play(lambda app: self._work(app, play), rule, seen)
        return status

    def _work(self, app: Flask, play: Play) -> str:
        with app.app_context():
            work = Work(app, f"worker {len(play.kills) + 1} of {play.name}")
            work.worker.lease_seconds = LEASE_SECONDS
            job = db.session.scalars(select(Job).where(Job.ref == play.job)).one()
            while True:
                try:
                    return self._go_on(work, job)
                except OperationalError:
                    # A worker's loop goes on too, and finds the job again once its lease has run out.
                    db.session.rollback()

    def _go_on(self, work: Work, job: Job) -> str:
        # Asking whether it is due, as a worker's loop does: a claim in vain would be a write of its own.
        while not self._is_there(job):
            if job.id in due():
                work.once(job)
            work.watch(job)
            time.sleep(0.005)
        return str(job.status)

    def _is_there(self, job: Job) -> bool:
        db.session.rollback()
        db.session.refresh(job)
        under_way = next((step.key for step in job.steps if step.status not in ("done", "skipped")), "")
        return job.status not in RUNNABLE or under_way == self.until


@dataclass(frozen=True)
class Tends(Phase):
    """A worker does each of its chores once, such as the watch over stacks that move."""

    prefix = "duty"

    def run(self, play: Play, rule: str, seen: str) -> int:
        status, _ = play.stage.play(lambda app: self._tend(app, play), rule, seen)
        return status

    def _tend(self, app: Flask, play: Play) -> None:
        shift = Shift(Worker(f"tender {len(play.kills) + 1} of {play.round}", LEASE_SECONDS), lambda: None)
        rota = Rota(app, shift, threading.Event())
        for chore in app.extensions["chores"]:
            # What a chore meets does not end its worker: it is done again at its next time.
            with app.app_context(), suppress(OperationalError):
                rota.do(chore)


@dataclass(frozen=True)
class Happens(Phase):
    """Something outside the portal, which no failpoint touches."""

    act: Callable[[Play], None]
    prefix = "outside"

    def run(self, play: Play, rule: str, seen: str) -> int:
        self.act(play)
        return 0
