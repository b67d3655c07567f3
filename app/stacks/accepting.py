"""Accepted requests of the API: 202 with stack and job, and the same answer for the same Idempotency-Key."""

from collections.abc import Callable
from typing import Any

from flask import Response, json, request
from pydantic import Field

from app import db
from app.api import PREFIX, Body, Document
from app.errors import Conflict, Invalid
from app.identity.current import me
from app.jobs.models import Job
from app.stacks import requests
from app.stacks.documents import accepted
from app.stacks.models import Stack
from app.stacks.requests import Request


class RepeatableHeaders(Document):
    """The header by which a request may be sent again without doing anything twice."""

    idempotency_key: str | None = Field(
        None,
        min_length=1,
        max_length=255,
        pattern="^[ -~]+$",
        description="Any text of your own, such as a UUID. The same key with the same content gets the same answer.",
        examples=["7f0c4c2e-launch-orders-queue"],
    )


def asked(headers: RepeatableHeaders, body: Body | None = None) -> Request:
    """Return who asks and under which key; the digest covers what was asked for and where."""
    content = body.model_dump(mode="json") if body else None
    digest = requests.digest_of([request.method, request.path, content])
    return Request(me, via="api", key=headers.idempotency_key, digest=digest if headers.idempotency_key else None)


def accept(request: Request, act: Callable[[], tuple[Stack, Job]]) -> Response:
    """Do it and commit, or answer as the first time when it was done under this key already.

    Raises Conflict when the key was used for something else, and whatever `act` refuses.
    """
    job = requests.find_repeated(request) or _begin(request, act)
    return _answer(job.answer or {})


def _begin(request: Request, act: Callable[[], tuple[Stack, Job]]) -> Job:
    try:
        stack, job = act()
    except (Conflict, Invalid):
        # The same request may have arrived twice at once; the one that came second finds what the first one did.
        db.session.rollback()
        repeated = requests.find_repeated(request)
        if repeated is None:
            raise
        return repeated
    job.answer = accepted(stack, job).model_dump(mode="json")
    db.session.commit()
    return job


def _answer(document: dict[str, Any]) -> Response:
    response = Response(json.dumps(document), 202, mimetype="application/json")
    response.headers["Location"] = f"{PREFIX}/jobs/{document['job']['id']}"
    return response
