"""`./slipway check`: everything that can be said about the code without running it, one line for each check."""

import subprocess
from pathlib import Path

from command import environment, venvs
from command.places import ROOT
from command.problems import Refused
from command.stopping import pause
from command.venvs import python_of

CODE = ("app", "bench", "local", "migrations/env.py", "tests", "slipway", "wsgi.py", "gunicorn.conf.py")
IMPORTS = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"


def check(words: list[str], data: Path) -> int:
    """Run every check, also after one has failed; return 1 if any did."""
    if words:
        raise Refused(f"./slipway check takes no {words[0]}.", 2)
    venvs.prepare(["test"])
    failed = [name for name, command in _checks().items() if not _passes(name, command)]
    return 1 if failed else 0


def _checks() -> dict[str, list[str]]:
    code = [path for path in CODE if (ROOT / path).exists()]
    return {
        "format": ["-m", "ruff", "format", "--check", *code],
        "lint": ["-m", "ruff", "check", *code],
        "types": ["-m", "mypy"],
        "imports": ["-c", IMPORTS],
        "migrations": ["-m", "app.cli", "db", "check"],
        "docs": ["-m", "pytest", "-q", "tests/docs"],
    }


def _passes(name: str, words: list[str]) -> bool:
    pause(0)
    command = (str(python_of("test")), *words)
    answer = subprocess.run(command, cwd=ROOT, env=environment.bare(), capture_output=True, text=True, check=False)
    print(f"{name}: {'ok' if answer.returncode == 0 else 'failed'}", flush=True)
    if answer.returncode != 0:
        print("\n".join("    " + line for line in (answer.stdout + answer.stderr).splitlines()), flush=True)
    return answer.returncode == 0
