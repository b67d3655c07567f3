"""What people do on the pages, as they would say it."""

import re

from playwright.sync_api import Locator, Page, expect

# Launching takes seconds on a quiet machine; tests beside it may slow it down.
LONG = 60_000


def sign_in(page: Page, person: str) -> None:
    """Sign in through the identity provider, whose form asks for the name first and then for the password."""
    page.goto("/")
    page.get_by_role("link", name="Continue with").click()
    for field in ("login", "password"):
        page.locator(f"input[name={field}]").fill(person)
        page.locator("[type=submit]").first.click()
    expect(page.get_by_role("button", name="developer").or_(page.locator(".rail-foot button"))).to_be_visible()


def status(page: Page) -> Locator:
    """The status beside the stack's name."""
    return page.locator("h1 + .badge")


def fill_launch(page: Page, template: str, name: str, **answers: str) -> None:
    """Open a template's form and answer it; what is not named keeps its default."""
    page.goto(f"/catalog/{template}/launch")
    page.get_by_label("Stack name").fill(name)
    for parameter, value in answers.items():
        page.locator(f'[name="parameters.{parameter}"]').fill(value)


def launch(page: Page, template: str, name: str, **answers: str) -> str:
    """Launch a stack and return the address of its page."""
    fill_launch(page, template, name, **answers)
    page.get_by_role("button", name="Launch").click()
    page.wait_for_url(re.compile(r"/stacks/stk_\w+$"))
    return page.url


def wait_until(page: Page, word: str) -> None:
    """Wait until the page itself says so: nothing is reloaded."""
    expect(status(page)).to_have_text(word, timeout=LONG)
