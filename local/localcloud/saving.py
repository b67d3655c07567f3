"""State on disk, written while the cloud runs: MiniStack writes it only at a graceful stop, and a kill loses all.

A service is written when it changed since the last round, each as a whole file, in MiniStack's own format. Taking the
state has to happen on the event loop, where nothing can change it meanwhile; a round that took long is followed by a
long rest, so that a cloud with thousands of stacks does not spend its time saving.
"""

import asyncio
import json
import logging
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack import app as ministack_app
from ministack.core import persistence
from ministack.services import cloudformation

from localcloud.files import write_whole
from localcloud.resume import unfinished

log = logging.getLogger("slipway.local")

SECONDS_BETWEEN = 2.0
SHARE_OF_TIME = 0.05

# MiniStack copies a service's state before it is written. For the stacks, by far the most of it, writing is quicker
# than copying.
IN_PLACE: dict[str, Callable[[], Any]] = {
    "cloudformation": lambda: {key: store() for store, key in cloudformation._PERSISTED_STORES}
}


class Saver:
    """Writes what changed. `changed()` is called by whoever may have changed something."""

    def __init__(self) -> None:
        self._dirty = False
        self._written: dict[str, int] = {}

    def changed(self) -> None:
        """Remember that there may be something to write."""
        self._dirty = True

    async def run(self) -> None:
        """Save now and then, for ever."""
        while True:
            began = time.monotonic()
            if self._dirty:
                # An operation changes state long after the request that began it, so the round after its end counts.
                self._dirty = unfinished()
                await self.save()
            await asyncio.sleep(max(SECONDS_BETWEEN, (time.monotonic() - began) / SHARE_OF_TIME))

    async def save(self) -> None:
        """Write every service whose state differs from what was written last."""
        for service, state_of in ministack_app._build_persistence_save_dict().items():
            # One service whose state cannot be taken must not keep the others from being saved.
            try:
                state = IN_PLACE.get(service, state_of)()
                if state is not None:
                    await self._write(service, _document(service, state))
            except Exception:  # the reason is in the log, and the next round tries again
                log.exception("The state of %s is not saved", service)

    async def _write(self, service: str, text: str) -> None:
        fingerprint = zlib.crc32(text.encode())
        if self._written.get(service) != fingerprint:
            await asyncio.to_thread(write_whole, Path(persistence.STATE_DIR) / f"{service}.json", text)
            self._written[service] = fingerprint


def _document(service: str, state: Any) -> str:
    document = {"__ministack_format__": persistence._state_format_version(service), "payload": state}
    return json.dumps(document, default=persistence._json_default)


def save_instead_of_ministack() -> None:
    """Leave the saving to this module at the stop as well: MiniStack would write everything again, several times as
    slowly."""
    ministack_app.save_all = lambda _services: None
