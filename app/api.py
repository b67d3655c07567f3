"""What every JSON route shares: how a request is read and refused, and how collections are paged."""

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Generic, TypeVar, cast

from apiflask import APIBlueprint, APIFlask, HTTPError
from flask import Flask, current_app, request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from app import db, openapi
from app.errors import Invalid, NotFound
from app.web import csrf

Item = TypeVar("Item")
Row = TypeVar("Row")

PREFIX = "/api/v1"
MOST = 200
LARGEST_ID = 2**63 - 1


class Document(BaseModel):
    """Something the API answers."""


class Sent(BaseModel):
    """Something sent to the API, without a field that nobody reads."""

    model_config = ConfigDict(extra="forbid")
    kinds: ClassVar[dict[str, type["Sent"]]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        Sent.kinds[cls.__name__] = cls


class Body(Sent):
    """A JSON document, its types as they are."""

    model_config = ConfigDict(strict=True)


class Query(Sent):
    """What stands behind the question mark, where everything is text."""


class Paging(Query):
    """Which part of a collection is asked for."""

    limit: int = Field(50, ge=1, le=MOST, description="How many items at most.")
    after: str = Field(
        "",
        max_length=500,
        pattern="^[A-Za-z0-9_-]*$",
        description="The `next` of the page before; empty for the first page.",
    )


class Page(Document, Generic[Item]):
    """One part of a collection."""

    items: list[Item]
    next: str | None = Field(description="Send it as `after` to get the next part; null when there is none.")


def several(values: Iterable[str]) -> str:
    """Return the pattern of one or more of the values, separated by commas."""
    one = "(" + "|".join(dict.fromkeys(values)) + ")"
    return f"^({one}(,{one})*)?$"


def split(values: str) -> tuple[str, ...]:
    """Return what was separated by commas."""
    return tuple(value.strip() for value in values.split(",") if value.strip())


def blueprint(name: str, about: str) -> APIBlueprint:
    """Return the blueprint of a feature's JSON routes; `about` explains it in the API's description."""
    bp = APIBlueprint(f"api_{name}", __name__, url_prefix=PREFIX, tag={"name": name, "description": about})
    bp.before_request(check_request)
    return bp


def init_app(app: Flask, blueprints: Iterable[APIBlueprint]) -> None:
    """Register the JSON routes. They ask for a token and never look at a cookie, so they need no form's token."""
    app.register_error_handler(HTTPError, _refused)
    # A document reads best in the order its author gave it.
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's default provider
    for bp in blueprints:
        csrf.exempt(bp)
        app.register_blueprint(bp)
    openapi.init_app(cast(APIFlask, app))


def check_request() -> None:
    """Refuse what no route could read, naming the part at fault, before the route looks at it."""
    if any(not _is_plain(value) for value in (request.view_args or {}).values()):
        raise NotFound
    for name, values in request.args.lists():
        if len(values) > 1:
            raise Invalid("This is given more than once; separate several values with commas.", field=name)
        _refuse_strange_text(values[0], name)
    if "body" in getattr(current_app.view_functions[request.endpoint or ""], "_spec", {}):
        _check_body()


def _check_body() -> None:
    if not request.is_json:
        raise UnsupportedMediaType("Send a JSON document, with the header Content-Type: application/json.")
    try:
        document = json.loads(request.get_data(), parse_constant=_refuse_constant)
        if not isinstance(document, dict):
            raise Invalid("The document has to be an object: { … }.", field="body")
        for name, value in document.items():
            _refuse_strange_text(value, name)
    except json.JSONDecodeError as error:
        sentence = f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}."
        raise BadRequest(sentence) from error
    except UnicodeDecodeError as error:
        raise BadRequest("This is not JSON: it is not UTF-8 text.") from error
    except RecursionError as error:
        raise BadRequest("This is nested too deeply.") from error
    except ValueError as error:
        raise BadRequest(f"This is not JSON: {error}") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number.")


