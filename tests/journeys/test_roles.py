"""Who may look and who may act, on one stack of payments."""

import pytest
from playwright.sync_api import expect

from tests.journeys.people import launch, wait_until

pytestmark = pytest.mark.browser


def test_others_see_why_they_may_not_and_who_may(visit) -> None:
    page = visit("dana")
    address = launch(page, "sqs-queue", "roles-queue")
    wait_until(page, "Ready")
    outsider_sees_no_inside(visit("omar"), address)
    for reader in ("mona", "alan"):
        reads_but_may_not_change(visit(reader), address)
    may_change(visit("petra"), address)


def outsider_sees_no_inside(page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".notice")).to_contain_text("are for payments")
    expect(page.locator(".outputs")).to_have_count(0)
    refuses_to_change(page)
    answer = page.goto(f"{address}/updates/new")
    assert answer.status == 403
    expect(page.get_by_role("heading", level=1)).to_have_text("You may not do this")


def reads_but_may_not_change(page, address: str) -> None:
    page.goto(address)
    expect(page.locator(".outputs li")).to_have_count(5)
    refuses_to_change(page)


def refuses_to_change(page) -> None:
    button = page.get_by_role("button", name="Change answers")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#why-not-change")).to_contain_text("payments")
    expect(page.get_by_role("link", name="Delete stack")).to_have_count(0)


def may_change(page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("link", name="Change answers")).to_be_visible()
