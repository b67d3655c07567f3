"""The broker of `./slipway up`: Kombu's files in a folder, each written whole before anybody can see it.

Kombu opens a message's file under its own name, locks it and then writes. A worker that looks in between takes an empty
file, cannot read it, and ends (https://github.com/celery/kombu/issues/1551).
"""

import os
import time
from collections.abc import Callable
from queue import Empty
from typing import Any, TypeVar

from kombu.transport import filesystem, virtual
from kombu.utils.json import dumps

Value = TypeVar("Value")
# How often, and how far apart in seconds, a table of queues is read again that somebody is writing.
ATTEMPTS, PAUSE = 50, 0.01


class Channel(filesystem.Channel):
    """Kombu's channel, without its moments at which a reader sees half a file."""

    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:  # type: ignore[override]  # Kombu has no types
        # The same names as Kombu's: workers take the oldest first, by name.
        name = f"{time.monotonic_ns() // 1_000_000}_{os.urandom(16).hex()}.{queue}.msg"
        whole, part = (os.path.join(self.data_folder_out, each) for each in (name, f"{name}.part"))
        with open(part, "w", encoding="utf-8") as file:
            file.write(dumps(payload))
        os.replace(part, whole)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError as error:
            # Half a message, left by a full disk. It was only a hint.
            raise Empty from error

    def get_table(self, exchange: str) -> Any:
        return _settled(lambda: super(Channel, self).get_table(exchange))

    def _queue_bind(self, *given: Any) -> None:
        _settled(lambda: super(Channel, self)._queue_bind(*given))


def _settled(read: Callable[[], Value]) -> Value:
    """Read a table that another process may just be writing."""
    for _ in range(ATTEMPTS):
        try:
            return read()
        except ValueError:
            time.sleep(PAUSE)
    return read()


class Transport(filesystem.Transport):
    """Kombu's transport; what is declared is known for each connection, since two may have different folders."""

    Channel = Channel

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self.state = virtual.BrokerState()
