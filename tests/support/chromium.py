"""The browser of the tests: this machine's own Chromium, kept from talking to anything but loopback."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]


def chromium_path() -> str:
    """Return the path of a Chromium; skip the test, saying how to install one, where there is none."""
    found = os.environ.get("SLIPWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("No Chromium here: install the package chromium, or name one in SLIPWAY_CHROMIUM.")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser; skips the tests that need it where there is none."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