def _refuse_strange_text(value: Any, field: str) -> None:
    """Refuse what no database keeps: null characters, halves of characters, numbers beyond all bounds."""
    if isinstance(value, dict):
        for name, each in value.items():
            _refuse_strange_text(name, field)
            _refuse_strange_text(each, f"{field}.{name}")
    elif isinstance(value, list):
        for each in value:
            _refuse_strange_text(each, field)
    elif (isinstance(value, str) and not _is_plain(value)) or (isinstance(value, float) and not math.isfinite(value)):
        raise Invalid("This holds a character or number that cannot be kept.", field=field)


def _is_plain(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


# What pydantic calls a mistake, and what to do about it.
_SENTENCES = {
    "missing": "This is needed.",
    "string_type": "This has to be text.",
    "bool_type": "This has to be true or false.",
    "dict_type": "This has to be an object: { … }.",
    "int_parsing": "This has to be a whole number.",
}


def _refused(error: HTTPError) -> Any:
    """Tell every field at fault by the name the caller gave it."""
    cause = error.__cause__
    if not isinstance(cause, ValidationError):
        raise error
    [location] = error.detail
    fields: dict[str, list[str]] = {}
    for mistake in cause.errors(include_url=False):
        fields.setdefault(_field(mistake["loc"], location), []).append(_sentence(mistake, cause))
    problem = Invalid("What was sent is not acceptable: " + ", ".join(fields) + ".", errors=fields)
    return current_app.handle_user_exception(problem)


def _field(place: tuple[int | str, ...], location: str) -> str:
    name = ".".join(str(part) for part in place) or "body"
    return "-".join(part.capitalize() for part in name.split("_")) if location == "headers" else name


def _sentence(mistake: Mapping[str, Any], cause: ValidationError) -> str:
    if mistake["type"] == "extra_forbidden":
        return "There is no field of this name here." + _hint(str(mistake["loc"][-1]), cause.title)
    if mistake["type"] == "value_error":
        return str(mistake["ctx"]["error"])
    return _SENTENCES.get(mistake["type"]) or mistake["msg"].replace("Input should", "This should") + "."


def _hint(name: str, model: str) -> str:
    close = get_close_matches(name, Sent.kinds[model].model_fields, n=1)
    return f" Did you mean {close[0]}?" if close else ""


def page_of(
    query: Select[Row], key: InstrumentedAttribute[Any], asked: Paging, *, newest_first: bool = False
) -> tuple[list[Row], str | None]:
    """Return one page of the query's rows in the order of `key`, and the cursor of the next page.

    The key is unique and never changes, so a walk meets every row once, whatever is added meanwhile.
    """
    if asked.after:
        last = _place(asked.after, key.type.python_type)
        query = query.where(key < last if newest_first else key > last)
    ordered = query.order_by(key.desc() if newest_first else key).limit(asked.limit + 1)
    rows: list[Row] = list(db.session.scalars(ordered))
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return rows, _cursor(getattr(rows[-1], key.key)) if more else None


def _cursor(value: int | str) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _place(cursor: str, kind: type) -> Any:
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        value = None
    if not (_is_id(value) if kind is int else _is_name(value)):
        raise Invalid("This is no cursor of this collection; take the `next` of the page before.", field="after")
    return value


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_ID


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and _is_plain(value)


def _as_answer(value: Any) -> str | list[str]:
    """Take an answer to a parameter as CloudFormation would read it: true and 5 are text in the end."""
    if isinstance(value, list) and all(_is_scalar(each) for each in value):
        return [_as_text(each) for each in value]
    if not _is_scalar(value):
        raise ValueError("This has to be text, a number, true or false, or a list of these.")
    return _as_text(value)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | bool | int | float)


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_SCALAR = {"type": ["string", "number", "boolean"]}
Answer = Annotated[
    str | list[str],
    BeforeValidator(_as_answer),
    WithJsonSchema({"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}),
]
