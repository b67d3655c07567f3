"""The portal's numbers in Prometheus' form: requests as they come, jobs as they stand when asked."""

import os
import time
from collections.abc import Iterator

from flask import Flask, Response, g, request
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import func, select

from app import db
from app.jobs.lifecycle import JobStatus
from app.jobs.models import Job, Outbox
from app.jobs.workers import workers_seen
from app.stacks.orphans import count_orphans
from app.stacks.sightings import count_unseen

REQUESTS = Counter("slipway_requests", "Requests answered.", ("method", "route", "status"))
SECONDS = Histogram(
    "slipway_request_seconds",
    "Time to answer a request.",
    ("route",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)


def init_app(app: Flask) -> None:
    app.after_request(_count)


def _count(response: Response) -> Response:
    # The rule, not the path: numbers by stack would be as many as there are stacks.
    route = request.url_rule.rule if request.url_rule else "none"
    REQUESTS.labels(request.method, route, response.status_code).inc()
    if "started" in g:
        SECONDS.labels(route).observe(time.perf_counter() - g.started)
    return response


def exposition() -> bytes:
    """Return all numbers as text: this process's requests, or those of every web process if they keep files."""
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    counted = generate_latest(registry if "PROMETHEUS_MULTIPROC_DIR" in os.environ else REGISTRY)
    standing = CollectorRegistry()
    standing.register(Standing())
    return counted + generate_latest(standing)


class Standing:
    """What the database knows at this moment."""

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("slipway_jobs", "Jobs by status.", labels=["status"])
        counted = dict(db.session.execute(select(Job.status, func.count()).group_by(Job.status)).all())
        for status in JobStatus:
            jobs.add_metric([status], counted.get(status, 0))
        yield jobs
        waiting = db.session.scalar(select(func.count()).select_from(Outbox)) or 0
        yield GaugeMetricFamily("slipway_orphans", "Stacks in the cloud nobody here knows.", value=count_orphans())
        yield GaugeMetricFamily("slipway_places_unseen", "Places that could not be compared.", value=count_unseen())
        yield GaugeMetricFamily("slipway_wake_ups_waiting", "Wake-ups not acted on yet.", value=waiting)
        yield GaugeMetricFamily("slipway_workers", "Workers seen in the last half minute.", value=workers_seen())
