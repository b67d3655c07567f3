"""The pictures of the README, taken anew: `python -m tests.journeys.pictures` writes docs/pictures/*.png.

It needs what the journeys need: Chromium, and the environments of the two stand-ins (`./slipway test` makes them).
"""

import re
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.journeys.people import LONG, launch, sign_in, wait_until
from tests.support.chromium import chromium
from tests.support.installation import ROOT, Command, link_venvs

FOLDER = ROOT / "docs" / "pictures"
# Runs before the picture, so that the page has a history to forecast from.
EARLIER = ("ledger-events", "refunds-events", "receipts-events", "payouts-events", "fraud-events")


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slipway-pictures-") as folder, chromium() as browser:
        (Path(folder) / "venvs").mkdir()
        command = Command(link_venvs(Path(folder) / "venvs"))
        try:
            up = command.up(Path(folder) / "data", pace=0.8)
            take(browser, up.public_url)
        finally:
            command.end_all()


def take(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    sign_in(page, "dana")
    for name in EARLIER:
        launch(page, "sqs-queue", name)
    wait_until(page, "Ready")
    stack = launch(page, "sqs-queue", "refunds-queue")
    expect(page.get_by_text(re.compile(r"^[3-6] of 7$"))).to_be_visible(timeout=LONG)
    shoot(page, "creating")
    page.goto(stack)
    wait_until(page, "Ready")
    page.goto("/")
    shoot(page, "home")


def shoot(page: Page, name: str) -> None:
    """Take the page as it is, light and dark."""
    page.evaluate("document.querySelector('.toast')?.remove()")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.screenshot(path=FOLDER / f"{name}-{scheme}.png")


if __name__ == "__main__":
    main()
