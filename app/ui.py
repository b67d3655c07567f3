"""What pages need beside their own data: icons, statuses, words for times and numbers, addresses of the same page."""

import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Flask, flash, redirect, request
from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from app import clock, words
from app.lanes import lane_clock
from app.status import look

ICONS = Path(__file__).resolve().parent.parent / "static" / "vendor" / "tabler-icons"
THEMES = ("light", "dark", "system")
# Names of query arguments that say where in a list one is: they start anew when the list itself changes.
PLACES = ("page", "after", "before")

_SHAPE = re.compile(r"<(?:path|circle|rect|line|ellipse|polyline)\b[^>]*/>")
_CANVAS = 'd="M0 0h24v24H0z"'

bp = Blueprint("ui", __name__)


def init_app(app: Flask, bytecode: Path | None = None) -> None:
    """Give templates their globals and filters; compiled ones are kept in `bytecode`, so that a restart is quick."""
    env = app.jinja_env
    env.globals.update(
        icon=icon, glyph=glyph, look=look, page_url=page_url, toggle_url=toggle_url, lane_clock=lane_clock
    )
    env.filters.update(
        age=age, short_age=short_age, attrs=attrs, hue=hue, duration=words.duration, eta_range=words.eta_range,
        number=words.number, share=words.share, plural=words.plural, moment=words.moment, day=words.day,
        time_of_day=words.time_of_day, short_id=words.short_id,
    )  # fmt: skip
    env.trim_blocks = env.lstrip_blocks = True
    if bytecode is not None:
        bytecode.mkdir(parents=True, exist_ok=True)
        env.bytecode_cache = FileSystemBytecodeCache(str(bytecode))
    app.context_processor(preferences)
    app.register_blueprint(bp)


def glyph(name: str) -> Markup:
    """Return the icon a template chose for itself, or the stack's when we do not ship that one: it comes from data."""
    return icon(name if name in _shipped() else "stack-2")


@lru_cache(maxsize=1)
def _shipped() -> frozenset[str]:
    return frozenset(file.stem for file in (ICONS / "outline").glob("*.svg"))


@lru_cache(maxsize=1024)
def icon(
    name: str, size: str | None = None, filled: bool = False, spin: bool = False, label: str | None = None
) -> Markup:
    """Return a Tabler icon as inline SVG: hidden from screen readers beside a word, named by `label` where it is alone.

    `size` is None (16 px), "s" or "l". Raises FileNotFoundError for an icon we do not ship.
    """
    text = (ICONS / ("filled" if filled else "outline") / f"{name}.svg").read_text()
    shapes = "".join(shape for shape in _SHAPE.findall(text) if _CANVAS not in shape).replace(" />", "/>")
    flags = "".join((" data-filled" * filled, f' data-size="{size}"' if size else "", " data-spin" * spin))
    named = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return Markup(f'<svg class="icon"{flags} viewBox="0 0 24 24" {named}>{shapes}</svg>')  # noqa: S704 - our own files


def age(at: datetime | None, stale: bool = False, as_said: str | None = None) -> Markup:
    """Say when something was, in small print with the exact moment one pointer away; `as_said` replaces the words."""
    if at is None:
        return Markup('<span class="age">never</span>')
    said = escape(as_said or words.age(at, clock.now()))
    flag = " data-stale" if stale else ""
    # Written by hand, since a long list prints hundreds of these.
    day, second = at.isoformat(" ", "seconds")[:19].split(" ")
    return Markup(  # noqa: S704 - dates and escaped words
        f'<time class="age"{flag} datetime="{day}T{second}Z" title="{day} {second} UTC">{said}</time>'
    )


def short_age(at: datetime) -> Markup:
    """Say how old something is where "ago" goes without saying, as in a timeline."""
    return age(at, as_said=words.age(at, clock.now()).removesuffix(" ago"))


def attrs(given: Mapping[str, object]) -> Markup:
    """Write attributes for a tag: `hx_post="/x"` becomes hx-post, True stands alone, None and False leave it out.

    Names with a colon are passed as they are: `**{"hx-status:422": "…"}`.
    """
    parts = [
        escape(name.rstrip("_").replace("_", "-")) + ("" if value is True else Markup('="{}"').format(value))
        for name, value in given.items()
        if value is not None and value is not False
    ]
    return Markup("".join(" " + part for part in parts))  # noqa: S704 - each part is escaped above


@lru_cache(maxsize=1024)
def hue(name: str) -> str:
    """Return the hue of a team's square. A checksum, since Python's own hash differs between processes."""
    # These two bits of it give the demo's three teams three hues; any others would be as good.
    return "cabd"[(zlib.crc32(name.encode()) >> 9) % 4]


def page_url(**changes: object) -> str:
    """Return this page's address with some arguments changed; None takes one out, a list gives several.

    Going anywhere but to another page of the list starts the list anew.
    """
    arguments = MultiDict(request.args)
    if not set(changes) & set(PLACES):
        changes |= dict.fromkeys(PLACES)
    for name, value in changes.items():
        values = value if isinstance(value, (list, tuple)) else [] if value is None else [value]
        arguments.setlist(name, [str(each) for each in values])
    return _address(request.path, list(arguments.items(multi=True)))


def toggle_url(name: str, value: str) -> str:
    """Return this page's address with one value of an argument added, or taken off when it is there."""
    return _toggled(request.path, request.query_string.decode(errors="replace"), name, value)


@lru_cache(maxsize=1024)
def _toggled(path: str, query: str, name: str, value: str) -> str:
    # A page with facets has dozens of these, and most are those of the last page.
    given = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in PLACES]
    kept = [pair for pair in given if pair != (name, value)]
    return _address(path, kept if len(kept) < len(given) else [*given, (name, value)])


def _address(path: str, arguments: Sequence[tuple[str, str]]) -> str:
    query = urlencode(arguments)
    return f"{path}?{query}" if query else path


def announce(words: str, undo: tuple[str, dict[str, str]] | None = None) -> None:
    """Say on the next page what just happened; `undo` is where to post which fields to take it back."""
    flash({"words": words, "undo": undo})  # type: ignore[arg-type]  # kept as JSON with the session, not as a string


def preferences() -> dict[str, object]:
    """Tell pages what this browser asked for: the theme, and whether single keys are wanted."""
    theme = request.cookies.get("theme", "system")
    return {"theme": theme if theme in THEMES else "system", "keys": request.cookies.get("keys", "on")}


@bp.post("/preferences")
def keep_preferences() -> Response:
    """Remember the theme or the keys for a browser without script, and go back to the page."""
    answer = redirect(_came_from(), 303)
    for name, allowed in (("theme", THEMES), ("keys", ("on", "off"))):
        if request.form.get(name) in allowed:
            answer.set_cookie(name, request.form[name], max_age=31536000, samesite="Lax")
    return answer


def _came_from() -> str:
    # Only the path is taken, and only of our own pages: the header is input.
    referrer = request.referrer or ""
    return "/" + referrer.removeprefix(request.host_url).lstrip("/") if referrer.startswith(request.host_url) else "/"
