"""Ask cfn-lint about many templates in two processes, and remember the answers by content."""

import json
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

_PROCESSES = 2
_REGION = "us-east-1"
# Results are written this often, so that a run that is stopped loses little.
_BATCH = 40


def lint_verdicts(files: list[Path], data_directory: Path) -> dict[Path, bool]:
    """Tell for each file whether cfn-lint finds no error in it. Files of the same content are asked about once."""
    cache = data_directory / "corpus-lint.json"
    known: dict[str, bool] = json.loads(cache.read_text()) if cache.is_file() else {}
    keys = {path: _key(path) for path in files}
    unknown = list({key: str(path) for path, key in keys.items() if key not in known}.items())
    cache.parent.mkdir(parents=True, exist_ok=True)
    with get_context("spawn").Pool(_PROCESSES) as pool:
        for start in range(0, len(unknown), _BATCH):
            batch = unknown[start : start + _BATCH]
            answers = pool.map(is_accepted, [path for _, path in batch], chunksize=4)
            known |= {key: answer for (key, _), answer in zip(batch, answers, strict=True)}
            cache.write_text(json.dumps(known, indent=0, sort_keys=True))
    return {path: known[key] for path, key in keys.items()}


def _key(path: Path) -> str:
    from cfnlint.version import __version__

    return f"{__version__} {_REGION} {sha256(path.read_bytes()).hexdigest()}"


def is_accepted(path: str) -> bool:
    """Run cfn-lint over one file: warnings are fine, errors are not, and neither is what it cannot read."""
    from cfnlint.api import ManualArgs, lint_file

    try:
        found = lint_file(Path(path), ManualArgs(regions=[_REGION]))
    except Exception:  # noqa: BLE001 - a linter that breaks has not accepted anything
        return False
    return not any(match.rule.severity == "error" for match in found)
