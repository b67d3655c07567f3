"""What a person notices in a browser, under the same content policy as in production."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/patterns", "/refused"])
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_axe_finds_nothing(chromium: Browser, look_address: str, path: str, width: int, scheme: str) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto(look_address + path)
    found = Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_the_palette_opens_by_key_and_by_click_and_walks_by_arrows(page: Page) -> None:
    page.goto("/patterns")
    palette = page.locator("#palette")
    page.keyboard.press("Control+k")
    expect(palette).to_be_visible()
    page.keyboard.press("Escape")
    expect(palette).to_be_hidden()
    page.get_by_role("link", name="Search or jump to").click()
    expect(palette).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(palette.get_by_role("option", name="Catalog")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url("**/catalog")


def test_words_in_the_palette_are_searched(page: Page) -> None:
    page.goto("/patterns")
    page.keyboard.press("/")
    page.keyboard.type("ledger")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Searched for ledger")).to_be_visible()


def test_single_keys_can_be_switched_off(page: Page) -> None:
    page.goto("/patterns")
    page.get_by_role("button", name="Petra Novak").click()
    page.get_by_role("button", name="Turn single keys off").click()
    page.keyboard.press("/")
    expect(page.locator("#palette")).to_be_hidden()
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_j_and_k_walk_the_rows(page: Page) -> None:
    page.goto("/patterns")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="fraud-cache", exact=True)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.get_by_role("link", name="payments-ledger-db")).to_be_focused()


def test_the_theme_changes_at_once_and_stays(page: Page) -> None:
    page.goto("/patterns")
    page.get_by_role("button", name="Petra Novak").click()
    page.locator("#me").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_an_output_is_copied_and_said(page: Page) -> None:
    page.goto("/patterns")
    page.get_by_role("button", name="Copy QueueArn").click()
    expect(page.locator("#says")).to_have_text("Copied arn:aws:sqs:eu-west-1:111122223333:refunds-queue")
    assert page.evaluate("navigator.clipboard.readText()") == "arn:aws:sqs:eu-west-1:111122223333:refunds-queue"


def test_a_lookup_narrows_refuses_and_chooses(page: Page) -> None:
    page.goto("/patterns")
    field = page.get_by_label("VPC", exact=False).and_(page.locator("#f-vpc"))
    field.click()
    expect(page.locator("#f-vpc-list [role=option]")).to_have_count(3)
    field.fill("sandbox")
    expect(page.locator("#f-vpc-list [role=option]")).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value("vpc-0b52")
    expect(page.locator("#f-vpc-list")).to_be_hidden()
    field.fill("orders")
    page.locator("#f-vpc-list [role=option]").click(force=True)
    expect(field).to_have_value("orders")


def test_several_of_many_show_as_chips(page: Page) -> None:
    page.goto("/patterns")
    field = page.locator('[data-field="subnets"]')
    expect(field.get_by_role("button")).to_have_count(2)
    field.get_by_label("Narrow Subnets").fill("0b51")
    expect(field.locator("label.check:visible")).to_have_count(1)
    field.get_by_role("checkbox").and_(page.locator(":visible")).check()
    expect(field.get_by_role("button", name="Remove subnet-0b51")).to_be_visible()
    field.get_by_role("button", name="Remove subnet-07c2").click()
    expect(field.get_by_role("button")).to_have_count(2)
    expect(field.locator('input[value="subnet-07c2"]')).not_to_be_checked()


def test_lookups_survive_a_form_that_morphs(page: Page) -> None:
    page.goto("/morphing")
    field = page.locator("#f-vpc")
    for value in ("vpc-a", "vpc-b"):
        field.fill(value)
        page.locator("#f-vpc-list [role=option]").click()
        expect(page.get_by_text(f"{value} asked")).to_be_visible()
        expect(field).to_have_value(value)
    zones = page.locator('[data-field="zones"]')
    zones.get_by_label("Zone a").check()
    zones.get_by_label("Zone b").check()
    expect(zones.get_by_role("button")).to_have_count(2)
    zones.get_by_role("button", name="Remove zone-a").click()
    expect(zones.get_by_role("button")).to_have_count(1)
    expect(zones.get_by_label("Narrow Zones")).to_be_visible()


def test_pressing_on_a_choice_does_not_send_what_was_typed_so_far(page: Page) -> None:
    page.goto("/morphing")
    page.locator("#f-vpc").press_sequentially("second")
    page.locator("#f-vpc-list [role=option]").hover()
    page.mouse.down()
    page.wait_for_timeout(300)
    expect(page.get_by_text("no asked")).to_be_visible()
    page.mouse.up()
    expect(page.get_by_text("vpc-b asked")).to_be_visible()


def test_a_dialog_opens_and_is_left_without_harm(page: Page) -> None:
    page.goto("/patterns")
    page.locator('[data-opens="p-delete"]').click()
    dialog = page.get_by_role("dialog", name="Delete refunds-queue?")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()


def test_what_just_happened_is_seen_and_read_out(page: Page) -> None:
    page.goto("/moving")
    expect(page.locator(".toast")).to_have_text("Launched refunds-queue")
    expect(page.locator("#says")).to_have_text("Launched refunds-queue")


def test_a_poll_that_fails_keeps_the_page_and_says_so(page: Page, look_app: Flask) -> None:
    page.goto("/moving")
    expect(page.locator("#job")).to_have_text("Still creating")
    try:
        look_app.config["ANSWERS"] = False
        expect(page.locator("#lost")).to_contain_text("Reconnecting, last read ")
        expect(page.locator("#job")).to_have_text("Still creating")
    finally:
        look_app.config["ANSWERS"] = True
    expect(page.locator("#lost")).to_be_empty()


def test_a_connection_that_breaks_says_since_when(page: Page) -> None:
    page.route("**/moving/status", lambda route: route.abort())
    page.goto("/moving")
    expect(page.locator("#lost")).to_have_text("Reconnecting, last read 14:32:04")


def test_on_a_phone_the_rail_is_a_popover_and_filters_unfold(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/patterns")
    rail = page.locator("#rail")
    expect(rail).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(rail.get_by_role("link", name="Catalog")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator(".facets summary").click()
    expect(page.get_by_role("link", name="Databases 3")).to_be_visible()


def test_on_a_desk_the_filters_stand_open(page: Page) -> None:
    page.goto("/patterns")
    expect(page.get_by_role("link", name="Databases 3")).to_be_visible()
    expect(page.locator(".facets summary")).to_be_hidden()


def test_without_script_nothing_is_out_of_reach(chromium: Browser, look_address: str) -> None:
    context = chromium.new_context(java_script_enabled=False, base_url=look_address)
    page = context.new_page()
    page.goto("/patterns")
    expect(page.locator('[data-field="subnets"]').get_by_role("checkbox")).to_have_count(6)
    page.get_by_role("link", name="Search or jump to").click()
    expect(page.get_by_text("Searched for")).to_be_visible()
    context.close()
