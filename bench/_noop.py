"""A worker that knows one more kind of job, which does nothing: `celery -A bench._noop worker`."""

from app.jobs.flows import register
from app.worker import celery, flask_app
from bench._noop_flow import FLOW

__all__ = ["celery", "flask_app"]

register(FLOW)
