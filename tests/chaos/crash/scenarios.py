"""What is played: every kind of job, in every way it usually ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.chaos.crash.phases import Asks, Happens, Phase, Play, Tends, Works
from tests.chaos.crash.stage import SECRET

SLOW_SECONDS = 0.6
BROKEN = {"logical_id": "Broken", "reason": "The maximum number of topics is reached."}
SLOW = {"logical_id": "Slow", "seconds": SLOW_SECONDS}
# A change can be turned back only while it is under way, however often its worker is killed meanwhile.
SLOW_CHANGE = {"logical_id": "Vault", "operation": "update", "seconds": 3 * SLOW_SECONDS}
FAILING_CHANGE = {"logical_id": "Label", "operation": "update", "reason": "Too many versions.", "times": 1}
# And a way back that gets stuck once.
STUCK = (FAILING_CHANGE, {"logical_id": "Vault", "operation": "rollback", "reason": "Try later.", "times": 1})


@dataclass(frozen=True)
class Scenario:
    """What happens before, undisturbed; what is disturbed; and how job and stack stand at the end in any case.

    `late`: how they may stand instead where so much time was lost that somebody's wish to cancel came too late.
    """

    name: str
    before: tuple[Phase, ...]
    phases: tuple[Phase, ...]
    job: str
    stack: str
    faults: tuple[Mapping[str, Any], ...] = ()
    late: tuple[str, str] | None = None

    def may_end(self, ends: tuple[str, str]) -> bool:
        return ends in ((self.job, self.stack), self.late)


def launch(kind: str = "plain", environment: str = "payments-staging") -> Asks:
    """Ask for a stack of this kind."""
    answers = {"Kind": kind, "Password": SECRET}
    body = {"template": "sqs-queue", "environment": environment, "name": "{stack name}", "parameters": answers}
    return Asks("launch", "POST", "/stacks", body)


def update(confirm: bool = False, op: str = "update") -> Asks:
    """Ask for a change that is another each time it is played."""
    return Asks(op, "POST", "/stacks/{stack}/updates", {"parameters": {"Colour": "{op}"}, "confirm": confirm})


NO_UPDATE = Asks("update", "POST", "/stacks/{stack}/updates", {"parameters": {}, "confirm": True})
RETRY = Asks("retry", "POST", "/stacks/{stack}/retries", {"parameters": {"Kind": "plain", "Password": SECRET}})
DELETE = Asks("delete", "DELETE", "/stacks/{stack}")
CONFIRM = Asks("confirm", "POST", "/plans/{plan}/confirmation", {})
CANCEL = Asks("cancel", "POST", "/jobs/{job}/cancellation")
UNPROTECT = Asks("unprotect", "PATCH", "/stacks/{stack}", {"protected": False})
CREATES, UPDATES, DELETES = Works("create"), Works("update"), Works("delete")
READY = (launch(), CREATES)


def _vanish(play: Play) -> None:
    """Somebody deletes the stack past the portal."""
    client = play.stage.cloud.client()
    name = next(each for each in play.stage.cloud.named_like("") if each.startswith(f"{play.name}-"))
    client.delete_stack(StackName=name)
    while name in play.stage.cloud.named_like(""):
        pass


def _unheard(play: Play) -> None:
    """The next request for a plan does not get through, so nobody can tell for a while whether it did."""
    play.stage.proxy.faults.once("CreateChangeSet", "expired")


SCENARIOS = (
    Scenario("launch", (), READY, "succeeded", "ready"),
    Scenario("launch-fails", (), (launch("broken"), CREATES), "failed", "failed", (BROKEN,)),
    Scenario("launch-of-nothing", (), (launch("empty"), CREATES), "failed", "failed"),
    Scenario("update", READY, (update(), UPDATES, CONFIRM, UPDATES), "succeeded", "ready"),
    Scenario("update-in-advance", READY, (update(True), UPDATES), "succeeded", "ready"),
    Scenario("update-of-nothing", READY, (NO_UPDATE, UPDATES), "succeeded", "ready"),
    Scenario("update-fails", READY, (update(True), UPDATES), "failed", "tainted", (FAILING_CHANGE,)),
    Scenario(
        "update-after-stuck", (*READY, update(True, "stuck"), UPDATES), (update(True), UPDATES),
        "succeeded", "ready", STUCK,
    ),
    Scenario("delete", READY, (DELETE, DELETES), "succeeded", "deleted"),
    Scenario(
        "delete-protected", (), (launch(environment="payments-sandbox"), CREATES, UNPROTECT, DELETE, DELETES),
        "succeeded", "deleted",
    ),
    Scenario("cancel-at-once", (), (launch(), Works("create", "check"), CANCEL, CREATES), "cancelled", "deleted"),
    Scenario(
        "cancel-unheard", (), (launch(), Happens(_unheard), Works("create", "plan"), CANCEL, CREATES),
        "cancelled", "deleted",
    ),
    Scenario("cancel-early", (), (launch(), Works("create", "plan"), CANCEL, CREATES), "cancelled", "deleted"),
    Scenario(
        "cancel-late", (), (launch("slow"), Works("create", "follow"), CANCEL, CREATES),
        "cancelled", "deleted", (SLOW,), ("succeeded", "ready"),
    ),
    Scenario(
        "launch-watched", (), (launch("slow"), Works("create", "follow"), Tends(), CREATES),
        "succeeded", "ready", (SLOW,),
    ),
    Scenario("withdraw-plan", READY, (update(), UPDATES, CANCEL, UPDATES), "cancelled", "ready"),
    Scenario(
        "cancel-update", READY, (update(True), Works("update", "follow"), CANCEL, UPDATES),
        "cancelled", "ready", (SLOW_CHANGE,), ("succeeded", "ready"),
    ),
    Scenario("cancel-deletion", READY, (DELETE, CANCEL, DELETES), "cancelled", "ready"),
    Scenario("retry", (launch("broken"), CREATES), (RETRY, CREATES), "succeeded", "ready", (BROKEN,)),
    Scenario("update-of-lost", (*READY, Happens(_vanish)), (update(True), UPDATES), "failed", "lost"),
)  # fmt: skip
