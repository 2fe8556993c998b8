"""A roll-out's plan: which release goes to whom, in which waves, when, and what a board may do worse. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

from kittiwake.errors import UsageError

CANARY = 1
SHARES = (0.1, 0.5, 1.0)


@dataclass(frozen=True)
class Limits:
    """What a board may do worse with the new release than it did with the old one.

    Args:
        restarts: starts beyond the one of the update.
        evicted: records that its journal gave up.
        heap_share: of the free heap that may go.
        loop_factor: longest turn of the loop, over the one before.
        loop_us: longest turn of the loop that is never too long, microseconds.
        journal_share: of the journal that may fill beyond what was full before.
        alert_deviations: alerts beyond the usual number, in standard deviations of a Poisson process of that rate.
        alerts_beyond: alerts beyond that, for boards that hardly ever alert.
    """

    restarts: int = 0
    evicted: int = 0
    heap_share: float = 0.25
    loop_factor: float = 2.0
    loop_us: int = 50_000
    journal_share: float = 0.25
    alert_deviations: float = 4.0
    alerts_beyond: int = 5


@dataclass(frozen=True)
class Plan:
    """A roll-out.

    Args:
        release: name of the release, as bridges have it.
        version: of the application in it.
        counter: of the release.
        waves: names of devices, wave by wave; no name twice.
        trial_s: seconds that a board that is there has from the offer until it reports the new application.
        watch_s: seconds that a board is watched after that.
        failures: share of a wave that may fail, rounded down to boards; the first wave may have none.
        windows: (from, to) in UTC, when releases are offered; empty for always. `to` may be before `from`: overnight.
        limits: what a board may do worse.
        sha256: of the release's file, in hexadecimal.
    """

    release: str
    version: str
    counter: int
    waves: tuple[tuple[str, ...], ...]
    trial_s: int = 900
    watch_s: int = 600
    failures: float = 0.0
    windows: tuple[tuple[time, time], ...] = ()
    limits: Limits = field(default_factory=Limits)
    sha256: str = ""

    def may_fail(self, wave: int) -> int:
        """How many boards of a wave may fail before the roll-out halts.

        Args:
            wave: its number, from 0.
        """
        return int(self.failures * len(self.waves[wave])) if wave else 0

    def is_open(self, now_ms: int) -> bool:
        """Whether releases may be offered.

        Args:
            now_ms: UTC in milliseconds since 1970.
        """
        now = datetime.fromtimestamp(now_ms / 1000, UTC).time()
        return not self.windows or any(
            start <= now < end if start <= end else now >= start or now < end for start, end in self.windows
        )


def waves(
    names: Iterable[str], salt: str, canary: int = CANARY, shares: Sequence[float] = SHARES
) -> tuple[tuple[str, ...], ...]:
    """Divide devices into waves: a few first, then shares of all.

    The order is drawn from the names and the salt, so that it is the same each time, and another for the next release.

    Args:
        names: of the devices.
        salt: the release's name, say.
        canary: devices of the first wave.
        shares: of all devices that have been offered the release after each later wave; rising, the last 1.

    Raises:
        UsageError: there is no device, or the shares do not rise to 1.
    """
    drawn = sorted(set(names), key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())
    if not drawn:
        raise UsageError("the roll-out has no device", "`kittiwake fleet list` shows devices and their tags")
    if canary < 1 or list(shares) != sorted(set(shares)) or not shares or shares[0] <= 0 or shares[-1] != 1:
        raise UsageError("the waves do not rise to all devices", "for example a canary of 1, then 10%, 50% and 100%")
    ends = [canary, *(round(share * len(drawn)) for share in shares)]
    divided, start = [], 0
    for end in ends:
        if end > start:
            divided.append(tuple(drawn[start:end]))
            start = end
    return tuple(divided)


def window(text: str) -> tuple[time, time]:
    """Read a window of time.

    Args:
        text: `22:00-05:30`, UTC.

    Raises:
        UsageError: it is none.
    """
    try:
        start, end = (time.fromisoformat(part) for part in text.split("-"))
        if start == end or start.tzinfo or end.tzinfo:
            raise ValueError(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no window of time", "write it as 22:00-05:30, in UTC") from error
    return start, end
