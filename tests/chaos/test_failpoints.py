"""Whatever changes something outside passes a failpoint at which it was killed: a new side effect without one fails."""

from pathlib import Path

import pytest

from app.failpoints import Failpoints, Injected
from app.jobs.flows import Deed, Note
from app.stacks import effects, noting, performing
from tests.chaos.crash.cases import PLACES
from tests.chaos.effects_found import (
    cloud_writes,
    commits,
    effects_performed,
    failpoints_in,
    messages,
    sources,
    uses_of,
)

pytestmark = pytest.mark.chaos

ROOT = Path(__file__).resolve().parents[2]
PERFORMING = "app/stacks/performing.py"
# What a request commits passes the failpoints of the session itself, in app/db.py.
OF_REQUESTS = ("views.py", "api.py", "accepting.py", "cli.py", "account.py")
# Commits that need no failpoint: what each writes is written again in its next round, or changes when and not what.
HARMLESS = {
    "app/jobs/duties.py:give_back": "a duty that is not given back is taken over when its lease has run out",
    "app/jobs/duties.py:leave": "as above",
    "app/jobs/engine.py:Worker.heartbeat": "a lease that is not renewed runs out",
    "app/jobs/retention.py:Round.in_batches": "what was not forgotten is found again in the next round",
    "app/jobs/retention.py:forget_workers": "as above",
    "app/jobs/stalled.py:revive": "one statement, which finds nothing once it was done",
    "app/jobs/workers.py:note_alive": "the worker says so again at its next heartbeat",
    "app/jobs/workers.py:note_gone": "a worker that ended without a word is forgotten after an hour",
    "app/stacks/adopting.py:adopt": "one transaction, guarded by the unique ref; the cloud is only read",
    "app/stacks/orphans.py:_keep": "what was seen is seen again in the next round",
    "app/stacks/orphans.py:_settle": "as above",
    "app/stacks/reconciling.py:_lose": "one guarded transition with its entry; the next round finds what it left",
    "app/stacks/reconciling.py:_note_move": "as above",
    "app/stacks/reconciling.py:_note_same": "a moment somebody reads; the next round notes a later one",
    "app/stacks/retention.py:_forget_durations": "what was not forgotten is found again in the next round",
    "app/stacks/sightings.py:_note": "a moment somebody reads; the next round notes a later one",
    "app/stacks/upkeep.py:fold_tally": "one transaction, whose sums are the same before and after",
    "app/stacks/watching.py:_note_seen": "a moment somebody reads; the next round notes a later one",
    "app/stacks/watching.py:wake": "a job that is not woken is seen to have news in the next round",
}
# Every module below these is looked at; what stands elsewhere has no part in a job.
ENGINE = ("app/jobs/", "app/stacks/")


@pytest.fixture(scope="module")
def modules() -> dict[str, str]:
    return sources(ROOT)


@pytest.fixture(scope="module")
def places() -> list[str]:
    return PLACES.read_text().split()


def names_of(kind: type) -> dict[str, type]:
    found = [each for each in vars(effects).values() if isinstance(each, type) and issubclass(each, kind)]
    return {each.__name__: each for each in found if each is not kind}


def last_words(places: list[str]) -> set[str]:
    return {place.rpartition("/")[2] for place in places}


def unguarded_commits(modules: dict[str, str]) -> list[str]:
    """Return where the engine commits without a failpoint and without a reason."""
    found = {each.place for each in commits(modules) if each.module.startswith(ENGINE)}
    return sorted(
        place
        for place in found - HARMLESS.keys()
        if not place.partition(":")[0].endswith(OF_REQUESTS) and not failpoints_in(modules, place)
    )


def unguarded_writes(modules: dict[str, str]) -> list[str]:
    """Return what reaches the cloud otherwise than through a deed."""
    found = cloud_writes(modules)
    elsewhere = [each.place for each in found if each.module != "app/aws/cloudformation.py"]
    names = {each.function for each in found}
    elsewhere += sorted(uses_of(modules, names) - {PERFORMING})
    performed = effects_performed(modules, PERFORMING)
    return elsewhere + [name for name, used in performed.items() if used & names and name not in names_of(Deed)]


def test_only_deeds_change_the_cloud(modules: dict[str, str]) -> None:
    assert len(cloud_writes(modules)) >= 7
    assert unguarded_writes(modules) == []


@pytest.mark.parametrize("name", names_of(Deed))
def test_each_deed_was_killed(name: str, places: list[str]) -> None:
    deed = names_of(Deed)[name]
    assert deed in performing._ask.registry
    assert deed.name.fget(deed.__new__(deed)) in last_words(places)


@pytest.mark.parametrize("name", names_of(Note))
def test_each_note_was_killed(name: str, places: list[str]) -> None:
    kind = names_of(Note)[name]
    assert kind in noting.note.registry
    assert kind.name.fget(kind.__new__(kind)) in last_words(places)


@pytest.mark.parametrize(
    "word",
    ["intent", "rest", "hold", "end_succeeded", "end_failed", "end_cancelled", "claim", "commit", "send", "take"],
)
def test_each_kind_of_write_was_killed(word: str, places: list[str]) -> None:
    assert word in last_words(places)


def test_every_commit_passes_a_failpoint(modules: dict[str, str]) -> None:
    assert unguarded_commits(modules) == []
    assert {"request/commit/before", "request/commit/after"} <= {
        name for function in ("_say_before_commit", "_say_after_commit")
        for name in failpoints_in(modules, f"app/db.py:{function}")
    }  # fmt: skip


def test_no_reason_outlives_its_commit(modules: dict[str, str]) -> None:
    assert HARMLESS.keys() <= {each.place for each in commits(modules)}


def test_every_message_passes_a_failpoint(modules: dict[str, str]) -> None:
    assert [each.place for each in messages(modules)] == ["app/jobs/outbox.py:send"]
    assert failpoints_in(modules, "app/jobs/outbox.py:send") == [
        "outbox/send/before",
        "outbox/send/effect",
        "outbox/send/after",
    ]


def test_two_rules_for_one_place_count_for_themselves() -> None:
    points = Failpoints({"FAILPOINTS": "claim/after:1:raise,claim/after:3:raise"})
    met = []
    for _ in range(4):
        try:
            points.reach("claim/after")
            met.append("passed")
        except Injected:
            met.append("raised")
    assert met == ["raised", "passed", "raised", "passed"]


def test_a_new_side_effect_without_a_failpoint_is_found(modules: dict[str, str]) -> None:
    """What somebody might add tomorrow."""
    hasty = "def tidy(client, session):\n    client.delete_stack(StackName='x')\n    session.commit()\n"
    assert unguarded_writes(modules | {"app/stacks/hasty.py": hasty}) == ["app/stacks/hasty.py:tidy"]
    assert unguarded_commits(modules | {"app/stacks/hasty.py": hasty}) == ["app/stacks/hasty.py:tidy"]
    past = "from app.aws import cloudformation as cfn\n\n\ndef go(client):\n    cfn.delete_stack(client, 'x', 'y')\n"
    assert unguarded_writes(modules | {"app/stacks/past.py": past}) == ["app/stacks/past.py"]
    looking = (
        modules[PERFORMING] + "\n\n@_ask.register\ndef _(effect: effects.FindStack, s):\n    cfn.protect(s, '', True)\n"
    )
    assert unguarded_writes(modules | {PERFORMING: looking}) == ["FindStack"]
    sending = "def hurry(celery):\n    celery.send_task('jobs.run')\n"
    assert len(messages(modules | {"app/jobs/hasty.py": sending})) == 2
