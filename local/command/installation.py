"""One installation: a data directory with its lock, its secrets and its ports."""

import fcntl
import json
import os
import secrets
import socket
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command.problems import Refused

SEARCHED_PORTS = 50


@dataclass(frozen=True)
class Ports:
    """Where the portal, the identity provider and the local cloud listen, all on loopback."""

    web: int
    idp: int
    cloud: int


@contextmanager
def locked(data: Path, what_for: str) -> Iterator[None]:
    """Hold the data directory. The lock ends with the process, however that ends.

    Raises Refused, naming the process, when another one holds it.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise Refused(
                f"Slipway is running on {data} (process {holder}); stop it with Ctrl-C to {what_for}."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


def read_secrets(data: Path) -> dict[str, str]:
    """Return the installation's secrets, made at its first start and readable by their owner only."""
    return _kept(
        data / "secrets.json",
        lambda: {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SLIPWAY_SEAL_KEY": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "OIDC_CLIENT_SECRET": secrets.token_urlsafe(32),
        },
    )


def choose_ports(data: Path, web: int) -> Ports:
    """Return the ports of this start; raises Refused, naming the port, when one is taken.

    The provider's port is part of who people are (its issuer and their subject), so it is chosen once and stays. The
    local cloud's is chosen again when somebody else has taken it.
    """
    _require_free(web, "Choose another with --port.")
    kept = _kept(data / "ports.json", lambda: _new_ports(web))
    _require_free(kept["idp"], f"The sign-in of {data} needs it; stop what listens there.")
    cloud = kept["cloud"] if is_free(kept["cloud"]) else _next_free(web + 2, {web, kept["idp"]})
    ports = Ports(web=web, idp=kept["idp"], cloud=cloud)
    _write(data / "ports.json", ports.__dict__)
    return ports


def known_ports(data: Path) -> Ports:
    """Return the ports of the last start. Raises Refused when there was none."""
    path = data / "ports.json"
    if not path.exists():
        raise Refused(f"There is no Slipway in {data} yet. Start one with: ./slipway up")
    return Ports(**json.loads(path.read_text()))


def is_free(port: int) -> bool:
    """Say whether nothing listens on the port, on either loopback address: `localhost` may mean both."""
    return _can_bind(socket.AF_INET, "127.0.0.1", port) and (not _has_ipv6() or _can_bind(socket.AF_INET6, "::1", port))


def _require_free(port: int, advice: str) -> None:
    if not is_free(port):
        raise Refused(f"Port {port} is in use by another program. {advice}")


def _new_ports(web: int) -> dict[str, int]:
    idp = _next_free(web + 1, {web})
    return {"web": web, "idp": idp, "cloud": _next_free(web + 2, {web, idp})}


def _next_free(first: int, taken: set[int]) -> int:
    for port in range(first, min(first + SEARCHED_PORTS, 65536)):
        if port not in taken and is_free(port):
            return port
    raise Refused(f"No port from {first} on is free. Choose another region of ports with --port.")


def _can_bind(family: socket.AddressFamily, host: str, port: int) -> bool:
    with socket.socket(family) as probe:
        # As servers do it: a connection that ended a moment ago is not in the way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def _has_ipv6() -> bool:
    return socket.has_ipv6 and _can_bind(socket.AF_INET6, "::1", 0)


def _kept(path: Path, make: Any) -> Any:
    if not path.exists():
        _write(path, make())
    return json.loads(path.read_text())


def _write(path: Path, content: dict[str, Any]) -> None:
    """Replace the file in one step, so that nobody reads half of it; only its owner may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        json.dump(content, file)
    unfinished.replace(path)
