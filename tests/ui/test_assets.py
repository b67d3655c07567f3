import gzip
import hashlib
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import assets

STATIC = assets.STATIC
CSS = sorted((STATIC / "css").glob("*.css"))


def _address(app: Flask, name: str) -> str:
    with app.test_request_context():
        return assets.asset_url(name)


def test_the_stylesheet_is_one_file_that_browsers_may_keep(look_app: Flask, look_client: FlaskClient) -> None:
    answer = look_client.get(_address(look_app, "slipway.css"))
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"@import" not in answer.data


def test_the_layers_come_first_and_every_file_stands_in_its_own(look_app: Flask, look_client: FlaskClient) -> None:
    text = look_client.get(_address(look_app, "slipway.css")).text
    assert text.startswith("@layer base, layout, component, utility;")
    listed = re.findall(r'@import url\("(.+?)"\)', (STATIC / "css" / "slipway.css").read_text())
    assert sorted([*listed, "slipway.css"]) == [file.name for file in CSS]
    assert text.count("\n@layer ") == len(listed)


@pytest.mark.parametrize("file", CSS, ids=lambda file: file.name)
def test_a_stylesheet_closes_what_it_opens(file: Path) -> None:
    # One brace too few would swallow every file after it into its own rule.
    text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL)
    assert text.count("{") == text.count("}")


def test_it_is_packed_for_those_who_can_unpack(look_app: Flask, look_client: FlaskClient) -> None:
    plain = look_client.get(_address(look_app, "slipway.css"))
    packed = look_client.get(_address(look_app, "slipway.css"), headers={"Accept-Encoding": "br, gzip"})
    refused = look_client.get(_address(look_app, "slipway.css"), headers={"Accept-Encoding": "gzip;q=0"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data == refused.data
    assert "Accept-Encoding" in packed.headers["Vary"]
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_the_font_the_stylesheet_asks_for_is_there(look_app: Flask, look_client: FlaskClient) -> None:
    text = look_client.get(_address(look_app, "slipway.css")).text
    (path,) = re.findall(r'url\("(.+?)"\)', text)
    answer = look_client.get("/static/" + path)
    assert answer.mimetype == "font/woff2"
    assert "immutable" in answer.headers["Cache-Control"]


def test_a_page_from_before_a_deploy_gets_the_file_but_may_not_keep_it(look_client: FlaskClient) -> None:
    answer = look_client.get("/static/slipway.000000000000.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["nothing.css", "../app/ui.py", "css/tokens.css", "vendor/tabler-icons/LICENSE"])
def test_nothing_else_is_served(look_client: FlaskClient, path: str) -> None:
    assert look_client.get("/static/" + path).status_code == 404


def test_the_address_follows_the_content(tmp_path: Path) -> None:
    (tmp_path / "slipway.css").write_text('@layer base;\n@import url("a.css") layer(base);\n')
    (tmp_path / "a.css").write_text("a { color: red; }")
    before = assets._asset("slipway.css", assets.join_stylesheets(tmp_path, {}).encode())
    (tmp_path / "a.css").write_text("a { color: blue; }")
    after = assets._asset("slipway.css", assets.join_stylesheets(tmp_path, {}).encode())
    assert before.path != after.path


def test_a_browser_that_guesses_finds_the_icon(look_client: FlaskClient) -> None:
    assert look_client.get("/favicon.ico", follow_redirects=True).mimetype == "image/svg+xml"


def test_an_app_that_would_hide_our_files_is_refused() -> None:
    with pytest.raises(RuntimeError, match="static_folder=None"):
        assets.init_app(Flask("slipway", static_folder="static", root_path=str(STATIC.parent)))


def test_styles_and_scripts_together_stay_small(look_app: Flask, look_client: FlaskClient) -> None:
    names = ("slipway.css", "slipway.js", "vendor/htmx.min.js")
    packed = {"Accept-Encoding": "gzip"}
    sizes = {name: len(look_client.get(_address(look_app, name), headers=packed).data) for name in names}
    assert sum(sizes.values()) < 60_000, sizes


def test_vendored_files_are_what_their_readme_says() -> None:
    readme = (STATIC / "vendor" / "README.md").read_text()
    for name in ("htmx.min.js", "inter-latin-wght-normal.woff2"):
        assert _sum((STATIC / "vendor" / name).read_bytes()) in readme
    icons = STATIC / "vendor" / "tabler-icons"
    paths = sorted(f"./{file.relative_to(icons)}" for file in icons.rglob("*.svg"))
    listing = "".join(f"{_sum((icons / path).read_bytes())}  {path}\n" for path in paths)
    assert _sum(listing.encode()) in readme


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
