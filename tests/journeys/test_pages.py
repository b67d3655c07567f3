"""Every page, light, dark and on a phone: nothing serious for axe, nothing wider than the window, no complaint."""

import re
from collections.abc import Callable, Collection

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.journeys.people import launch, plan_change, wait_until

pytestmark = pytest.mark.browser

# What is asked for by programs, not by people; and what answers with no page of its own.
NO_PAGES = {
    "/favicon.ico",
    "/healthz",
    "/readyz",
    "/metrics",
    "/static/<path:path>",
    "/catalog/<slug>/versions/<number>/body",
    "/sign-in/start",
    "/sign-in/callback",
}
# Which visits show a page of the URL map. A page that is not here fails the test below.
VISITS = {
    "/": ("/",),
    "/account": ("/account",),
    "/catalog": ("/catalog", "/catalog?q=nothing-is-called-that"),
    "/catalog/<slug>": (
        "/catalog/sqs-queue",
        "/catalog/rds-postgres?tab=parameters",
        "/catalog/rds-postgres?tab=source",
    ),
    "/catalog/<slug>/diff/<before>/<after>": ("/catalog/rds-postgres/diff/1.1/2.0",),
    "/catalog/<slug>/launch": ("/catalog/rds-postgres/launch?version=1.1", "/catalog/sqs-queue/launch"),
    "/environments": ("/environments",),
    "/environments/<slug>": ("/environments/sandbox", "/environments/payments-prod"),
    "/jobs": ("/jobs", "/jobs?status=needs_attention"),
    "/jobs/<ref>": ("{job}", "{failed_job}"),
    "/jobs/<ref>/give-up": ("{job}/give-up",),
    "/operations": ("/operations", "/operations?part=due", "/operations?tab=workers"),
    "/operations/orphans": ("/operations/orphans",),
    "/patterns": ("/patterns",),
    "/plans/<ref>": ("{plan}",),
    "/search": ("/search", "/search?q=queue", "/search?q=nothing-is-called-that"),
    "/sign-in": ("/sign-in",),
    "/stacks": ("/stacks", "/stacks?q=nothing-is-called-that"),
    "/stacks/<ref>": (
        "{ready}",
        *(f"{{ready}}?tab={tab}" for tab in ("resources", "jobs", "events", "answers")),
        "{failed}",
        "{deleted}",
        "/stacks/stk_NOBODY",
    ),
    "/stacks/<ref>/delete": ("{ready}/delete",),
    "/stacks/<ref>/retries/new": ("{failed}/retries/new",),
    "/stacks/<ref>/updates/new": ("{other}/updates/new",),
}
OPERATED = ("/operations", "/operations/orphans", "/jobs/<ref>/give-up")
LOOKS = ((1440, "light"), (1440, "dark"), (390, "light"))


def test_every_page_of_the_url_map_is_visited(app) -> None:
    pages = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and not rule.rule.startswith("/api/") and rule.rule not in NO_PAGES
    }
    assert pages == set(VISITS)


@pytest.fixture(scope="module")
def places(visit_for_module: Callable[..., Page]) -> dict[str, str]:
    """Addresses of stacks in each state, and of their jobs and plans."""
    page = visit_for_module("dana")
    found = {name: launch(page, "sqs-queue", name) for name in ("pages-ready", "pages-broken", "pages-other")}
    addresses = {"ready": found["pages-ready"], "failed": found["pages-broken"], "other": found["pages-other"]}
    addresses["deleted"] = launch(page, "secret", "pages-gone")
    delete(page, "pages-gone")
    for address, word in (
        (addresses["failed"], "Failed"),
        (addresses["other"], "Ready"),
        (addresses["ready"], "Ready"),
    ):
        page.goto(address)
        wait_until(page, word)
    plan_change(page, addresses["ready"], "Seconds a worker has for one message", "90")
    addresses["plan"] = page.url
    addresses |= {"job": job_of(page, addresses["other"]), "failed_job": job_of(page, addresses["failed"])}
    return {name: re.sub(r"^https?://[^/]+", "", address) for name, address in addresses.items()}


def delete(page: Page, name: str) -> None:
    wait_until(page, "Ready")
    page.goto(f"{page.url}/delete")
    page.get_by_label(f"Type {name}").fill(name)
    page.get_by_role("button", name=f"Delete {name}").click()
    wait_until(page, "Deleted")


def job_of(page: Page, address: str) -> str:
    page.goto(f"{address}?tab=jobs")
    return page.locator('[aria-label="Jobs"] tbody th a').last.get_attribute("href") or ""


def test_axe_finds_nothing_serious_on_any_page(visit, places: dict[str, str]) -> None:
    wrong = faults_on(visit("dana", reduced_motion="reduce"), places, VISITS)
    # What is only for those who run the platform, and was refused above.
    wrong |= faults_on(visit("petra", reduced_motion="reduce"), places, OPERATED)
    assert wrong == {}


def faults_on(page: Page, places: dict[str, str], rules: Collection[str]) -> dict[tuple[str, int, str], list[str]]:
    wrong = {}
    for path in (path for rule in rules for path in VISITS[rule]):
        address = path.format(**places)
        page.goto(address)
        for width, scheme in LOOKS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            if found := faults(page):
                wrong[address, width, scheme] = found
    return wrong


def faults(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    found = [
        f"{each['id']}: {each['nodes'][0]['html'][:160]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found + ([f"{wide} px wider than the window"] if wide > 0 else [])
