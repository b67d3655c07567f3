"""The form of any template: what it says while somebody types, and what it keeps."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.people import LONG, fill_launch, wait_until

pytestmark = pytest.mark.browser

SECONDS = "parameters.VisibilityTimeoutSeconds"


def test_while_somebody_types_the_field_and_the_preview_say_what_is_wrong(visit) -> None:
    page = visit("dana")
    fill_launch(page, "sqs-queue", "Refunds Queue")
    expect(said(page, "name")).to_contain_text("lowercase letters")
    field = page.locator(f'[name="{SECONDS}"]')
    field.press("End")
    field.press_sequentially("000")
    expect(said(page, SECONDS)).to_contain_text("between 0 and 43200")
    expect(page.locator("#preview .problems")).to_contain_text("Seconds a worker has for one message")
    expect(field).to_be_focused()
    field.fill("30")
    expect(said(page, SECONDS)).to_be_empty()


def test_a_refusal_keeps_the_typing_and_links_to_the_field(visit) -> None:
    page = visit("dana")
    fill_launch(page, "sqs-queue", "refunds", VisibilityTimeoutSeconds="99999", MaxReceiveCount="7")
    with page.expect_response(lambda answer: answer.request.is_navigation_request()) as refused:
        page.get_by_role("button", name="Launch").click()
    assert refused.value.status == 422
    expect(page.locator(f'[name="{SECONDS}"]')).to_have_value("99999")
    expect(page.locator('[name="parameters.MaxReceiveCount"]')).to_have_value("7")
    page.get_by_role("alert").get_by_role("link", name="Seconds a worker has").click()
    expect(page.locator(f'[name="{SECONDS}"]')).to_be_in_viewport()
    expect(said(page, SECONDS)).to_contain_text("between 0 and 43200")


def test_the_environment_decides_what_there_is_to_choose(visit) -> None:
    page = visit("dana")
    page.goto("/catalog/rds-postgres/launch?version=1.1")
    stage = page.get_by_label("Stage")
    expect(stage).to_have_value("sandbox")
    page.get_by_label("Stack name").fill("ledger-db")
    page.get_by_role("radio", name="payments-prod").check()
    expect(stage).to_have_value("prod")
    expect(page.get_by_label("Stack name")).to_have_value("ledger-db")
    expect(page.locator("#preview")).to_contain_text("in payments-prod")


def test_a_rule_across_answers_is_told_before_anybody_launches(visit) -> None:
    page = visit("dana")
    page.goto("/catalog/rds-postgres/launch?version=1.1&environment=payments-prod")
    page.get_by_role("radio", name="1", exact=True).check()
    expect(page.locator("#preview .problems")).to_contain_text("Days of backups")


def test_a_copied_link_opens_the_same_form(visit) -> None:
    page = visit("dana")
    fill_launch(page, "sqs-queue", "receipts", MaxReceiveCount="8")
    page.get_by_role("radio", name="payments-staging").check()
    expect(page.locator("#preview")).to_contain_text("payments-staging")
    page.get_by_role("button", name="Copy a link to this form").click()
    link = page.evaluate("navigator.clipboard.readText()")
    page.goto(link)
    expect(page.get_by_label("Stack name")).to_have_value("receipts")
    expect(page.get_by_label("Attempts before a message is set aside")).to_have_value("8")
    expect(page.get_by_role("radio", name="payments-staging")).to_be_checked()


def test_networks_are_chosen_by_keyboard(visit) -> None:
    page = visit("dana")
    page.goto("/catalog/rds-postgres/launch?version=1.1")
    vpc = page.get_by_label("VPC")
    named = vpc.locator("option", has_text="payments").first.inner_text()
    assert re.search(r"payments\S*, vpc-\w+", named)
    vpc.focus()
    page.keyboard.type("payments")
    expect(vpc).to_have_value(re.compile(r"vpc-\w+"))
    subnets = page.locator('[data-field="parameters.SubnetIds"], [data-many]').first
    subnets.get_by_label("Narrow Private subnets").focus()
    page.keyboard.type("payments-private")
    for _ in range(2):
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    expect(subnets.get_by_role("button", name="Remove subnet-")).to_have_count(2)
    expect(page.locator("#preview")).not_to_contain_text("still to give")


def test_everything_works_without_scripts(visit) -> None:
    page = visit("dana", java_script_enabled=False)
    page.goto("/catalog?q=queue")
    page.get_by_role("link", name="sqs-queue", exact=True).click()
    page.get_by_role("link", name=re.compile(r"^Launch v")).click()
    page.get_by_label("Stack name").fill("plain-queue")
    page.get_by_role("button", name="Launch").click()
    reload_until(page, "Ready")
    page.get_by_role("link", name="Search or jump to").click()
    page.get_by_role("searchbox", name="Search templates").fill("plain-queue")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="plain-queue").click()
    change_and_confirm(page)
    delete(page)


def change_and_confirm(page: Page) -> None:
    page.get_by_role("link", name="Change answers").click()
    page.get_by_label("Attempts before a message is set aside").fill("6")
    page.get_by_role("button", name="Make a plan").click()
    reload_until(page, "A plan waits for a yes")
    page.get_by_role("link", name="Read the plan").click()
    page.get_by_role("button", name="Make this change").click()
    reload_until(page, "Ready")


def delete(page: Page) -> None:
    page.goto(f"{page.url}/delete")
    page.get_by_label("Type plain-queue").fill("plain-queue")
    page.get_by_role("button", name="Delete plain-queue").click()
    reload_until(page, "Deleted")


def reload_until(page: Page, word: str) -> None:
    """Without scripts a page shows what was true when it was asked for."""
    words = page.locator(".page-title .badge", has_text=re.compile(f"^{word}$"))
    for _ in range(LONG // 500):
        if words.count() and not page.locator(".badge", has_text="Planning a change").count():
            return
        page.wait_for_timeout(500)
        page.reload()
    wait_until(page, word)


def said(page: Page, name: str):
    """The line below a field."""
    return page.locator(f'[id="f-{name}-e"]')
