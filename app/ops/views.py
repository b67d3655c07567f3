"""The three addresses for machines."""

import ipaddress
from typing import Any

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import SignInNeeded
from app.identity import tokens
from app.identity.models import Role
from app.ops import metrics, readiness

bp = Blueprint("ops", __name__)


@bp.get("/healthz")
def healthz() -> dict[str, str]:
    """Say that the process lives; asks nothing of anybody else."""
    return {"status": "alive"}


@bp.get("/readyz")
def readyz() -> tuple[dict[str, str], int]:
    """Say whether pages can be answered, and what is missing."""
    found = readiness.look()
    return found, 200 if found["status"] == "ready" else 503


@bp.get("/metrics")
def show_metrics() -> Any:
    """Give the numbers to this machine itself and to administrators."""
    if not (_from_this_machine() or _by_administrator()):
        raise SignInNeeded("The numbers are for this machine and for administrators: Authorization: Bearer slw_…")
    return Response(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _from_this_machine() -> bool:
    # Behind a proxy on this machine everybody seems to come from here.
    passed_on = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP"))
    return not passed_on and ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - not bound


def _by_administrator() -> bool:
    person = tokens.find_person(request.headers.get("Authorization"))
    return person is not None and any(grant.role == Role.ADMIN for grant in person.grants)
