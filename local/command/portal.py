"""Commands of the portal itself, run on an installation whether or not it is up."""

from pathlib import Path

from command import environment, programs, venvs
from command.installation import known_ports
from command.venvs import python_of


def token(words: list[str], data: Path) -> int:
    """Create a bearer token and print it."""
    return _run("token", words, data)


def catalog(words: list[str], data: Path) -> int:
    """Load the shipped catalog."""
    return _run("catalog", words, data)


def _run(group: str, words: list[str], data: Path) -> int:
    ports = known_ports(data)
    venvs.prepare(["portal"])
    # Standard output holds the answer and nothing else, so the log goes no lower than what has gone wrong.
    env = environment.of_the_portal(data, ports) | {"LOG_LEVEL": "ERROR"}
    return programs.follow((python_of("portal"), "-m", "app.cli", group, *words), env)
