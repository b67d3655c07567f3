"""Every call to the cloud leaves a line in the log, beside the job and the request it was made for."""

import time
from typing import Any

from app.logs import log

# What only looks is asked all day: its lines are for whoever turns the level down.
_LOOKS = ("Describe", "Detect", "Get", "List", "Validate")


def noted(client: Any) -> Any:
    """Return the client; from now on each of its calls writes what was asked, the answer's id and how long it took."""
    client.meta.events.register("before-call", _begin)
    client.meta.events.register("after-call", _answered)
    client.meta.events.register("after-call-error", _not_answered)
    return client


def _begin(context: dict[str, Any], **kwargs: Any) -> None:
    context["slipway_began"] = time.monotonic()


def _answered(model: Any, parsed: dict[str, Any], context: dict[str, Any], **kwargs: Any) -> None:
    said = parsed.get("ResponseMetadata", {})
    write = log.debug if model.name.startswith(_LOOKS) else log.info
    write(
        "cloud_call",
        service=model.service_model.service_name,
        operation=model.name,
        status=said.get("HTTPStatusCode"),
        error=parsed.get("Error", {}).get("Code"),
        cloud_request_id=said.get("RequestId"),
        ms=_ms(context),
    )


def _not_answered(exception: Exception, context: dict[str, Any], **kwargs: Any) -> None:
    log.warning("cloud_silent", error=type(exception).__name__, ms=_ms(context))


def _ms(context: dict[str, Any]) -> float | None:
    began = context.get("slipway_began")
    return round((time.monotonic() - began) * 1000, 1) if began is not None else None
