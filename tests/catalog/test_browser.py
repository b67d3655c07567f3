"""What a person notices in a browser: searching without losing one's place, and pages everyone can read."""

import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app import db
from app.catalog.loading import load
from app.identity import sessions
from app.jobs.lifecycle import JobStatus
from app.stacks.lifecycle import StackStatus

pytestmark = pytest.mark.browser

SHIPPED = Path(__file__).resolve().parents[2] / "catalog"
CHROMIUM = os.environ.get("SLIPWAY_CHROMIUM") or "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("No Chromium here: install the package chromium, or name one in SLIPWAY_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def address(app, make, tmp_path) -> Iterator[str]:
    """A portal one can open: some shipped templates, a stack in trouble, a failed launch."""
    make.team("platform")
    for slug in ("sqs-queue", "rds-postgres", "s3-bucket"):
        shutil.copytree(SHIPPED / "templates" / slug, tmp_path / "catalog" / "templates" / slug)
    load(tmp_path / "catalog")
    make.job(make.stack(version=make.version("1.1"), status=StackStatus.FAILED), status=JobStatus.FAILED, failure={})
    make.stack(version=make.version("1.1"))
    make.environment("sandbox")
    db.session.commit()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def cookie(app, make, address) -> dict[str, str]:
    token = sessions.begin(make.person("dana"))
    db.session.commit()
    return {"name": sessions.cookie_name(app.extensions["config"]), "value": token, "url": address}


def window(chromium: Browser, address: str, cookie: dict[str, str], **options) -> tuple[BrowserContext, Page]:
    context = chromium.new_context(base_url=address, reduced_motion="reduce", **options)
    context.add_cookies([cookie])  # type: ignore[list-item]  # a plain mapping is what it takes
    return context, context.new_page()


def test_searching_keeps_the_field_the_address_and_the_way_back(chromium, address, cookie):
    context, page = window(chromium, address, cookie)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto("/catalog")
    field, cards = page.get_by_label("Search the catalog"), page.locator(".template-card h3")
    expect(cards).to_have_count(3)
    field.press_sequentially("bucket", delay=30)
    expect(cards.first).to_have_text("s3-bucket")
    expect(page).to_have_url(re.compile(r"/catalog\?q=bucket$"))
    # The field was not replaced: it still has the focus, and what is typed next belongs to the same search.
    expect(field).to_be_focused()
    field.press_sequentially(" kafka")
    expect(page.locator(".empty")).to_contain_text("No template matches “bucket kafka”")
    expect(page.locator("#catalog-tools")).to_contain_text("0 templates")
    expect(page.locator(".facets a")).to_have_count(0)
    page.goto("/catalog?category=Databases")
    page.get_by_label("Search the catalog").press_sequentially("postgres")
    expect(page).to_have_url(re.compile(r"category=Databases"))
    expect(page).to_have_url(re.compile(r"q=postgres"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/catalog\?category=Databases$"))
    expect(page.get_by_label("Search the catalog")).to_have_value("")
    context.close()
    assert complaints == []


def test_without_script_the_search_is_a_form(chromium, address, cookie):
    context, page = window(chromium, address, cookie, java_script_enabled=False)
    page.goto("/catalog?owner=platform")
    page.get_by_label("Search the catalog").fill("queue")
    page.get_by_label("Search the catalog").press("Enter")
    assert page.url.endswith("/catalog?owner=platform&q=queue")
    assert page.locator(".template-card h3").first.text_content() == "sqs-queue"
    context.close()


PAGES = (
    "/catalog",
    "/catalog?q=nothing-like-it",
    "/catalog/sqs-queue",
    "/catalog/rds-postgres?version=1.0",
    "/catalog/rds-postgres?tab=versions",
    "/catalog/rds-postgres?tab=parameters",
    "/catalog/sqs-queue?tab=failures",
    "/catalog/sqs-queue?tab=source",
    "/catalog/sqs-queue/diff/1.0/1.1",
    "/environments",
    "/environments/payments-staging",
    "/environments/sandbox",
)


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_axe_finds_nothing_and_no_page_scrolls_sideways(chromium, address, cookie, width, scheme):
    context, page = window(chromium, address, cookie, viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in PAGES:
        page.goto(path)
        found = Axe().run(page).response["violations"]
        assert [(path, each["id"], each["nodes"][0]["html"]) for each in found] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
