"""Where the browser is that tests drive."""

import os
import shutil

import pytest


def chromium_path() -> str:
    """Return the path of a Chromium; skip the test, saying how to install one, where there is none."""
    found = os.environ.get("SLIPWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        pytest.skip("No Chromium here: install the package chromium, or name one in SLIPWAY_CHROMIUM.")
    return found
