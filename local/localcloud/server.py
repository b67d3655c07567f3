"""The HTTP side: MiniStack's application on loopback, a page that says when it is ready, a stop that takes a moment."""

import asyncio
import contextlib
import json
import logging
import re
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app as ministack_app

from localcloud.resume import resume_operations
from localcloud.saving import Saver

log = logging.getLogger("slipway.local")

READY_PATH = "/_slipway/ready"
# MiniStack's own pages for wiping everything and for changing its settings, open to any page in the browser.
CLOSED_PATHS = ("/_ministack/reset", "/_ministack/config")

# How the two protocols that always POST name an action that changes nothing.
READS = re.compile(rb"(?:^|&)Action=(?:Describe|Get|List|Validate)|\.(?:Describe|Get|List|BatchGet|Query|Scan)\w*$")

Application = Callable[..., Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]


class Gate:
    """Stands before MiniStack: answers the ready page, and notes requests that may have changed something."""

    def __init__(self, application: Application, saver: Saver) -> None:
        self.application = application
        self.saver = saver
        self.ready = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == READY_PATH:
            await _answer(send, 200 if self.ready else 503, {"ready": self.ready})
        elif scope["type"] == "http" and scope["path"].startswith(CLOSED_PATHS):
            await _answer(send, 404, {"message": "This page is closed in the local cloud."})
        else:
            await self.application(scope, self._noting_changes(scope, receive), send)

    def _noting_changes(self, scope: dict[str, Any], receive: Receive) -> Receive:
        """Let the saver know of every request but those that plainly only read: pages poll, and saving costs time."""

        async def receive_and_note() -> dict[str, Any]:
            message = await receive()
            if message["type"] == "http.request" and not _only_reads(scope, message.get("body", b"")):
                self.saver.changed()
            return message

        return receive_and_note


def _only_reads(scope: dict[str, Any], body: bytes) -> bool:
    target = dict(scope["headers"]).get(b"x-amz-target", b"")
    return scope["method"] in ("GET", "HEAD") or bool(READS.search(target) or READS.search(body))


async def _answer(send: Any, status: int, body: dict[str, Any]) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def run(port: int, seed: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; ready once the seed is in place. The state is on disk when this returns."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    saver = Saver()
    gate = Gate(ministack_app, saver)
    background = asyncio.create_task(_get_ready(port, gate, saver, seed, stop))
    try:
        await serve(gate, _config(port), shutdown_trigger=stop.wait)
    finally:
        background.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await background
        # A seed that was laid only in part is better laid anew.
        if gate.ready:
            await saver.save()


def _config(port: int) -> Config:
    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.5
    config.loglevel = "WARNING"
    return config


async def _get_ready(port: int, gate: Gate, saver: Saver, seed: Callable[[int], None], stop: asyncio.Event) -> None:
    await _accepting(port)
    resume_operations()
    try:
        await asyncio.to_thread(seed, port)
    except Exception:  # noqa: BLE001 - whatever it was, a cloud without its seed must not say it is ready
        log.exception("The seed could not be laid, so the local cloud stops")
        stop.set()
        return
    await saver.save()
    gate.ready = True
    log.info("The local cloud is ready on port %d", port)
    await saver.run()


async def _accepting(port: int) -> None:
    """Return once the port answers, which is after MiniStack has read its state."""
    while True:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.02)
