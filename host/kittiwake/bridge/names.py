"""Which port a device's name belongs to: no second one gets its topics, its commands or its acknowledgements.

A name belongs to the port that holds it while that is connected, or to the port for which the configuration keeps it.
It knows neither journal nor broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from kittiwake.bridge.device_link import DeviceLink

KNOWN_LIMIT = 4096
# A bench at which boards are tried one after the other has new names all day; what invents them has more.
BURST = 16
_EACH_S = 60.0


@dataclass
class _Allowance:
    """How many new names a port may still bring, and when that was counted."""

    left: float
    counted_s: float


class Names:
    """The names on one bridge.

    Args:
        bridge_id: of the bridge: its topics are not a device's.
        links: gives all links.
        known: gives the names that the bridge has topics for.
        clock_s: seconds that never go back, for tests.
    """

    def __init__(
        self,
        bridge_id: str,
        links: Callable[[], Iterable[DeviceLink]],
        known: Callable[[], Collection[str]],
        clock_s: Callable[[], float] = time.monotonic,
    ):
        self._bridge_id, self._links, self._known, self._clock_s = bridge_id, links, known, clock_s
        self._granted: set[str] = set()
        self._allowances: dict[str, _Allowance] = {}

    def admit(self, link: DeviceLink, device: str) -> str:
        """Say whether a device may speak on a port.

        Args:
            link: of the port.
            device: the name that was said there.

        Returns:
            Why it may not, or "".
        """
        if device == self._bridge_id:
            return f"device {device} has the bridge's own id: give one of them another"
        for other in self._links():
            if other is link:
                continue
            if other.section.device == device and link.section.device != device:
                return f"device {device} is here, and the configuration keeps that name for {other.url}"
            if other.device == device and other.holds_name:
                return f"device {device} is here, and {other.url} has a device of that name: it is not taken"
        if device in self._granted or device in self._known():
            return ""
        return self._grant(link, device)

    def _grant(self, link: DeviceLink, device: str) -> str:
        if len(self._granted | set(self._known())) >= KNOWN_LIMIT:
            return f"device {device} is here, and {KNOWN_LIMIT} names are known already: forget some"
        now_s = self._clock_s()
        allowance = self._allowances.setdefault(link.url, _Allowance(BURST, now_s))
        allowance.left = min(BURST, allowance.left + (now_s - allowance.counted_s) / _EACH_S)
        allowance.counted_s = now_s
        if allowance.left < 1 and link.section.device != device:
            return f"device {device} is here, the newest of too many names on this port: it is taken in a while"
        allowance.left = max(0.0, allowance.left - 1)
        self._granted.add(device)
        return ""

    def forget(self, device: str) -> None:
        """A name is known no more."""
        self._granted.discard(device)
