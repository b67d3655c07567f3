"""`./slipway bench`: measure, and print one JSON object a line."""

from pathlib import Path

from command import programs, testing, venvs
from command.places import ROOT
from command.problems import Refused
from command.venvs import python_of

BENCH = ROOT / "bench"


def bench(words: list[str], data: Path) -> int:
    """Run the named benchmark with the options after its name, or all; return 1 if one failed."""
    names, options = ([words[0]], words[1:]) if words else (known(), [])
    for name in names:
        if name not in known():
            raise Refused(f"There is no benchmark {name}. There are: {', '.join(known()) or 'none yet'}.", 2)
    venvs.prepare(("test", "cloud", "idp"))
    return max([_run(name, options) for name in names], default=0)


def known() -> list[str]:
    """Return the names of the benchmarks."""
    return sorted(file.stem for file in BENCH.glob("*.py") if not file.stem.startswith("_"))


def _run(name: str, options: list[str]) -> int:
    env = programs.inherited() | testing.settings()
    return 0 if programs.follow((python_of("test"), "-m", f"bench.{name}", *options), env) == 0 else 1
