"""How jobs and workers stand when Prometheus asks. Each number costs what is under way, not what ever ran."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy.exc import SQLAlchemyError

from app import db
from app.jobs import queue
from app.jobs.history import ended_by_kind
from app.jobs.queue import Part
from app.logs import log
from app.stacks.orphans import count_orphans
from app.stacks.sightings import count_unseen


class Standing:
    """What the database knows at this moment; where it does not answer, only that it does not."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = [*_jobs(), *_ended(), *_workers(), *_places()]
        except SQLAlchemyError as error:
            log.warning("numbers_incomplete", error=type(error).__name__)
            db.session.rollback()
            found = []
        yield _gauge("slipway_database_up", "1 while the database answers.", 1 if found else 0)
        yield from found


def _jobs() -> Iterator[Metric]:
    standing, at = queue.standing(), queue.now()
    jobs = GaugeMetricFamily("slipway_jobs", "Unfinished jobs by status.", labels=["status"])
    for status, count in standing.by_status.items():
        jobs.add_metric([status], count)
    yield jobs
    parts = GaugeMetricFamily("slipway_queue_jobs", "Unfinished jobs by part of the queue.", labels=["part"])
    for part, count in standing.by_part.items():
        parts.add_metric([part], count)
    yield parts
    oldest = _seconds(standing.since.get(Part.DUE), at)
    yield _gauge("slipway_queue_oldest_due_seconds", "How long the job that is due for longest has been due.", oldest)
    yield _gauge("slipway_queue_stuck_jobs", "Jobs due for over a minute that nobody took.", standing.stuck)
    yield _gauge("slipway_leases_lost", "Leases that ran out on their worker, jobs not taken over yet.", standing.lost)
    yield _gauge("slipway_job_attempts_most", "Highest count of attempts of an unfinished job.", standing.most_attempts)
    asking = queue.asking_in_vain()
    yield _gauge("slipway_jobs_asking_again", "Jobs whose cloud did not answer; they ask again.", asking)


def _ended() -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "slipway_jobs_ended", "Jobs that ended, cancelled ones apart.", labels=["kind", "status"]
    )
    for kind, outcomes in ended_by_kind().items():
        ended.add_metric([kind, "succeeded"], outcomes.succeeded)
        ended.add_metric([kind, "failed"], outcomes.failed)
    yield ended


def _workers() -> Iterator[Metric]:
    at = queue.now()
    known = queue.list_workers(at)
    silent = sum(worker.is_silent for worker in known)
    yield _gauge("slipway_workers", "Workers that are seen.", len(known) - silent)
    yield _gauge("slipway_workers_silent", "Workers that ended without a word, or hang.", silent)
    waiting, oldest = queue.wake_ups()
    yield _gauge("slipway_wake_ups_waiting", "Wake-ups not acted on yet.", waiting)
    yield _gauge("slipway_wake_ups_oldest_seconds", "Age of the oldest of them.", _seconds(oldest, at))


def _places() -> Iterator[Metric]:
    yield _gauge("slipway_orphans", "Stacks in the cloud nobody here knows.", count_orphans())
    yield _gauge("slipway_places_unseen", "Places that could not be compared.", count_unseen())


def _gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, meaning, value=value)


def _seconds(since: datetime | None, at: datetime) -> float:
    return max(0.0, (at - since).total_seconds()) if since else 0.0
