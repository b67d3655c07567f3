"""A listening port on loopback whose connections are served by an event loop in a thread of its own."""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.support.processes import free_port

Answer = TypeVar("Answer")
Target = int | Path


class Door:
    """Listens on `port` while it is entered; a subclass says in `serve` what happens to each connection.

    The port stays bound while the door is shut, so that nobody else on the machine takes it meanwhile.
    """

    def __init__(self, target: Target, port: int | None = None):
        self.target = target
        self.port = port or free_port()
        self.loop = asyncio.new_event_loop()
        self.writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._turn, daemon=True, name=type(self).__name__)
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def __enter__(self) -> Self:
        # A port that was named when it was bound keeps its number even while nothing listens on it.
        self._socket.bind(("127.0.0.1", self.port))
        self._thread.start()
        self.run(self.open())
        return self

    def __exit__(self, *error: object) -> None:
        self.run(self._close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self._socket.close()

    def _turn(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Do something on the loop and wait until it is done."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def do(self, act: Callable[[], None]) -> None:
        """Call something on the loop and wait until it is done."""

        async def call() -> None:
            act()

        self.run(call())

    async def open(self) -> None:
        """Listen, if the door was shut."""
        if self._server is None:
            self._server = await asyncio.start_server(self._begin, sock=self._socket.dup())

    def shut(self) -> None:
        """Listen no more: whoever connects is refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
            # Closing a duplicate leaves the port listening; only this ends it, and it keeps the port.
            self._socket.shutdown(socket.SHUT_RDWR)

    async def _close(self) -> None:
        self.shut()
        self.end_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.writers.add(writer)
        try:
            # Connections end in every possible way here; that is nothing to report.
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await self.serve(reader, writer)
        finally:
            end(writer)
            self.writers.discard(writer)
            self._tasks.discard(task)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Deal with one connection."""
        raise NotImplementedError

    def end_all(self, with_reset: bool = False) -> None:
        """End every connection of the moment."""
        for writer in list(self.writers):
            end(writer, with_reset)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect to what lies behind."""
        if isinstance(self.target, int):
            return await asyncio.open_connection("127.0.0.1", self.target)
        return await asyncio.open_unix_connection(str(self.target))


def end(writer: asyncio.StreamWriter, with_reset: bool = False) -> None:
    """End a connection at once: what was not sent yet is forgotten. `with_reset`: as a crashed machine would."""
    if with_reset:
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
