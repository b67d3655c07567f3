"""`./slipway test`: all tests, with what they need, and plain counts at the end."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from command import programs, venvs
from command.places import ROOT, venvs_directory
from command.venvs import python_of

CHROMIUM = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
OWN_PLUGINS = ("-n", "-p", "--numprocesses", "--pdb", "--collect-only", "--co", "--help", "--version")


def test(words: list[str], data: Path) -> int:
    """Run pytest with these arguments, then print `N passed, N failed` alone on the last line."""
    venvs.prepare(("test", "cloud", "idp"))
    # Each test has a data directory of its own; the one of the command stays as it is.
    with tempfile.TemporaryDirectory(prefix="slipway-report-") as folder:
        report = Path(folder) / "report.xml"
        code = _run_pytest([*_workers(words), *words, f"--junit-xml={report}"])
        print(counts(report, code), flush=True)
    return code


def settings() -> dict[str, str]:
    """Return where tests and benchmarks find what is outside the repository."""
    found = {
        "SLIPWAY_CLOUD_PYTHON": str(python_of("cloud")),
        "SLIPWAY_IDP_PYTHON": str(python_of("idp")),
        "SLIPWAY_CORPUS": os.environ.get("SLIPWAY_CORPUS") or _beside("shared/corpus"),
        "SLIPWAY_CHROMIUM": os.environ.get("SLIPWAY_CHROMIUM") or find_chromium(),
        "SLIPWAY_VENVS": str(venvs_directory()) if os.environ.get("SLIPWAY_VENVS") else "",
    }
    return {name: value for name, value in found.items() if value}


def find_chromium() -> str:
    """Return the path of a Chromium, or an empty string."""
    return next((found for name in CHROMIUM if (found := shutil.which(name))), "")


def counts(report: Path, code: int) -> str:
    """Say how many tests passed, failed and were skipped; a run that never came to its end counts as one failed."""
    tests = failed = skipped = 0
    if report.exists():
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):  # noqa: S314 - pytest wrote it just now
            tests += int(suite.get("tests", 0))
            failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped += int(suite.get("skipped", 0))
    if code and not failed:
        tests, failed = tests + 1, 1
    passed = max(0, tests - failed - skipped)
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def _run_pytest(words: Sequence[str]) -> int:
    return programs.follow((python_of("test"), "-m", "pytest", *words), programs.inherited() | settings())


def _workers(words: Sequence[str]) -> list[str]:
    chosen = any(word.startswith(OWN_PLUGINS) for word in words)
    return [] if chosen else ["-n", "2"]


def _beside(path: str) -> str:
    folder = ROOT.parent / path
    return str(folder) if folder.is_dir() else ""
