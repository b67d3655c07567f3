"""Getting about by keyboard, and what a browser keeps."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_palette_opens_walks_and_searches(visit) -> None:
    page = visit("dana")
    page.goto("/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/catalog$"))
    page.keyboard.press("/")
    page.keyboard.type("queue")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="sqs-queue")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("/catalog$"))
    expect(page.get_by_role("heading", name="Catalog")).to_be_visible()


def test_j_and_k_walk_the_catalog(visit) -> None:
    page = visit("dana")
    page.goto("/catalog")
    names = page.locator(".template-grid h3 a")
    page.keyboard.press("j")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(names.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_back_leads_through_a_search_while_typing(visit) -> None:
    page = visit("dana")
    page.goto("/catalog")
    page.get_by_role("searchbox", name="Search the catalog").fill("postgres")
    expect(page).to_have_url(re.compile("q=postgres"))
    page.get_by_role("link", name="rds-postgres", exact=True).click()
    expect(page.get_by_role("heading", name="rds-postgres")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("searchbox", name="Search the catalog")).to_have_value("postgres")
    expect(page.get_by_role("link", name="sqs-queue", exact=True)).to_have_count(0)


def test_the_theme_stays_and_the_browser_keeps_nothing_else(visit) -> None:
    page = visit("dana")
    page.goto("/")
    page.locator(".rail-foot button").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto("/stacks")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    # The provider lives on the same host here, and a browser does not tell ports apart.
    kept = {cookie["name"] for cookie in page.context.cookies(page.url)} - {
        "slipway-local-idp",
        "canaille_login_history",
    }
    assert kept == {"slipway", "theme"}


def test_nothing_turns_for_whoever_wants_it_still(visit) -> None:
    page = visit("dana", reduced_motion="reduce")
    page.goto("/patterns")
    turning = page.locator(".icon[data-spin]").first
    assert turning.evaluate("icon => getComputedStyle(icon).animationName") == "none"
