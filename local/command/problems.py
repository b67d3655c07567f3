"""What stops a command: something the person can mend, or the person."""

import errno


class Refused(Exception):
    """The command cannot go on, and this sentence says why and what to do."""

    def __init__(self, sentence: str, code: int = 1):
        super().__init__(sentence)
        self.code = code


class Stopped(Exception):
    """Somebody asked the command to stop."""


def sentence_of(error: OSError) -> str:
    """Say what the machine refused, in one sentence."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}. Make room and run the same command again."
    return f"The machine refused{where}: {error.strerror or error}."
