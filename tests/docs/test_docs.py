"""What the documentation promises is there, and what is there is documented."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.config import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]+)(?:#([^)\s]*))?\)")
PICTURE = re.compile(r"(?:src|srcset)=\"([^\"]+)\"")
LARGEST_PICTURE = 300_000


def headings(page: Path) -> list[str]:
    return [line.lstrip("#").strip() for line in page.read_text().splitlines() if line.startswith("#")]


def anchor(heading: str) -> str:
    """The address of a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for path, fragment in LINK.findall(page.read_text()):
        target = (page.parent / path).resolve()
        assert target.exists(), f"{page.name} links to {path}, which is not there"
        if fragment and target.suffix == ".md":
            assert fragment in map(anchor, headings(target)), f"{page.name} links to {path}#{fragment}"


@pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.name)
def test_pictures_are_there_and_small(page):
    for path in PICTURE.findall(page.read_text()):
        picture = page.parent / path
        assert picture.exists(), f"{page.name} shows {path}, which is not there"
        assert picture.stat().st_size <= LARGEST_PICTURE, f"{path} is larger than {LARGEST_PICTURE} bytes"


@pytest.mark.parametrize("page", sorted((ROOT / "docs/decisions").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_says_why_what_and_what_follows(page):
    assert headings(page)[1:] == ["Context", "Decision", "Consequences"]


def test_every_setting_has_its_heading_default_and_meaning():
    text = (ROOT / "docs/settings.md").read_text()
    assert headings(ROOT / "docs/settings.md")[1:] == [setting.name for setting in SETTINGS]
    for setting in SETTINGS:
        part = text.split(f"## {setting.name}\n")[1].split("\n## ")[0]
        assert " ".join(setting.meaning.split()) in " ".join(part.split())
        default = "No default" if setting.default is None else f"`{setting.default}`" if setting.default else "empty"
        assert default in part, f"{setting.name} has the default {setting.default!r}"


def test_every_command_has_its_heading_and_every_heading_its_command():
    asked = subprocess.run([sys.executable, ROOT / "slipway", "--help"], capture_output=True, text=True, check=True)
    offered = re.findall(r"^  \./slipway (\w+(?: (?:create|load|reset))?)", asked.stdout, re.MULTILINE)
    described = [heading for heading in headings(ROOT / "docs/commands.md")[1:] if heading != "For machines"]
    assert sorted(described) == sorted(offered)
