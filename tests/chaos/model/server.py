"""The model over HTTP, on loopback, in real time: `python -m tests.chaos.model.server --port 4567`.

Beside the query protocol there are three addresses for whoever measures: `GET /_model/calls?since=N` tells the log,
`POST /_model/stacks` lays stacks there (a list of `put_stack`'s arguments, with account and region), and
`POST /_model/behaviour` changes the behaviour (fields of `Behaviour`).
"""

import argparse
import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import BotoCoreError

from tests.chaos.model import query
from tests.chaos.model.accounts import Accounts, Caller
from tests.chaos.model.behaviour import Behaviour
from tests.chaos.model.refusals import Refusal, invalid


class Server(ThreadingHTTPServer):
    """Holds the accounts; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, accounts: Accounts, port: int = 0):
        self.accounts, self.numbers = accounts, count(1)
        super().__init__(("127.0.0.1", port), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what this server is for; anything else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive between its requests."""

    server: Server
    protocol_version = "HTTP/1.1"
    # An answer is one write, sent at once: else it would wait for the other side's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = -1
    _posts: ClassVar[dict[str, str]] = {"/_model/stacks": "_put_stacks", "/_model/behaviour": "_behave"}

    def do_POST(self) -> None:  # noqa: N802 - the name the base class looks for
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.path in self._posts:
            self._send(200, json.dumps(getattr(self, self._posts[self.path])(json.loads(body))).encode())
        else:
            self._answer(body)

    def do_GET(self) -> None:  # noqa: N802 - as above
        address = urlsplit(self.path)
        if address.path != "/_model/calls":
            self._send(404, b"{}")
            return
        since = int(parse_qs(address.query).get("since", ["0"])[0])
        calls = self.server.accounts.calls()[since:]
        self._send(200, json.dumps([call._asdict() for call in calls]).encode())

    def _answer(self, body: str) -> None:
        operation, request = query.read(body)
        request_id, service = f"request-{next(self.server.numbers)}", ""
        try:
            caller = Caller.of(self.headers.get("Authorization", ""))
            service = caller.service
            found = self._ask(caller, operation, request)
            self._send(200, query.answer(service, operation, found, request_id), "text/xml")
        except Refusal as refusal:
            self._send(refusal.status, query.refusal(service, refusal, request_id), "text/xml")
        except BotoCoreError:
            # The answer got lost, or the call did: either way nothing comes back.
            self.close_connection = True

    def _ask(self, caller: Caller, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.server.accounts.answer(caller, operation, request)
        except TypeError as problem:
            # An argument is missing, or is not one of this call's.
            raise invalid(str(problem)) from problem

    def _put_stacks(self, rows: list[dict[str, Any]]) -> list[str]:
        return [self.server.accounts.put_stack(**row) for row in rows]

    def _behave(self, fields: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {
            name: tuple(each) if isinstance(each, list) else each for name, each in fields.items()
        }
        self.server.accounts.behave(Behaviour(**values))
        return fields

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """The call log says it all."""


@contextlib.contextmanager
def serving(seed: int = 1, behaviour: Behaviour | None = None) -> Iterator[Server]:
    """Serve from a thread of this process while the block runs."""
    with Server(Accounts(time.time, seed, behaviour)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description="CloudFormation in memory, for measuring and for breaking.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resource-seconds", type=float, nargs=2, default=(5.0, 5.0), metavar=("LEAST", "MOST"))
    given = parser.parse_args()
    least, most = given.resource_seconds
    with Server(Accounts(time.time, given.seed, Behaviour(resource_seconds=(least, most))), given.port) as server:
        sys.stdout.write(f"The model listens at {server.url}\n")
        sys.stdout.flush()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
