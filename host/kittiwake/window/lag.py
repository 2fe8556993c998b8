"""How far the history is behind what the window has heard itself: looked at while a page is open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.window.archive import Archive
from kittiwake.window.device import Device

_LOOK_S = 1.0  # with the grace below, a page knows within five seconds
# A record is in the history some moments after it came here.
GRACE_MS = 3000

Kept = Mapping[tuple[str, str], tuple[int, int]]


def behind(devices: Iterable[Device], kept: Kept, now_ms: int) -> dict[str, Any]:
    """Say how many records the history lacks of those that were heard.

    Args:
        devices: with their newest record.
        kept: (device, journal) -> sequence number and arrival of the newest that the history has.
        now_ms: UTC.

    Returns:
        `behind`: records; `since`: when the newest came that it has, UTC, None with none; `is_behind`: it lacks some
        that came more than a few seconds ago.
    """
    count, is_late = 0, False
    for device in devices:
        if not device.journal or not device.is_heard_here:
            continue
        seq, _ = kept.get((device.name, device.journal), (-1, 0))
        if device.seq > seq:
            count += device.seq - max(seq, device.first_seq - 1)
            is_late = is_late or device.came_before(seq + 1, now_ms - GRACE_MS)
    since = max((arrived for _, arrived in kept.values()), default=None)
    return {"behind": count, "since": since, "is_behind": is_late}


class Lag:
    """The look-out.

    Args:
        archive: the history.
        devices: gives those of the fleet.
        is_watched: whether a page is open.
        now_ms: the clock, UTC.

    Attributes:
        told: what pages are told: see `behind`, and `problem`; {} where there is no history.
    """

    def __init__(
        self,
        archive: Archive,
        devices: Callable[[], Iterable[Device]],
        is_watched: Callable[[], bool],
        now_ms: Callable[[], int],
    ):
        self._archive, self._devices, self._is_watched, self._now_ms = archive, devices, is_watched, now_ms
        self.told: dict[str, Any] = {}

    async def run(self) -> None:
        """Look every few seconds, until cancelled."""
        while self._archive.database:
            if self._is_watched():
                await self._look()
            await asyncio.sleep(_LOOK_S)

    async def _look(self) -> None:
        place = {"database": self._archive.database.rpartition("@")[2]}  # without a server's user and password
        try:
            kept = await asyncio.to_thread(self._archive.newest)
        except KittiwakeError as error:
            self.told = {**place, "problem": error.message, "mend": error.mend}
        else:
            self.told = {**place, "problem": "", **behind(self._devices(), kept, self._now_ms())}
