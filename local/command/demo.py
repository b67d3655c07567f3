"""`./slipway demo reset`: begin again with an empty cloud and an empty database."""

import shutil
from pathlib import Path

from command.installation import locked
from command.problems import Refused
from command.progress import say
from command.services import stop_leftovers

# The secrets and the ports stay: they say nothing about the demo, and browsers may know them.
FOLDERS = ("broker", "cloud", "idp", "metrics", "run")
DATABASE = ("slipway.db", "slipway.db-wal", "slipway.db-shm")


def demo(words: list[str], data: Path) -> int:
    """Remove what the installation has stored. Raises Refused while it runs."""
    if words != ["reset"]:
        raise Refused("The command is: ./slipway demo reset", 2)
    with locked(data, "reset it"):
        stop_leftovers(data)
        for name in DATABASE:
            (data / name).unlink(missing_ok=True)
        for name in FOLDERS:
            shutil.rmtree(data / name, ignore_errors=True)
    say(f"Everything in {data} is forgotten; ./slipway up begins again")
    return 0
