"""What this process may never do: run a program, listen beyond loopback, or call out to another machine.

MiniStack can run code a template brings along (functions, jobs, resolvers) and is asked to do so by anybody who
launches a template. Its own switches are set too, but they are many; an audit hook sees every attempt whichever
path leads there, and cannot be removed once it stands.
"""

import ipaddress
import sys
from typing import Any

STARTS_A_PROGRAM = frozenset(
    {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty"}
)


class NotAllowedHere(PermissionError):
    """The local cloud was asked for something it never does."""


def confine() -> None:
    """Refuse programs and addresses beyond loopback from here on, for the life of the process."""
    sys.addaudithook(_check)


def _check(event: str, args: tuple[Any, ...]) -> None:
    if event in STARTS_A_PROGRAM:
        raise NotAllowedHere("The local cloud starts no programs, so code inside a template never runs here.")
    if event in ("socket.bind", "socket.connect") and not _is_local(args[1]):
        raise NotAllowedHere(f"The local cloud stays on this machine: {event} to {args[1]!r} refused.")


def _is_local(address: Any) -> bool:
    # A path is a unix socket. A name is looked up by the library first, so what arrives here is a number.
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(str(address[0]).split("%")[0]).is_loopback
    except ValueError:
        return address[0] == "localhost"
