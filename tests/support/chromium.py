"""The browser of the tests: this machine's own Chromium, kept from talking to anything but loopback."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

USUAL = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; skips the tests that need it where there is none."""
    path = os.environ.get("SLIPWAY_CHROMIUM") or USUAL
    if not Path(path).exists():
        pytest.skip("There is no Chromium: install it, or name one in SLIPWAY_CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
