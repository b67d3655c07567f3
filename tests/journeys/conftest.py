"""A whole installation, and browser windows in which the demo's people are signed in to it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.people import sign_in
from tests.journeys.window import Watch
from tests.support.chromium import chromium as start_chromium
from tests.support.installation import Command, Up, link_venvs

# Slow enough that a page which looks every second sees things move.
PACE = 0.3
FAULTS = Path(__file__).with_name("faults.yaml")

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with start_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def installation(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The portal with everything it needs, in processes of its own."""
    data = tmp_path_factory.mktemp("data")
    (data / "cloud").mkdir()
    shutil.copy(FAULTS, data / "cloud")
    command = Command(link_venvs(tmp_path_factory.mktemp("venvs")))
    yield command.up(data, pace=PACE)
    command.end_all()


@pytest.fixture(scope="session")
def signed_in(installation: Up, chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`signed_in("dana")` is a file with the cookies of a browser in which dana has signed in."""
    folder = tmp_path_factory.mktemp("cookies")

    def cookies(person: str) -> Path:
        file = folder / f"{person}.json"
        if not file.exists():
            context = chromium.new_context(base_url=installation.public_url)
            sign_in(context.new_page(), person)
            context.storage_state(path=file)
            context.close()
        return file

    return cookies


@pytest.fixture
def visit(installation: Up, chromium: Browser, signed_in: Callable[[str], Path]) -> Iterator[Visit]:
    """`visit("dana")` is a new window in which dana is signed in; what any window complains about fails the test.

    Without a name nobody is. `width`, `color_scheme` and the like are the browser's.
    """
    opened: list[Watch] = []

    def window(person: str | None = None, width: int = 1440, **options: Any) -> Page:
        if person:
            options["storage_state"] = signed_in(person)
        context = chromium.new_context(
            base_url=installation.public_url, viewport={"width": width, "height": 900}, **options
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=installation.public_url)
        context.set_default_timeout(15_000)
        page = context.new_page()
        opened.append(Watch(page, installation.public_url))
        return page

    yield window
    for watch in opened:
        watch.page.context.close()
    assert [complaint for watch in opened for complaint in watch.complaints] == []
