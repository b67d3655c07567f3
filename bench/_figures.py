"""Figures as the benchmarks print them: one JSON object a line."""

import json
import os
import platform
from statistics import quantiles
from typing import Any


def emit(**figures: Any) -> None:
    """Print one object on a line of its own."""
    print(json.dumps(figures, separators=(", ", ": ")), flush=True)


def machine() -> str:
    """Name the machine by what matters: cores, memory, Python."""
    with open("/proc/meminfo") as file:
        total = int(file.readline().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} cores, {total} GiB, Python {platform.python_version()}"


def percentile(values: list[float], share: int) -> float:
    """Return a percentile (1 to 99) of at least one value, rounded to a tenth."""
    if len(values) == 1:
        return round(values[0], 1)
    return round(quantiles(values, n=100, method="inclusive")[share - 1], 1)


def resident(pid: int) -> tuple[float, float]:
    """Return the resident and the proportional memory, in MB, of a process and all its children (Linux)."""
    rss = pss = 0
    for each in _family(pid):
        try:
            with open(f"/proc/{each}/smaps_rollup") as file:
                fields = {line.split(":")[0]: int(line.split()[1]) for line in file.readlines()[1:]}
        except (FileNotFoundError, ProcessLookupError):
            continue
        rss, pss = rss + fields["Rss"], pss + fields["Pss"]
    return round(rss / 1024, 1), round(pss / 1024, 1)


def _family(pid: int) -> list[int]:
    found, queue = [], [pid]
    while queue:
        each = queue.pop()
        found.append(each)
        for task in os.listdir(f"/proc/{each}/task") if os.path.isdir(f"/proc/{each}/task") else ():
            with open(f"/proc/{each}/task/{task}/children") as file:
                queue += [int(child) for child in file.read().split()]
    return found
