"""What the window has heard of one device and of one gateway. Pure: no broker, no clock.

Nothing here says whether a device is on line: that is `presence`'s to judge, from what was heard and when.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kittiwake.window.tail import Tail

HOUR_MS = 3_600_000
_HOURS = 25  # a day's, and the one that has begun
RECENT = 240  # messages of a device that a page gets when it opens
SNAPSHOTS = 24  # their parts
_GAPS = 8
_KEYS = 512
_CAME_EVERY_MS = 500
_CAME = 64
_CHANNELS = 64
NAMES_LIMIT = 4096


@dataclass
class Word:
    """A retained word, "online" or "offline": a claim, and no more.

    Attributes:
        text: "" before one has come.
        since_ms: when it changed to this; None where it was there when the window came.
    """

    text: str = ""
    since_ms: int | None = None
    is_of_this_connection: bool = False

    def take(self, text: str, now_ms: int) -> None:
        """Take the word as it comes.

        Args:
            text: of the status.
            now_ms: when it came, UTC.
        """
        if text != self.text:
            # What was retained before we came changed at a time that nobody saw.
            self.since_ms = now_ms if self.is_of_this_connection else None
        self.text, self.is_of_this_connection = text, True


@dataclass
class Gateway:
    """A bridge.

    Attributes:
        name: its id.
        word: its retained status.
        devices: that its retained list or an answer has named.
        answer: what it said last of itself, when it was asked; {} before.
        links: the answer's part about each device.
        answered_ms, asked_ms: when it answered last, and since when it has owed an answer; None for never.
    """

    name: str
    word: Word = field(default_factory=Word)
    devices: frozenset[str] = frozenset()
    answer: Mapping[str, object] = field(default_factory=dict)
    links: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    answered_ms: int | None = None
    asked_ms: int | None = None

    def take_answer(self, result: Mapping[str, object], now_ms: int) -> None:
        """Take the answer to the command `status`.

        Args:
            result: of the answer, which is not believed to have any form.
            now_ms: when it came, UTC.
        """
        entries = result.get("devices")
        links = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
        self.answer = {name: value for name, value in result.items() if name != "devices"}
        self.links = {entry["device"]: entry for entry in links if isinstance(entry.get("device"), str)}
        self.know(self.links)
        self.answered_ms, self.asked_ms = now_ms, None

    def know(self, names: Iterable[str]) -> None:
        """Take names of devices; who is off line is in no list any more, and is still this gateway's to tell of.

        Args:
            names: that it has said; of more than anybody has, the newest count.
        """
        named = frozenset(names)
        known = self.devices | named
        self.devices = known if len(known) <= NAMES_LIMIT else named


@dataclass
class Device:
    """A device.

    Attributes:
        name: its id.
        word: its retained status.
        heard_ms: when its newest record came; None for never.
        is_heard_here: the window itself has heard that record since it came.
        ts: time of the newest record, as published.
        journal, seq: of the newest record.
        firmware: that its newest boot record names.
        boot_ms: when that came.
        health: its newest health record.
        channels: name -> unit.
        recent, snapshots: messages as they came, without and with raw samples.
        share_bytes: of memory that each of the two may take.
        first_seq: of the first record of that journal that came here.
        records: that have come.
    """

    name: str
    word: Word = field(default_factory=Word)
    heard_ms: int | None = None
    is_heard_here: bool = False
    ts: str | None = None
    journal: str = ""
    seq: int = -1
    first_seq: int = 0
    firmware: str = ""
    boot_ms: int | None = None
    health: dict[str, object] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    recent: Tail = field(default_factory=lambda: Tail(RECENT))
    snapshots: Tail = field(default_factory=lambda: Tail(SNAPSHOTS))
    share_bytes: int = 1 << 20
    records: int = 0
    _came: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_CAME))
    _gaps_ms: deque[int] = field(default_factory=lambda: deque(maxlen=_GAPS))
    _alerts: Counter[int] = field(default_factory=Counter)
    _keys: dict[tuple[str, int], None] = field(default_factory=dict)

    @property
    def usual_gap_ms(self) -> int:
        """The longest of the newest pauses between its records; 0 before there are two."""
        return max(self._gaps_ms, default=0)

    def take(self, body: Mapping[str, object], text: str, now_ms: int) -> None:
        """Take a record.

        Args:
            body: the message.
            text: the same as JSON on one line.
            now_ms: when it came, UTC.
        """
        if self.is_heard_here and self.heard_ms is not None:
            self._gaps_ms.append(now_ms - self.heard_ms)
        self.heard_ms, self.is_heard_here = now_ms, True
        self.records += 1
        ts, journal, seq, kind = (body.get(name) for name in ("ts", "journal", "seq", "kind"))
        self.ts = ts if isinstance(ts, str) else self.ts
        if isinstance(journal, str) and isinstance(seq, int):
            if journal != self.journal:
                self.journal, self.seq, self.first_seq = journal, seq, seq
                self._came.clear()
            self.seq = max(seq, self.seq)
            if not self._came or now_ms - self._came[-1][1] >= _CAME_EVERY_MS:
                self._came.append((seq, now_ms))
            if kind == "alert":
                self.count_alert((journal, seq), now_ms)
        channel, unit = body.get("channel"), body.get("unit")
        if isinstance(channel, str) and channel and (channel in self.channels or len(self.channels) < _CHANNELS):
            self.channels[channel] = unit if isinstance(unit, str) else self.channels.get(channel, "")
        if kind == "health":
            self.health = dict(body)
        elif kind == "boot":
            firmware = body.get("firmware")
            self.firmware, self.boot_ms = firmware if isinstance(firmware, str) else self.firmware, now_ms
        (self.snapshots if kind == "snapshot" else self.recent).put(text, self.share_bytes)

    def came_before(self, seq: int, at_ms: int) -> bool:
        """Whether a record of this number or a later one came before a time, to half a second.

        Args:
            seq: the number.
            at_ms: UTC.
        """
        return any(number >= seq and came_ms < at_ms for number, came_ms in self._came)

    def count_alert(self, key: tuple[str, int], at_ms: int) -> None:
        """Count an alert once, in the hour in which it came.

        Args:
            key: its journal and sequence number.
            at_ms: UTC.
        """
        if key in self._keys:
            return
        self._keys[key] = None
        if len(self._keys) > _KEYS:
            del self._keys[next(iter(self._keys))]
        self._alerts[at_ms // HOUR_MS] += 1
        if len(self._alerts) > _HOURS:
            del self._alerts[min(self._alerts)]

    def alerts_by_hour(self, now_ms: int) -> list[int]:
        """Alerts of each of the last 24 hours, the newest last.

        Args:
            now_ms: UTC.
        """
        newest = now_ms // HOUR_MS
        for hour in [hour for hour in self._alerts if hour <= newest - 24]:
            del self._alerts[hour]
        return [self._alerts[hour] for hour in range(newest - 23, newest + 1)]

    def interrupt(self) -> None:
        """It was away, or what is between: what was heard before is no proof, and the pause no usual one."""
        self.is_heard_here = False
