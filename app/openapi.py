"""The description of the API: OpenAPI 3.1, made from the routes and completed here."""

import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from apiflask import APIFlask
from pydantic import BaseModel, Field

View = TypeVar("View", bound=Callable[..., Any])

ABOUT = """\
Everything the pages do, for scripts. Send a token with each request: `Authorization: Bearer slw_…`; create one with
`./slipway token create` or on the page *Sessions and tokens*.

Collections answer `{"items": […], "next": …}`; send `next` as `after` to get the next part. Writes that take time
answer 202 with a job; follow it at `/api/v1/jobs/{job_id}`. Errors are problem documents (RFC 9457) whose `errors` name
the fields at fault.
"""


class FieldAtFault(BaseModel):
    """One thing that is wrong, by the name of the field the caller sent it in."""

    field: str = Field(examples=["parameters.VisibilityTimeoutSeconds"])
    message: str


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="One sentence for the person reading.")
    instance: str
    request_id: str = Field(description="Name it when asking for help: the log knows it.")
    errors: list[FieldAtFault] = Field([], description="Each field at fault.")
    job: str = Field("", description="The job that is in the way, if that is why.")
    who: str = Field("", description="Who can permit it, if that is why.")


_MEANINGS = {
    "400": "The document is not JSON.",
    "401": "There is no token, or it is not good any more.",
    "403": "The person may not do this; `who` says who can change that.",
    "404": "It does not exist, or the person may not see it.",
    "409": "Something is in the way; `detail` says what, `job` which job.",
    "413": "The document is too large.",
    "415": "The document does not call itself JSON.",
    "422": "Something sent is not acceptable; `errors` names each field.",
    "503": "The database or the cloud does not answer; nothing was changed.",
}
_ALWAYS = ("401", "503")
_OF_BODIES = ("400", "413", "415", "422")

_PATH_PARAMETERS = {
    "stack_id": ("Id of a stack.", "stk_7Q2F8K3M"),
    "job_id": ("Id of a job.", "job_51HZ0D9T"),
    "plan_id": ("Id of a plan.", "pln_8WM2X4CA"),
    "slug": ("Slug: the name in addresses.", "sqs-queue"),
    "number": ("Number of a version.", "1.1.0"),
}


def init_app(app: APIFlask) -> None:
    """Describe the API as a whole and complete what the routes say of themselves."""
    app.description = ABOUT
    app.servers = [{"url": app.extensions["config"]["PUBLIC_URL"].rstrip("/"), "description": "This installation"}]
    app.config.update(
        AUTO_200_RESPONSE=False,
        AUTO_404_RESPONSE=False,
        AUTO_VALIDATION_ERROR_RESPONSE=False,
        AUTO_AUTH_ERROR_RESPONSE=False,
        SECURITY_SCHEMES={"token": {"type": "http", "scheme": "bearer", "description": "A token of a person."}},
    )
    for endpoint, view in app.view_functions.items():
        if endpoint.startswith("api_"):
            view.__dict__["_spec"]["operation_id"] = view.__name__
    app.spec_processor(complete)  # type: ignore[arg-type]  # text only when YAML is asked for


def refuses(*statuses: int) -> Callable[[View], View]:
    """Say with which further statuses a route may refuse; what follows from its shape is known anyway."""

    def note(view: View) -> View:
        view.__dict__.setdefault("_spec", {})["extensions"] = {"x-refuses": statuses}
        return view

    return note


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return the description with plain schema names, problem answers, security and words for every path parameter."""
    document = _with_plain_names(document)
    document["components"]["schemas"] |= _problem_schemas()
    document["security"] = [{"token": []}]
    for operation in _operations(document):
        _complete_operation(operation)
    return document


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _complete_operation(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        _complete_parameter(parameter)
    if "requestBody" in operation:
        operation["requestBody"]["required"] = True
    if accepted := operation["responses"].get("202"):
        accepted["description"] = "It has begun; follow the job."
        accepted["headers"] = {"Location": {"schema": {"type": "string"}, "description": "Address of the job."}}
    for status in sorted(_statuses(operation)):
        operation["responses"][status] = _problem(status)


def _statuses(operation: dict[str, Any]) -> set[str]:
    """Return how an operation may refuse: what its shape tells, and what its route adds."""
    found = {*_ALWAYS, *(str(status) for status in operation.pop("x-refuses", []))}
    places = {parameter["in"] for parameter in operation.get("parameters", [])}
    if "path" in places:
        found.add("404")
    if places & {"query", "header"}:
        found.add("422")
    return found | set(_OF_BODIES) if "requestBody" in operation else found


def _complete_parameter(parameter: dict[str, Any]) -> None:
    schema = parameter["schema"]
    if "anyOf" in schema:
        # A parameter that is not sent is not null.
        [only] = [each for each in schema.pop("anyOf") if each != {"type": "null"}]
        schema |= only
        schema.pop("default", None)
    schema.pop("title", None)
    if "description" in schema:
        parameter["description"] = schema.pop("description")
    if parameter["in"] == "header":
        parameter["name"] = parameter["name"].title()
    if parameter["in"] == "path":
        parameter["description"], parameter["example"] = _PATH_PARAMETERS[parameter["name"]]


def _problem(status: str) -> dict[str, Any]:
    reference = {"$ref": "#/components/schemas/ProblemDocument"}
    answer: dict[str, Any] = {
        "description": _MEANINGS[status],
        "content": {"application/problem+json": {"schema": reference}},
    }
    if status == "401":
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "How to come back."}}
    return answer


def _problem_schemas() -> dict[str, Any]:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    return schema.pop("$defs") | {"ProblemDocument": schema}


def _with_plain_names(document: dict[str, Any]) -> dict[str, Any]:
    """Name nested schemas once: APIFlask repeats each under every schema that uses it, as `Outer.Inner`."""
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name.rpartition(".")[2]: schema for name, schema in sorted(schemas.items())}
    return _renamed(document)


def _renamed(part: Any) -> Any:
    if isinstance(part, list):
        return [_renamed(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {key: _plain(value) if key == "$ref" else _renamed(value) for key, value in part.items()}


def _plain(reference: str) -> str:
    return re.sub(r"(#/components/schemas/)(?:[^/]*\.)?([^./]+)$", r"\1\2", reference)
