"""What the command says while it works: on standard error, so that standard output holds only its answer."""

import sys


def say(sentence: str) -> None:
    """Tell the person what is going on."""
    print(f"  {sentence}", file=sys.stderr, flush=True)
