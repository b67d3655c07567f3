"""A proxy for any protocol over TCP, to stand before a database or a broker and break their connections."""

import asyncio
import contextlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.door import Door, Target, end

# PostgreSQL's simple query: a Q, four bytes of length, the words, a zero.
COMMIT = re.compile(rb"Q....COMMIT\0", re.DOTALL)
SLICES_A_SECOND = 20


@dataclass
class Weather:
    """How bad the line is right now."""

    delay: float = 0
    jitter: float = 0
    bytes_per_second: float | None = None
    most_bytes: int | None = None
    swallowed_share: float = 0
    arriving_share: float = 1


@dataclass(eq=False)
class Link:
    """One connection through the proxy, with both its ends."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    carried: int = 0
    is_swallowing: bool = False

    def end(self, with_reset: bool = False) -> None:
        end(self.near, with_reset)
        end(self.far, with_reset)


class Proxy(Door):
    """`with Proxy(5432) as proxy: proxy.port …`; the target is a port on loopback or the path of a unix socket.

    Every method takes effect before it returns. `swallowed` counts the commits whose answer was kept back.
    """

    def __init__(self, target: Target, port: int | None = None, seed: int = 0):
        super().__init__(target, port)
        self.swallowed = 0
        self._weather = Weather()
        self._links: set[Link] = set()
        self._random = random.Random(seed)
        self._passing = asyncio.Event()
        self._passing.set()

    def delay(self, seconds: float, jitter: float = 0) -> None:
        """Hold every piece of data back for so long, more or less the jitter."""
        self._change(delay=seconds, jitter=jitter)

    def throttle(self, bytes_per_second: float) -> None:
        """Let each direction of each connection carry no more than this."""
        self._change(bytes_per_second=bytes_per_second)

    def cut_after(self, most_bytes: int) -> None:
        """Cut each connection once it has carried so many more bytes, both directions together."""
        self.do(self._forget_carried)
        self._change(most_bytes=most_bytes)

    def swallow_commits(self, share: float, arriving: float = 1) -> None:
        """Keep back the answers of this share of the COMMITs and cut: whether they happened is then unknown.

        `arriving` is the share of those that reach the database at all.
        """
        self._change(swallowed_share=share, arriving_share=arriving)

    def cut(self) -> None:
        """Close every connection of the moment; new ones are welcome."""
        self.do(self._cut_all)

    def reset(self) -> None:
        """Close every connection of the moment with a TCP reset; new ones are welcome."""
        self.do(lambda: self._cut_all(with_reset=True))

    def blackhole(self) -> None:
        """Let nothing pass any more, in either direction, though every connection stays open."""
        self.do(self._passing.clear)

    def refuse(self) -> None:
        """Close every connection and take no new ones."""
        self.do(self.shut)
        self.cut()

    def heal(self) -> None:
        """Be a good line again. What a black hole held back arrives now."""
        self._weather = Weather()
        self.do(self._passing.set)
        self.run(self.open())

    @property
    def connections(self) -> int:
        """How many connections pass through at the moment."""
        return len(self._links)

    def _change(self, **values: float) -> None:
        for name, value in values.items():
            setattr(self._weather, name, value)

    def _forget_carried(self) -> None:
        for link in self._links:
            link.carried = 0

    def _cut_all(self, with_reset: bool = False) -> None:
        for link in list(self._links):
            link.end(with_reset)
        self.end_all(with_reset)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._passing.wait()
        far_reader, far = await self.connect()
        link = Link(writer, far)
        self._links.add(link)
        ways = [
            asyncio.create_task(self._pump(link, reader, far, self._ask)),
            asyncio.create_task(self._pump(link, far_reader, writer, self._answer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._links.discard(link)
            await self._part(link, ways)

    async def _part(self, link: Link, ways: list[asyncio.Task[None]]) -> None:
        """End both directions once one has ended; what was on its way already may still arrive."""
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for writer in (link.near, link.far):
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def _pump(
        self, link: Link, source: asyncio.StreamReader, sink: asyncio.StreamWriter, look: Callable[[Link, bytes], bool]
    ) -> None:
        while data := await source.read(65536):
            if not look(link, data):
                link.end()
                return
            await self._wait()
            if not await self._send(link, sink, data):
                return
        await self._passing.wait()

    def _ask(self, link: Link, data: bytes) -> bool:
        """Look at what a client sends; say whether it may pass."""
        if not (self._weather.swallowed_share and COMMIT.search(data)):
            return True
        if self._random.random() >= self._weather.swallowed_share:
            return True
        self.swallowed += 1
        link.is_swallowing = True
        return self._random.random() < self._weather.arriving_share

    def _answer(self, link: Link, data: bytes) -> bool:
        """Look at what comes back; the answer of a swallowed commit ends the connection."""
        return not link.is_swallowing

    async def _wait(self) -> None:
        await self._passing.wait()
        weather = self._weather
        if weather.delay or weather.jitter:
            await asyncio.sleep(max(0.0, weather.delay + self._random.uniform(-weather.jitter, weather.jitter)))
            await self._passing.wait()

    async def _send(self, link: Link, sink: asyncio.StreamWriter, data: bytes) -> bool:
        """Pass the data on as far as it may go; say whether the connection goes on."""
        most = self._weather.most_bytes
        room = len(data) if most is None else max(0, most - link.carried)
        link.carried += len(data)
        await self._trickle(sink, data[:room])
        return room >= len(data)

    async def _trickle(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        rate = self._weather.bytes_per_second
        size = max(1, int(rate / SLICES_A_SECOND) if rate else len(data))
        for start in range(0, len(data), size):
            piece = data[start : start + size]
            sink.write(piece)
            await sink.drain()
            if rate:
                await asyncio.sleep(len(piece) / rate)
