"""The commands and their options."""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from command import bench, check, cloud, demo, portal, testing, up
from command.places import data_directory
from command.problems import Refused, Stopped, sentence_of
from command.stopping import listen

# What a shell takes for "ended by Ctrl-C".
INTERRUPTED = 130

HELP = """\
Slipway, a self-service portal for an internal developer platform.

{commands}

Every command takes --data DIR (or SLIPWAY_DATA): the directory that holds all state of one installation, so that two
can run side by side. Without it, that is var/ in the repository.
"""


@dataclass(frozen=True)
class Command:
    """One command: how it is written, what it does, and the function that does it."""

    usage: str
    meaning: str
    run: Callable[[list[str], Path], int]


def main(words: Sequence[str]) -> int:
    """Run one command and return its exit code. What stops it is said in one sentence."""
    options, rest = _common().parse_known_args(words)
    name, *rest = rest or ["--help"]
    if name in ("--help", "-h", "help"):
        print(_help(), end="")
        return 0
    if name not in COMMANDS:
        return _say(f"There is no command {name}. ./slipway --help lists them.", 2)
    listen()
    try:
        return COMMANDS[name].run(rest, data_directory(options.data))
    except Refused as refused:
        return _say(str(refused), refused.code)
    except Stopped:
        return INTERRUPTED
    except OSError as error:
        return _say(sentence_of(error), 1)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with the words in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"slipway: {message[:1].upper()}{message[1:]}.\n")


def _common() -> argparse.ArgumentParser:
    # Not abbreviated: `--database` belongs to the tests.
    parser = _Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--data")
    return parser


def _help() -> str:
    commands = COMMANDS.values()
    width = max(len(command.usage) for command in commands)
    return HELP.format(commands="\n".join(f"  ./slipway {c.usage:{width}}  {c.meaning}" for c in commands))


def _say(sentence: str, code: int) -> int:
    print(f"slipway: {sentence}", file=sys.stderr)
    return code


def _up(words: list[str], data: Path) -> int:
    parser = _Parser(prog="./slipway up", description="Run everything on this machine until Ctrl-C.")
    parser.add_argument("--port", type=_port, default=8000, help="where the portal listens (8000)")
    parser.add_argument("--pace", type=_pace, default=1.0, help="seconds an ordinary resource takes (1)")
    options = parser.parse_args(words)
    return up.up(data, options.port, options.pace)


def _port(word: str) -> int:
    if not (word.isdigit() and 1 <= int(word) <= 65533):
        raise argparse.ArgumentTypeError(f"{word} is no port; choose a number from 1 to 65533")
    return int(word)


def _pace(word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{word} is no pace; give seconds, 0 or more")
    return seconds


COMMANDS = {
    "up": Command("up [--port 8000] [--pace SECONDS]", "everything on this machine, until Ctrl-C", _up),
    "test": Command("test [pytest arguments]", "all tests, starting what they need", testing.test),
    "check": Command("check", "format, lint, types, imports, migrations, docs", check.check),
    "bench": Command("bench [name]", "benchmarks; one JSON object per line", bench.bench),
    "token": Command("token create --person NAME --name LABEL", "print a bearer token", portal.token),
    "catalog": Command("catalog load", "load the shipped catalog again", portal.catalog),
    "cloud": Command("cloud", "print the lines that point the aws command at the local cloud", cloud.cloud),
    "demo": Command("demo reset", "forget all stacks, people and history", demo.demo),
}
