"""Files that are either as they were or as they should be, never half of both."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write the file so that neither a reader nor a start after a kill sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(path)
