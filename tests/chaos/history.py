"""What a client of the portal asked for and heard back: written by the driver of a run, never by the portal."""

import json
import os
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

OUTCOMES = ("sent", "ok", "fail", "unknown")


@dataclass(frozen=True)
class Entry:
    """One moment of one request: `key` is its idempotency key, `ref` the stack's and `job` the job's where known.

    An outcome is `sent` before the request leaves, then `ok` (accepted), `fail` (refused, nothing was done) or
    `unknown` (no answer, or one that does not tell).
    """

    t: float
    op: str
    key: str
    ref: str
    outcome: str
    job: str = ""


class History:
    """An append-only file that a crash of anything but the disk leaves whole. May be shared by threads."""

    def __init__(self, file: Path):
        self.file = file
        self._lock = threading.Lock()
        self._output = file.open("a", encoding="utf-8")

    def append(self, op: str, key: str, outcome: str, ref: str = "", job: str = "") -> Entry:
        """Write one moment down, on the disk before this returns."""
        if outcome not in OUTCOMES:
            raise ValueError(f"An outcome is one of {', '.join(OUTCOMES)}, not {outcome}.")
        with self._lock:
            entry = Entry(time.monotonic(), op, key, ref, outcome, job)
            self._output.write(json.dumps(asdict(entry)) + "\n")
            self._output.flush()
            os.fsync(self._output.fileno())
        return entry

    def read(self) -> list[Entry]:
        return read_history(self.file)

    def close(self) -> None:
        self._output.close()


def read_history(file: Path) -> list[Entry]:
    """Read a history back. A last line that was cut short never counted."""
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [Entry(**json.loads(line)) for line in lines]


@dataclass(frozen=True)
class Request:
    """All moments of one key together: what the client may count on."""

    op: str
    key: str
    outcome: str
    ref: str
    job: str


def requests_of(entries: Iterable[Entry]) -> list[Request]:
    """Return each key once: ok if it was ever accepted, unknown while any attempt may have got through, else fail."""
    by_key: dict[str, list[Entry]] = {}
    for entry in entries:
        by_key.setdefault(entry.key, []).append(entry)
    return [_together(moments) for moments in by_key.values()]


def _together(moments: list[Entry]) -> Request:
    accepted = next((each for each in moments if each.outcome == "ok"), None)
    answered = sum(each.outcome != "sent" for each in moments)
    refused = sum(each.outcome == "fail" for each in moments)
    sent = sum(each.outcome == "sent" for each in moments)
    outcome = "ok" if accepted else "fail" if refused and refused == answered >= sent else "unknown"
    shown = accepted or moments[-1]
    return Request(moments[0].op, moments[0].key, outcome, shown.ref, shown.job)
