"""Who asks: `me`, and the rule that nobody passes unless signed in or the route says it is open to all."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, g, redirect, request
from werkzeug.local import LocalProxy
from werkzeug.wrappers import Response as BaseResponse

from app.errors import Forbidden, SignInNeeded
from app.identity import policy, sessions, tokens
from app.identity.models import Person

# Everything else needs somebody. Kept as rules of the URL map, not as paths: what is matched is what is checked.
OPEN_RULES = frozenset(
    {
        "/sign-in",
        "/sign-in/start",
        "/sign-in/callback",
        "/healthz",
        "/readyz",
        "/metrics",
        "/favicon.ico",
        "/api/v1/openapi.json",
    }
)
OPEN_PREFIXES = ("/static/",)


@dataclass(frozen=True)
class Shown:
    """What pages print of the person asking. Not the row: an error page must not need the database."""

    id: int
    username: str
    name: str
    initial: str
    role_line: str
    may_operate: bool


def init_app(app: Flask) -> None:
    app.before_request(need_somebody)
    app.before_request(need_our_own_page)
    app.context_processor(show_me)


def find_me() -> Person | None:
    """Return the person asking, read once per request; pages ask the session, the JSON API the bearer token."""
    if "me" not in g:
        g.me = _find_by_token() if _is_api() else _find_by_session()
        g.me_shown = shown(g.me) if g.me else None
    return g.me


me: Person = LocalProxy(find_me)  # type: ignore[assignment]  # a proxy stands for the person


def shown(person: Person) -> Shown:
    """Return what pages print of a person."""
    return Shown(
        id=person.id,
        username=person.username,
        name=person.name,
        initial=person.name[:1].upper(),
        role_line=policy.role_line(person),
        may_operate=bool(policy.may_operate(person)),
    )


def show_me() -> dict[str, Any]:
    return {"me": g.get("me_shown")}


def need_somebody() -> BaseResponse | None:
    """Send away whoever is not signed in, unless the route is open to all. What does not exist is not open either."""
    if _is_open() or find_me() is not None:
        return None
    if _is_api():
        raise SignInNeeded("Send a token: Authorization: Bearer slw_… Create one on the page Sessions and tokens.")
    return _to_sign_in()


def need_our_own_page() -> None:
    """Refuse a form that another site sends, whatever token it carries: browsers say where a request comes from."""
    is_form = request.method not in ("GET", "HEAD", "OPTIONS") and not _is_api()
    if is_form and request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("This form was sent from another site. Open the page here and try again.")


def is_local(path: str | None) -> bool:
    """Say whether this is a path of ours and of nobody else, so that following it cannot leave the portal."""
    if not path or not path.startswith("/") or path.startswith("//"):
        return False
    # Browsers drop tabs and line breaks inside an address and read "\\" as "/": "/\t/evil" is "//evil" to them.
    return not any(ord(character) < 32 or character == "\\" for character in path)


def _is_open() -> bool:
    rule = request.url_rule.rule if request.url_rule else ""
    return rule in OPEN_RULES or rule.startswith(OPEN_PREFIXES)


def _is_api() -> bool:
    return request.path.startswith("/api/")


def _find_by_session() -> Person | None:
    row = sessions.current().row
    return row.person if row else None


def _find_by_token() -> Person | None:
    return tokens.find_person(request.headers.get("Authorization"))


def _to_sign_in() -> BaseResponse:
    page = _page_asked_for()
    address = "/sign-in" + ("?" + urlencode({"next": page}) if page != "/" else "")
    if request.headers.get("HX-Request"):
        return Response(status=401, headers={"HX-Redirect": address})
    return redirect(address, 303)


def _page_asked_for() -> str:
    """Return the page to come back to: neither a fragment nor a form's target can be opened as one."""
    if request.headers.get("HX-Request") or request.method not in ("GET", "HEAD"):
        return "/"
    path = request.full_path.rstrip("?")
    return path if is_local(path) else "/"
