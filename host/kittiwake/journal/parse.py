"""One file of a journal: its head, its records and marks, and the runs of bytes that are none of these.

Written from docs/spec/journal.md, and apart from the firmware's reader; it shares the record's codec alone.
"""

from __future__ import annotations

import binascii
import re
import struct
from dataclasses import dataclass, field

from kittiwake_node.link import record as rec

VERSION = 1
HEAD_BYTES = 56
_HEAD = "<3sBB3xQI"
_STATE = "<8I"
_STATE_AT = 20
_SEGMENT_NAME = re.compile(r"journal/([012])-([0-9a-f]{8})\.kwj")
_TAIL_NAME = re.compile(r"tail-([012])/newest\.kwj")
_LAYOUT_NAME = re.compile(r"journal/layout-(\d{4,5})\.kwl")


ByClass = tuple[int, int, int]
"""A number for each class of records."""


@dataclass(frozen=True)
class State:
    """What a head or a mark remembers: boots, cursor, and by class records dropped and the floor of numbers."""

    boots: int = 0
    acked: int = 0
    dropped: ByClass = (0, 0, 0)
    floor: ByClass = (0, 0, 0)

    @classmethod
    def unpack(cls, raw: bytes) -> State:
        """Read one.

        Args:
            raw: its 32 bytes.
        """
        v = struct.unpack(_STATE, raw)
        return cls(v[0], v[1], v[2:5], v[5:8])

    def joined(self, other: State) -> State:
        """The newest of both: the larger of each number, for all of them only grow.

        Args:
            other: of the same journal.
        """

        def larger(a: ByClass, b: ByClass) -> ByClass:
            return max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])

        return State(
            max(self.boots, other.boots),
            max(self.acked, other.acked),
            larger(self.dropped, other.dropped),
            larger(self.floor, other.floor),
        )


@dataclass(frozen=True)
class Damage:
    """A run of bytes that is no record: where it begins, how long it is, and what is wrong."""

    path: str
    offset: int
    size: int
    what: str


@dataclass
class Segment:
    """One segment or tail, read.

    Attributes:
        path: within the file system.
        cls: class, by its name.
        first_seq: by its head; by its name where the head is damaged; -1 for a tail of which nothing holds.
        version, journal: by its head, None where that is damaged.
        size: bytes.
        records: (offset, Record), in order.
        states: of its head and its marks.
        marks: how many of them are there.
        damages: Damage, in order.
    """

    path: str
    cls: int
    first_seq: int
    size: int
    version: int | None = None
    journal: int | None = None
    records: list[tuple[int, rec.Record]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    marks: int = 0
    damages: list[Damage] = field(default_factory=list)

    @property
    def is_tail(self) -> bool:
        """Whether it is a tail."""
        return self.path.startswith("tail-")


def class_of(path: str) -> int | None:
    """Class of the segment or tail at a path, None for any other file."""
    match = _SEGMENT_NAME.fullmatch(path) or _TAIL_NAME.fullmatch(path)
    return int(match[1]) if match else None


def layout_number(path: str) -> int | None:
    """Number of the channel description at a path, None for any other file."""
    match = _LAYOUT_NAME.fullmatch(path)
    return int(match[1]) if match else None


def layout_text(raw: bytes) -> bytes | None:
    """The JSON text of a channel description's file, None when its check fails."""
    text, crc = raw[:-4], raw[-4:]
    return text if len(raw) > 4 and struct.unpack("<I", crc)[0] == binascii.crc32(text) else None


def segment(path: str, raw: bytes) -> Segment:
    """Read a segment or a tail.

    Args:
        path: its place, which names its class and, for a segment, its first number.
        raw: its content, not empty.
    """
    match = _SEGMENT_NAME.fullmatch(path)
    cls = class_of(path)
    if cls is None:
        raise ValueError(f"{path} is no segment")
    parsed = Segment(path, cls, int(match[2], 16) if match else -1, len(raw))
    head = raw[:HEAD_BYTES]
    if len(head) < HEAD_BYTES or head[:3] != b"KWJ" or _crc(head[:-4]) != struct.unpack("<I", head[-4:])[0]:
        parsed.damages.append(Damage(path, 0, len(head), "the head does not pass its check"))
    else:
        _, parsed.version, stated_cls, parsed.journal, first_seq = struct.unpack_from(_HEAD, head)
        parsed.states.append(State.unpack(head[_STATE_AT:-4]))
        if stated_cls != parsed.cls or (match and first_seq != parsed.first_seq):
            parsed.damages.append(Damage(path, 0, HEAD_BYTES, f"the head is of class {stated_cls}, number {first_seq}"))
        parsed.first_seq = first_seq
    if parsed.version is None or parsed.version <= VERSION:
        _records(parsed, raw)
    return parsed


def _records(parsed: Segment, raw: bytes) -> None:
    at, bad = HEAD_BYTES, None
    while at < len(raw):
        size = _whole(raw, at)
        if not size:
            bad = at if bad is None else bad
            at += 1
            continue
        if bad is not None:
            parsed.damages.append(Damage(parsed.path, bad, at - bad, "no record that passes its check"))
            bad = None
        if raw[at] == rec.MARK:
            parsed.marks += 1
            payload = raw[at + rec.HEADER_BYTES : at + size - rec.CRC_BYTES]
            if len(payload) == struct.calcsize(_STATE):
                parsed.states.append(State.unpack(payload))
        else:
            record, _ = rec.decode(raw, at)
            parsed.records.append((at, record))
        at += size
    if bad is not None:
        parsed.damages.append(Damage(parsed.path, bad, len(raw) - bad, "no record that passes its check"))


def _whole(raw: bytes, at: int) -> int:
    """Bytes of the record at `at`, 0 when there is none that passes its check."""
    return rec.size_at(raw, at) if rec.is_whole(raw, at) and rec.seq_at(raw, at) < rec.SEQ_LIMIT else 0


def _crc(data: bytes) -> int:
    return binascii.crc32(data) & 0xFFFFFFFF
