"""Stylesheets, scripts, font and icon: read once at start, addressed by their content, cached by browsers for ever."""

import gzip
import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, redirect, request
from werkzeug.wrappers import Response as BaseResponse

STATIC = Path(__file__).resolve().parent.parent / "static"
PREFIX = "/static/"
FOR_EVER = "public, max-age=31536000, immutable"
SERVED = (
    "vendor/icon.svg",
    "vendor/inter-latin-wght-normal.woff2",
    "vendor/htmx.min.js",
    "js/slipway.js",
)

_IMPORT = re.compile(r'@import url\("(?P<file>[^"]+)"\) layer\((?P<layer>\w+)\);')
_LAYERS = re.compile(r"@layer [\w, ]+;")
_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)
_URL = re.compile(r'url\("\.\./(?P<file>[^"]+)"\)')
_HASHED = re.compile(r"\.[0-9a-f]{12}(?=\.\w+$)")

bp = Blueprint("assets", __name__)


@dataclass(frozen=True)
class Asset:
    """One file as it is served: under `path`, plain or packed."""

    path: str
    mimetype: str
    body: bytes
    packed: bytes | None


def init_app(app: Flask) -> None:
    """Read every asset, serve them under /static/ and give templates `asset_url`.

    The app must be made with `static_folder=None`; Flask's own route would hide ours.
    """
    if app.has_static_folder:
        raise RuntimeError("Make the app with static_folder=None: app/assets.py serves /static/.")
    app.extensions["assets"] = dict(_read(STATIC))
    app.register_blueprint(bp)
    app.add_template_global(asset_url)


def asset_url(name: str) -> str:
    """Return the address of an asset, which changes whenever its content does. Raises KeyError for an unknown name."""
    return PREFIX + current_app.extensions["assets"][name].path


@bp.get(PREFIX + "<path:path>")
def show(path: str) -> Response:
    """Answer with the file.

    A page from before a deploy asks for an older hash: it gets today's file, but is told not to keep it.
    """
    asset = current_app.extensions["assets"].get(_HASHED.sub("", path))
    if asset is None:
        abort(404)
    response = Response(_body(asset), mimetype=asset.mimetype)
    if response.content_length != len(asset.body):
        response.content_encoding = "gzip"
    if asset.packed:
        response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = FOR_EVER if path == asset.path else "no-cache"
    return response


@bp.get("/favicon.ico")
def favicon() -> BaseResponse:
    """Send browsers that guess the icon's address to the real one."""
    return redirect(asset_url("vendor/icon.svg"), 302)


def _body(asset: Asset) -> bytes:
    return asset.packed if asset.packed and request.accept_encodings.quality("gzip") > 0 else asset.body


def _read(root: Path) -> Iterator[tuple[str, Asset]]:
    paths = {}
    for file in SERVED:
        asset = _asset(file.removeprefix("js/"), (root / file).read_bytes())
        paths[file] = asset.path
        yield file.removeprefix("js/"), asset
    yield "slipway.css", _asset("slipway.css", join_stylesheets(root / "css", paths).encode())


def _asset(name: str, body: bytes) -> Asset:
    stem, dot, suffix = name.rpartition(".")
    path = f"{stem}.{hashlib.sha256(body).hexdigest()[:12]}{dot}{suffix}"
    # The time stays out of the header, so that the same content packs to the same bytes on every machine.
    packed = gzip.compress(body, 9, mtime=0)
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Asset(path, mimetype, body, packed if len(packed) < len(body) * 0.9 else None)


def join_stylesheets(folder: Path, paths: dict[str, str]) -> str:
    """Return the one stylesheet that slipway.css describes: its layer order, then each file wrapped in its layer.

    Addresses of the font and its like point to the hashed files in `paths`.
    """
    index = (folder / "slipway.css").read_text()
    order = _LAYERS.search(index)
    if order is None:
        raise ValueError("slipway.css must begin by naming its layers")
    parts = [order[0]]
    for found in _IMPORT.finditer(index):
        rules = _COMMENT.sub("", (folder / found["file"]).read_text()).strip()
        parts.append(f"@layer {found['layer']} {{\n{rules}\n}}")
    return _URL.sub(lambda found: f'url("{paths[found["file"]]}")', "\n".join(parts)) + "\n"
