"""Where crashes are played: a portal on a database and a cloud of its own, whose processes are forked and killed."""

import contextlib
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from app import db, failpoints
from app.identity import tokens
from app.web import create_app
from tests.chaos import watch
from tests.chaos.cloud_proxy import CloudProxy
from tests.chaos.history import History
from tests.support.cloud import Cloud
from tests.support.databases import Database
from tests.support.factories import Make
from tests.support.settings import CLOUD_ACCOUNT, settings

KILLED = 137
# A worker that died is missed for so long; nobody else is there who could take over too early.
LEASE_SECONDS = 0.1
LONGEST_SECONDS = 60.0
SECRET = "correct-horse-battery-9"
BODY = (Path(__file__).parent / "template.yaml").read_text()


# Prepares each process of a stage, given the portal and the process's number.
Preparation = Callable[[Flask, int], None]


class Broke(AssertionError):
    """A process of the stage ended in a way that no failpoint explains; the message holds what it wrote."""


@dataclass
class Stage:
    """One installation. Nothing of it is open in this process while another one is forked from it."""

    app: Flask
    cloud: Cloud
    proxy: CloudProxy
    history: History
    token: str
    directory: Path
    prepare: Preparation = field(default=lambda app, number: None)
    processes: int = 0

    def play(self, act: Callable[[Flask], Any], rule: str = "", seen: str = "") -> tuple[int, Any]:
        """Do something in a process of its own that meets this failpoint; return its exit status and its answer.

        `seen` names a file for the places it reaches. A process that was killed answers nothing.
        """
        pid, reader = self.begin(act, rule, seen)
        with os.fdopen(reader, "rb") as answers:
            status = ended(pid)
            said = answers.read()
        if status not in (0, KILLED):
            raise Broke(f"A process ended with {status}:\n{said.decode()[-4000:]}")
        return status, json.loads(said) if status == 0 else None

    def begin(self, act: Callable[[Flask], Any], rule: str = "", seen: str = "") -> tuple[int, int]:
        """Begin a process and return its id, and where its answer can be read."""
        self.processes += 1
        self.app.extensions["engine"].dispose()
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._be_a_process(act, {"FAILPOINTS": rule, "FAILPOINTS_LOG": seen}, writer)
        os.close(writer)
        return pid, reader

    def _be_a_process(self, act: Callable[[Flask], Any], environ: dict[str, str], writer: int) -> None:
        """Never returns: what a test would do at its end is not this process's business."""
        status = 1
        try:
            failpoints.arm(environ)
            self.prepare(self.app, self.processes)
            os.write(writer, json.dumps(act(self.app)).encode())
            status = 0
        except BaseException:  # noqa: BLE001 - whatever it was, the process that started us must read of it
            os.write(writer, traceback.format_exc().encode()[-60000:])
        finally:
            os._exit(status)


def ended(pid: int) -> int:
    """Wait for a child and return its exit status; one that takes too long is ended, and its status is negative."""
    until = time.monotonic() + LONGEST_SECONDS
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            until += LONGEST_SECONDS
        time.sleep(0.001)


@contextlib.contextmanager
def stage(database: Database, cloud: Cloud, directory: Path, **changes: str) -> Iterator[Stage]:
    """Set an installation up: Dana, two environments, one template. Database and cloud are watched."""
    with ExitStack() as undo:
        undo.callback(_restore, dict(os.environ))
        os.environ.update(CLOUD_ACCOUNT)
        history = History(directory / "history.jsonl")
        undo.callback(history.close)
        proxy = undo.enter_context(CloudProxy(cloud.process.port, directory / "calls.jsonl"))
        given = {
            "AWS_ENDPOINT_URL": proxy.url,
            "FOLLOW_SECONDS": "0.01",
            "LOOKUP_SECONDS": "0",
            "LOG_LEVEL": "CRITICAL",
        }
        app = create_app(settings(database.url, directory, **given | changes))
        undo.callback(app.extensions["engine"].dispose)
        _warm_up(app)
        token = _world(app)
        undo.enter_context(watch.watching(app.extensions["engine"]))
        undo.callback(_clear, cloud)
        yield Stage(app, cloud, proxy, history, token, directory)


def _world(app: Flask) -> str:
    """Write the rows every scenario needs; return a token of Dana's."""
    with app.app_context():
        make = Make()
        make.environment()
        # One more place, in which stacks are protected from deletion.
        make.environment("payments-sandbox", stage="prod", team_id=make.team().id)
        make.version(body=BODY)
        token = tokens.create(make.person("dana"), "tests")
        db.session.commit()
        return token


def _warm_up(app: Flask) -> None:
    """Read the descriptions of the services once, and not in every process again. Nothing is asked yet."""
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    for service in ("sts", "cloudformation"):
        app.extensions["aws"]._make(service, "eu-west-1", False, **keys)


def _restore(environ: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)


def _clear(cloud: Cloud) -> None:
    """Leave an empty cloud: in the next installation's eyes every stack left over would be nobody's."""
    client = cloud.client()
    cloud.faults()
    while names := cloud.named_like(""):
        for name in names:
            client.update_termination_protection(StackName=name, EnableTerminationProtection=False)
            client.delete_stack(StackName=name)
        time.sleep(0.05)
