"""Whether bugs put in on purpose are noticed: `./slipway bench planted [name]`. One JSON object for each.

Without this the zeros of `bench simulate` prove nothing.
"""

import sys
import time

from bench._figures import emit
from tests.chaos.planted import Bug, all_bugs


def main() -> None:
    wanted = sys.argv[1:]
    found = [show(bug) for bug in all_bugs() if not wanted or bug.name in wanted]
    emit(bench="planted", bugs=len(found), caught=sum(found))
    sys.exit(0 if all(found) else 1)


def show(bug: Bug) -> bool:
    """Plant one bug, print what came of it, and say whether it was caught."""
    began = time.monotonic()
    caught = bug.catch()
    seconds = round(time.monotonic() - began, 1)
    told = {"tries": caught.tries, "by": caught.words[:200]} if caught else {}
    emit(bench="planted", bug=bug.name, caught=caught is not None, seconds=seconds, **told)
    return caught is not None


if __name__ == "__main__":
    main()
