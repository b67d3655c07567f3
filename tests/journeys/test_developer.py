"""The walking product, walked: from signing in to a deleted stack."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import LONG, sign_in, status, wait_until

pytestmark = pytest.mark.browser


def test_a_developer_launches_changes_and_deletes_a_queue(visit) -> None:
    page = visit()
    sign_in(page, "dana")
    find_the_queue(page)
    launch_it(page)
    see_resources_complete(page)
    survive_a_reload(page)
    wait_until(page, "Ready")
    copy_an_output(page)
    plan_a_change(page)
    read_the_plan_and_confirm(page)
    wait_until(page, "Ready")
    see_the_new_answer(page)
    delete_it(page)


def find_the_queue(page: Page) -> None:
    page.get_by_role("link", name="Catalog", exact=True).click()
    page.get_by_role("searchbox", name="Search the catalog").fill("queue")
    expect(page).to_have_url(re.compile("q=queue"))
    page.get_by_role("link", name="sqs-queue", exact=True).click()
    page.get_by_role("link", name=re.compile(r"^Launch v")).click()


def launch_it(page: Page) -> None:
    page.get_by_label("Stack name").fill("watched-refunds")
    page.get_by_label("Service").select_option("refunds")
    expect(page.locator("#preview")).to_contain_text("Creates 7 resources in sandbox")
    page.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="watched-refunds")).to_be_visible()
    expect(status(page)).to_have_text("Creating")


def see_resources_complete(page: Page) -> None:
    """They complete one by one in a page that stays the same page: what is noted on its window is still there."""
    page.evaluate("window.isTheSame = true")
    counts = page.get_by_text(re.compile(r"^\d of 7$"))
    seen = [counts.inner_text(timeout=LONG)]
    while len(seen) < 3:
        expect(counts).not_to_have_text(seen[-1], timeout=LONG)
        seen.append(counts.inner_text())
    assert seen == sorted(set(seen))
    assert page.evaluate("window.isTheSame")


def survive_a_reload(page: Page) -> None:
    page.reload()
    expect(status(page)).to_have_text("Creating")
    expect(page.get_by_text(re.compile(r"^[2-7] of 7$"))).to_be_visible()


def copy_an_output(page: Page) -> None:
    shown = page.locator(".outputs li", has_text="QueueArn").first.locator(".value").inner_text()
    assert re.fullmatch(r"arn:aws:sqs:eu-west-1:111122223333:\S*watched-refunds\S*", shown)
    page.get_by_role("button", name="Copy QueueArn").click()
    assert page.evaluate("navigator.clipboard.readText()") == shown


def plan_a_change(page: Page) -> None:
    page.get_by_role("link", name="Change answers").click()
    page.get_by_label("Seconds a worker has for one message").fill("90")
    page.get_by_role("button", name="Make a plan").click()
    page.get_by_role("link", name="Read the plan").click(timeout=LONG)


def read_the_plan_and_confirm(page: Page) -> None:
    expect(page.get_by_label("Summary")).to_contain_text("in place")
    queue = page.locator(".change", has_text="AWS::SQS::Queue").first
    expect(queue.locator(".change-text")).to_have_text(re.compile(r"Changes in place: VisibilityTimeout 60\s+90."))
    answer = page.get_by_role("row", name="Seconds a worker has for one message")
    expect(answer.locator("del")).to_have_text("60")
    expect(answer.locator("ins")).to_have_text("90")
    page.get_by_role("button", name="Make this change").click()
    expect(status(page)).to_have_text("Updating")


def see_the_new_answer(page: Page) -> None:
    page.get_by_role("link", name="Answers", exact=True).click()
    row = page.get_by_role("row", name="VisibilityTimeoutSeconds")
    expect(row.get_by_role("cell").last).to_have_text("90")


def delete_it(page: Page) -> None:
    page.get_by_role("button", name="More").click()
    page.get_by_role("link", name="Delete stack").click()
    page.get_by_role("button", name="Delete watched-refunds").click()
    expect(page.locator("main")).to_contain_text("Type watched-refunds")
    page.get_by_label("Type watched-refunds").fill("watched-refunds")
    page.get_by_role("button", name="Delete watched-refunds").click()
    wait_until(page, "Deleted")
