"""Groups of devices: the tags that `kittiwake fleet` keeps, and by which a roll-out chooses its boards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from kittiwake.errors import KittiwakeError
from kittiwake.fleet.store import FleetStore

log = logging.getLogger(__name__)

_LOOK_S = 2.0


class Groups:
    """The inventory's tags, as they were last looked at.

    Args:
        path: of the inventory; it need not be there.
        is_watched: whether a page is open.

    Attributes:
        tags: device -> group -> value.
    """

    def __init__(self, path: Path, is_watched: Callable[[], bool]):
        self._path, self._is_watched = path, is_watched
        self.tags: dict[str, dict[str, str]] = {}
        self._problem = ""

    async def run(self) -> None:
        """Look every few seconds, since others write the file too, until cancelled."""
        while True:
            if self._is_watched():
                await asyncio.to_thread(self.look)
            await asyncio.sleep(_LOOK_S)

    def look(self) -> None:
        """Read the file; where that fails, what was known stays, and it is logged once."""
        problem = ""
        try:
            if self._path.is_file():  # to look makes no file
                with FleetStore(self._path) as store:
                    self.tags = store.tags()
        except KittiwakeError as error:
            problem = error.message
        if problem and problem != self._problem:
            log.warning("groups: %s", problem)
        self._problem = problem

    def put(self, device: str, tags: Mapping[str, str]) -> None:
        """Give a device these tags and no others.

        Args:
            device: its id.
            tags: group -> value.

        Raises:
            KittiwakeError: the inventory cannot be written.
        """
        if not tags and not self.tags.get(device):
            return
        with FleetStore(self._path) as store:
            store.put(device, tags)
            self.tags = store.tags()
