"""A device that does not exist: a signal, a clock that is not always set, reboots, floods, and a link that fails.

All of it follows from a seed and the times at which it is asked. It knows no broker: records go into a journal, from
which one of the firmware's sessions takes them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from kittiwake.simulate.journal import Journal
from kittiwake_node.link import anomaly, messages, payload
from kittiwake_node.link import record as rec
from kittiwake_node.link.device_session import DeviceSession

_Session = TypeVar("_Session")

_SAMPLES = 10  # of a summary
_FLOOD = 40
_PERIOD_MS = 600_000
_WRONG_MS = 7 * 3_600_000
# What may happen at a record: its probability.
OFFLINE, REBOOT, FLOOD = 0.002, 0.002, 0.001
_OFFLINE_MS = (5_000, 30_000)
_UNSET_MS = (500, 20_000)


@dataclass
class Happened:
    """What became of devices.

    Attributes:
        records: made.
        offline, reboots, floods: how often.
        unset: boots that began without the time.
        wrong: boots that were told a wrong time first.
        held: times that a full journal made a device hold its tongue.
    """

    records: int = 0
    offline: int = 0
    reboots: int = 0
    floods: int = 0
    unset: int = 0
    wrong: int = 0
    held: int = 0


def gateway_session(name: str, boot: int, journal: Journal) -> DeviceSession:
    """Make the session with a gateway of a device that has just started."""
    return DeviceSession(name, boot, journal, lambda op, body, ms: (messages.OK, b""))


class SimulatedDevice(Generic[_Session]):
    """One device.

    Args:
        name: device id.
        seed: of everything that happens to it.
        has_faults: else it is always there, and knows the time.
        happened: where it is counted.
        now_ms: milliseconds that never go back.
        utc_ms: UTC of that moment.
        make_session: called as make_session(name, boot, journal) at each start.

    Attributes:
        journal, session: what a link needs.
        is_offline: nothing passes its link.
    """

    def __init__(
        self,
        name: str,
        seed: int,
        has_faults: bool,
        happened: Happened,
        now_ms: int,
        utc_ms: int,
        make_session: Callable[[str, int, Journal], _Session],
    ):
        self._make_session = make_session
        self._rng = random.Random(f"{seed}/{name}")
        self.name, self._has_faults, self._happened = name, has_faults, happened
        self.journal = Journal(self._rng.getrandbits(64))
        self._level = self._rng.randint(-500, 500)
        self._phase = self._rng.random() * 2 * math.pi
        self._index = self._boot = 0
        self._offline_until_ms = 0
        self._start(now_ms, utc_ms)

    def is_offline(self, now_ms: int) -> bool:
        """Whether nothing passes its link now."""
        return now_ms < self._offline_until_ms

    def settle(self) -> None:
        """Nothing happens any more."""
        self._has_faults = False
        self._offline_until_ms = 0

    def work(self, now_ms: int, utc_ms: int) -> None:
        """Make a record, or more, or let something happen.

        Args:
            now_ms: milliseconds that never go back.
            utc_ms: UTC of that moment.
        """
        if self.journal.is_full:
            self._happened.held += 1
            return
        chance = self._rng.random() if self._has_faults else 1.0
        if chance < OFFLINE:
            self._offline_until_ms = now_ms + self._rng.randint(*_OFFLINE_MS)
            self._happened.offline += 1
        elif chance < OFFLINE + REBOOT:
            self._happened.reboots += 1
            self._start(now_ms, utc_ms)
        elif chance < OFFLINE + REBOOT + FLOOD:
            self._happened.floods += 1
            for _ in range(_FLOOD):
                self._add(now_ms, rec.ANOMALY, rec.ALERT, self._alert(now_ms))
        if self._told_at_ms is not None and now_ms >= self._told_at_ms:
            self._learn(now_ms, utc_ms)
        self._add(now_ms, rec.SUMMARY, rec.TELEMETRY, self._summary(now_ms))

    def _start(self, now_ms: int, utc_ms: int) -> None:
        rng = self._rng
        self._boot += 1
        self._zero_ms, self._epoch_ms = now_ms, utc_ms
        self._told_at_ms: int | None = None
        self._is_wrong = False
        if self._has_faults and rng.random() < 0.5:
            self._happened.unset += 1
            self._epoch_ms = 0
            self._told_at_ms = now_ms + rng.randint(*_UNSET_MS)
            self._is_wrong = rng.random() < 0.3
            self._happened.wrong += self._is_wrong
        self.session = self._make_session(self.name, self._boot, self.journal)
        self._add(now_ms, rec.BOOT, rec.ALERT, payload.pack_boot(0, 100_000, "simulated"))

    def _learn(self, now_ms: int, utc_ms: int) -> None:
        """Be told the time: a wrong one first, where that is so, and the right one later."""
        told_ms = utc_ms - _WRONG_MS * self._is_wrong
        self._told_at_ms = now_ms + self._rng.randint(*_UNSET_MS) if self._is_wrong else None
        self._is_wrong = False
        self._epoch_ms = told_ms - (now_ms - self._zero_ms)
        self._add(now_ms, rec.TIME, rec.ALERT, payload.pack_time(told_ms))

    def _add(self, now_ms: int, kind: int, cls: int, body: bytes) -> None:
        draft = rec.draft(kind, 0, cls, self._boot, now_ms - self._zero_ms, self._epoch_ms, 1, body)
        self.journal.add(draft)
        self._happened.records += 1

    def _window(self, now_ms: int) -> list[int]:
        level = self._level + 300 * math.sin(2 * math.pi * now_ms / _PERIOD_MS + self._phase)
        self._index += _SAMPLES
        return [round(self._rng.gauss(level, 20)) for _ in range(_SAMPLES)]

    def _summary(self, now_ms: int) -> bytes:
        xs = self._window(now_ms)
        return payload.pack_summary(len(xs), min(xs), max(xs), 0, sum(xs), sum(x * x for x in xs), self._index, 0)

    def _alert(self, now_ms: int) -> bytes:
        xs = self._window(now_ms)
        xs[-1] += 400
        sums = len(xs), xs[-1], min(xs), max(xs), sum(xs), sum(x * x for x in xs)
        return anomaly.pack_anomaly(anomaly.ZSCORE, 0, *sums, self._index, 5, 2)
