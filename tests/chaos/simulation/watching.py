"""The watch over stacks that move: `app.stacks.watching`, in memory, by one worker at a time."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.aws.errors import CloudProblem, translated
from app.jobs.lifecycle import RUNNABLE
from app.stacks.lifecycle import MEANINGS
from app.stacks.watching import CLOSER_LOOKS
from tests.chaos.simulation.rows import Job

if TYPE_CHECKING:
    from tests.chaos.model.client import Client
    from tests.chaos.simulation.scheduler import Simulation

_MOVING = [status for status in MEANINGS if status.endswith("_IN_PROGRESS")]


def watch(sim: "Simulation") -> None:
    """Look once at everything that moves, and wake the jobs that have news; some others for a closer look."""
    sim.is_watched = False
    watched = [job for job in sim.world.jobs if job.watch_key and job.status in RUNNABLE and job.lease_owner is None]
    watchers = [worker for worker in sim.workers if not worker.is_down and worker.stopped_until <= sim.now]
    if watched and watchers and not watchers[0].is_cut():
        moving = _ids_of_moving(sim)
        others = [job for job in watched if moving is None or job.watch_key in moving]
        closer = [job for job in others if not _is_urgent(sim, job)][:CLOSER_LOOKS]
        for job in watched:
            if job not in others or job in closer or _is_urgent(sim, job):
                job.next_run_at = sim.now
                sim.look_at_job(job)
    if watched:
        begin(sim)


def begin(sim: "Simulation") -> None:
    """Have somebody look after a while, if nobody is about to."""
    if not sim.is_watched:
        sim.is_watched = True
        sim.later(sim.pace * sim.rng.random(), lambda: watch(sim))


def _is_urgent(sim: "Simulation", job: Job) -> bool:
    return job.cancel_requested_at is not None or job.deadline_at < sim.now


def _ids_of_moving(sim: "Simulation") -> set[str] | None:
    try:
        return {each["StackId"] for each in _pages(sim.cloud.client("watch"))}
    except CloudProblem:
        sim.cover("watch", "blind")
        return None


def _pages(client: "Client") -> Iterator[Any]:
    request: dict[str, Any] = {"StackStatusFilter": _MOVING}
    with translated():
        while True:
            page = client.list_stacks(**request)
            yield from page["StackSummaries"]
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]
