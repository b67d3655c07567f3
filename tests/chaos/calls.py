"""What was asked of the cloud, written down by the proxy before it: the portal has no part in this record."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Call:
    """One call: who asked for what, what came back to the caller, and whether the cloud did it.

    `t` is the machine's monotonic clock when the call arrived. `stack` and `change_set` are what the caller wrote, name
    or id; `stack_id` is the stack meant, as far as earlier answers tell. `outcome` is ok, an error code or unanswered.
    """

    t: float
    service: str
    operation: str
    account: str
    region: str
    stack: str = ""
    stack_id: str = ""
    change_set: str = ""
    change_set_type: str = ""
    token: str = ""
    tag_ref: str = ""
    outcome: str = UNANSWERED
    happened: bool = False
    fault: str = ""


class CallLog:
    """An append-only list of calls that is also a file of one JSON object per line."""

    def __init__(self, file: Path):
        self.calls: list[Call] = []
        self._output = file.open("a", encoding="utf-8")

    def add(self, call: Call, outcome: str = UNANSWERED, *, happened: bool = False, stack_id: str = "") -> None:
        """Write down a call that is over, and how it ended."""
        call = replace(call, outcome=outcome, happened=happened, stack_id=stack_id or call.stack_id)
        self.calls.append(call)
        self._output.write(json.dumps(asdict(call)) + "\n")
        self._output.flush()

    def close(self) -> None:
        self._output.close()


def read_calls(file: Path) -> list[Call]:
    """Read a log back, in the order in which the calls arrived."""
    calls = [Call(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    return sorted(calls, key=lambda call: call.t)


def tag_ref_of(form: Mapping[str, str]) -> str:
    """Return the value of the tag `slipway:stack` in a request, or nothing."""
    for key, value in form.items():
        if key.startswith("Tags.member.") and key.endswith(".Key") and value == "slipway:stack":
            return form.get(key[: -len("Key")] + "Value", "")
    return ""
