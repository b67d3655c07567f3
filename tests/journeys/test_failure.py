"""What somebody sees when the cloud says no, and how they get out of it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import LONG, launch, plan_change, status, wait_until

pytestmark = pytest.mark.browser


def test_a_failed_launch_names_its_first_cause_and_is_tried_again(visit) -> None:
    page = visit("dana")
    launch(page, "sqs-queue", "refused-receipts")
    wait_until(page, "Failed")
    cause = page.get_by_role("region", name="First cause")
    expect(cause.locator(".cause")).to_have_text("Queue could not be created. The account has reached a limit.")
    expect(page.locator('.button[data-kind="primary"]')).to_have_count(1)
    cause.get_by_text("What AWS said").click()
    expect(cause.locator("pre")).to_contain_text("The maximum number of queues (100) has been reached.")
    expect(page.locator("#left").locator("xpath=../..")).to_contain_text("Nothing. What had been created was removed")
    try_again(page)


def try_again(page: Page) -> None:
    """The form opens with the answers of the last time; one of them is changed."""
    page.get_by_role("link", name="Change answers and try again").click()
    attempts = page.get_by_label("Attempts before a message is set aside")
    expect(attempts).to_have_value("5")
    attempts.fill("9")
    page.get_by_role("button", name="Launch again").click()
    wait_until(page, "Ready")
    page.get_by_role("link", name="Answers", exact=True).click()
    expect(page.get_by_role("row", name="MaxReceiveCount").get_by_role("cell").last).to_have_text("9")


def test_a_change_that_is_undone_leaves_a_choice(visit) -> None:
    page = visit("dana")
    address = launch(page, "secret", "tainted-key")
    wait_until(page, "Ready")
    plan_change(page, address, "What it is for", "Signs the sessions of refunds")
    page.get_by_role("button", name="Make this change").click()
    wait_until(page, "Tainted")
    expect(page.locator(".notice")).to_contain_text("Stable, but not what was asked")
    expect(page.get_by_role("link", name="Change answers and plan again")).to_be_visible()
    expect(page.locator(".steps li", has_text="Undone")).to_be_visible()
    page.get_by_role("button", name="Keep what runs").click()
    expect(status(page)).to_have_text("Ready")
    expect(page.locator(".toast")).to_contain_text("tainted-key is taken as it runs")


def test_a_plan_that_would_lose_data_wants_the_name_typed(visit) -> None:
    page = visit("dana")
    address = launch(page, "sqs-queue", "ordered-refunds")
    wait_until(page, "Ready")
    page.goto(f"{address}/updates/new")
    page.get_by_role("radio", name="fifo").check()
    page.get_by_role("button", name="Make a plan").click()
    page.get_by_role("link", name="Read the plan").click(timeout=LONG)
    expect(page.locator('.change[data-tone="bad"]').first).to_contain_text("Will be replaced by a new, empty one.")
    page.get_by_role("button", name="Replace what holds data").click()
    expect(page.locator(".error")).to_contain_text("Type ordered-refunds")
    page.get_by_role("button", name="Withdraw").click()
    expect(page.locator(".toast")).to_contain_text("The plan is withdrawn")
    wait_until(page, "Ready")


def test_the_place_on_the_page_survives_when_it_asks_again(visit) -> None:
    page = visit("dana")
    page.set_viewport_size({"width": 1440, "height": 500})
    launch(page, "sqs-queue", "watched-folds")
    counts = page.get_by_text(re.compile(r"^\d of 7$"))
    before = counts.inner_text(timeout=LONG)
    page.evaluate("window.scrollTo(0, 200)")
    expect(counts).not_to_have_text(before, timeout=LONG)
    assert page.evaluate("window.scrollY") == 200
