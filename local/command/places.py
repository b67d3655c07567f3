"""Where things lie: the repository, the virtual environments, the data of one installation."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def data_directory(given: str | None) -> Path:
    """Return the data directory: as given, else SLIPWAY_DATA, else `var` in the repository."""
    named = given or os.environ.get("SLIPWAY_DATA")
    return Path(named).expanduser().resolve() if named else ROOT / "var"


def venvs_directory() -> Path:
    """Return where the virtual environments lie. All installations of one checkout share them."""
    return Path(os.environ.get("SLIPWAY_VENVS") or ROOT / "var" / "venvs")


def existing(path: Path) -> Path:
    """Return the nearest directory on the way up that exists."""
    while not path.exists():
        path = path.parent
    return path
