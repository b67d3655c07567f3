"""Clients of the JSON API: each says honestly whether it knows what became of a request."""

import http.client
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.history import History

NO_ANSWER = 0
# A server that sees the same key twice at once asks for it again.
_ASK_AGAIN = "arrived twice at once"


@dataclass(frozen=True)
class Answer:
    """What came back: a status, 0 where nothing did, the document if it was one, and how long it took."""

    status: int
    document: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0

    @property
    def outcome(self) -> str:
        """In the words of the history: only a clear yes or no counts as one."""
        if self.status == 202:
            return "ok"
        is_clear = 400 <= self.status < 500 and _ASK_AGAIN not in self.document.get("detail", "")
        return "fail" if is_clear else "unknown"


class Client:
    """Asks the portal at `url`, each request on a connection of its own. May be shared by threads."""

    def __init__(self, url: str, token: str, timeout: float = 20):
        self.port, self.token, self.timeout = int(url.rsplit(":", 1)[1]), token, timeout

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Answer:
        """Ask once; whatever goes wrong on the way is no answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "Connection": "close"}
        if key:
            headers["Idempotency-Key"] = key
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            return Answer(response.status, _document(response.read()), time.monotonic() - began)
        except (OSError, http.client.HTTPException):
            return Answer(NO_ANSWER, seconds=time.monotonic() - began)
        finally:
            connection.close()


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {"items": found}


class Driver:
    """Asks until it knows: a request whose answer is lost is sent again under its key, and all of it written down."""

    def __init__(self, client: Client, history: History, seed: int, patience: float = 120):
        self.client, self.history, self.patience = client, history, patience
        self.chance = random.Random(seed)
        self.statuses: dict[int, int] = {}

    def launch(self, name: str) -> Answer:
        """Launch a queue of this name; the name is the key too."""
        body = {"template": "sqs-queue", "environment": "payments-staging", "name": name}
        return self.insist("launch", "POST", "/api/v1/stacks", body, name)

    def insist(self, op: str, method: str, path: str, body: Any, key: str) -> Answer:
        """Send a request until it is answered clearly, or until patience ends."""
        until = time.monotonic() + self.patience
        while True:
            self.history.append(op, key, "sent")
            answer = self.client.ask(method, path, body, key)
            self.statuses[answer.status] = self.statuses.get(answer.status, 0) + 1
            self.history.append(op, key, answer.outcome, _ref(answer, "stack"), _ref(answer, "job"))
            if answer.outcome != "unknown" or time.monotonic() > until:
                return answer
            time.sleep(self.chance.uniform(0.2, 0.8))


def _ref(answer: Answer, what: str) -> str:
    return answer.document.get(what, {}).get("id", "") if answer.outcome == "ok" else ""
