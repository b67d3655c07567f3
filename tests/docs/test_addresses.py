"""Every command and every address a page names is one that exists."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.identity import cli
from app.web import create_app
from tests.support.settings import settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"\./slipway ([a-z][^`\n\")]*)")
# An address of ours stands between backticks, after `PUBLIC_URL`, or after the example's host.
ADDRESS = re.compile(r"(?:`(?:[A-Z]+ )?|PUBLIC_URL|https://slipway\.example\.com|http://localhost:8000)(/[^\s`\"|)]*)")
FOLDERS = ("/etc/", "/var/", "/opt/")
# The API guide leaves the prefix out where it names a route by its method.
PREFIXES = ("", "/api/v1")


def asked(*words: str) -> str:
    """What the command answers to these words."""
    return subprocess.run([sys.executable, ROOT / "slipway", *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """A portal that is only asked which addresses it knows."""
    return create_app(settings("sqlite://", tmp_path_factory.mktemp("data")))


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The options of each command that has any of its own."""
    token = {option for each in cli.create.params for option in each.opts}
    return {"up": set(re.findall(r"--[a-z-]+", asked("up", "--help"))), "token create": token}


def commands_in(page: Path) -> Iterator[tuple[str, list[str]]]:
    """Each command a page names: its name and its options."""
    offered = re.findall(r"^  \./slipway (\w+(?: (?:create|load|reset))?)", asked("--help"), re.MULTILINE)
    for line in COMMAND.findall(page.read_text()):
        line = line.split("  ")[0].split(" && ")[0].strip()
        name = next((name for name in offered if re.match(rf"{name}\b", line)), None)
        assert name or line.startswith("--help"), f"{page.name} names ./slipway {line}, which there is not"
        yield name or "--help", re.findall(r"--[a-z-]+", line.removeprefix(name or ""))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page, options):
    for name, given in commands_in(page):
        if name not in ("bench", "test"):
            unknown = set(given) - options.get(name, set()) - {"--data", "--help"}
            assert not unknown, f"{page.name} gives ./slipway {name} {unknown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_benchmark_and_its_options_exist(page):
    for name, given in re.findall(r"\./slipway bench (\w+)([^\n`]*)", page.read_text()):
        source = ROOT / "bench" / f"{name}.py"
        assert source.exists(), f"{page.name} names the benchmark {name}"
        assert all(f'"{option}"' in source.read_text() for option in re.findall(r"--[a-z-]+", given))


def is_known(portal: Flask, path: str) -> bool:
    filled = re.sub(r"[<{][^>}]*[>}]", "1", path.partition("?")[0])
    return any(portal.url_map.bind("").allowed_methods(prefix + filled) for prefix in PREFIXES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_address_exists(page, portal):
    for path in ADDRESS.findall(page.read_text()):
        if not path.startswith(FOLDERS) and path.rstrip("/") not in ("/api/v1", ""):
            assert is_known(portal, path.rstrip(".,")), f"{page.name} names the address {path}"


def test_every_group_of_the_api_is_in_its_guide(portal):
    guide = (ROOT / "docs" / "api.md").read_text()
    groups = set(
        re.findall(r"^/api/v1/(\w+)", "\n".join(rule.rule for rule in portal.url_map.iter_rules()), re.MULTILINE)
    )
    assert {"stacks", "templates"} <= groups
    for group in groups:
        assert re.search(rf"(?:\$API|/api/v1|GET|POST) ?/{group}\b", guide), f"docs/api.md says nothing of /{group}"
