"""T1: launches under kills of everything. None may be lost, doubled or stuck."""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from tests.chaos.cloud_faults import Faults
from tests.chaos.storm.client import Driver
from tests.chaos.storm.installation import Installation
from tests.chaos.storm.kills import Storm, blows

# A few of a hundred calls to the cloud go wrong besides, in the ways that are hardest to tell apart from success.
CLOUD_FAULTS = {"*": {"throttle": 0.03, "error": 0.02, "execute_then_fail": 0.03, "reset": 0.01}}
STUCK_AFTER = 60
DRIVERS = 8


def run(database: str, launches: int = 1000, kills: int = 200, seed: int = 1, pause: float = 2.5) -> dict[str, Any]:
    """Send the launches while the kills fall, wait for quiet, and judge. Returns the figures."""
    with Installation(database, seed=seed, faults=Faults(seed, CLOUD_FAULTS, hang_seconds=5)) as it:
        it.start_all()
        began = time.monotonic()
        storm = Storm(it.members, blows(it), seed, kills, pause)
        driver = Driver(it.client, it.history, seed)
        with ThreadPoolExecutor(DRIVERS) as pool:
            sent = [pool.submit(_launch, driver, number, storm, number / launches) for number in range(launches)]
            storm.run(until=lambda: all(each.done() for each in sent))
        settled = settle(it, storm)
        return figures(it, storm, driver, sent) | {
            "seconds": round(time.monotonic() - began, 1),
            "settled_s": settled,
        }


def _launch(driver: Driver, number: int, storm: Storm, share: float) -> str:
    """Send the launch once so much of the storm is over: the last ones leave with the last kills."""
    while storm.progress < share:
        time.sleep(0.1)
    return driver.launch(f"storm-{number:04}").outcome


def settle(it: Installation, storm: Storm, seconds: float = STUCK_AFTER) -> float:
    """Wait until no job moves any more, as long as a job may; return the seconds since the last fault."""
    until = storm.last_blow_at + seconds
    over = threading.Event()
    while time.monotonic() < until and not over.is_set():
        storm.tend()
        if it.unfinished() == 0:
            over.set()
        over.wait(0.2)
    return round(time.monotonic() - storm.last_blow_at, 1)


def figures(it: Installation, storm: Storm, driver: Driver, sent: list[Future[str]]) -> dict[str, Any]:
    """Return what was found, beginning with what must be zero."""
    found = it.violations()
    outcomes = [each.result() for each in sent]
    return {
        "violations": len(found),
        "found": [f"{each.invariant} {each.sentence}" for each in found[:5]],
        "stuck": it.unfinished(),
        "unanswered": outcomes.count("unknown"),
        "refused": outcomes.count("fail"),
        "launches": outcomes.count("ok"),
        "jobs": it.jobs_by_status(),
        "kills": dict(storm.struck),
        "restarts": storm.restarts.total(),
        "answers": {str(status): count for status, count in sorted(driver.statuses.items())},
        "cloud_calls": len(it.proxy.calls),
        "cloud_faults": sum(bool(call.fault) for call in it.proxy.calls),
    }
