"""Records: the unit that is journalled, sent, acknowledged and published, as bytes and back.

It knows the envelope (docs/spec/record.md); what a payload means is payload.py's, where it is kept is the journal's.
"""

import binascii
import struct

from ..errors import FrameError

if False:  # for mypy alone
    from kittiwake_types import Buffer

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


# A builtin is looked for among this module's names first, at every call: a miss goes through the whole table when it is
# full (docs/measurements.md). Those that each record takes are among them.
_bytearray, _len, _memoryview = bytearray, len, memoryview

# Types. A reader passes unknown ones on untouched; numbers are never reused.
MARK = 0  # the journal's own, never sent
BOOT = 1
TIME = 2
READING = 3
SUMMARY = 4
ANOMALY = 5
SNAPSHOT = 6
KEYWORD = 7
HEALTH = 8
EVENT = 9
DISTURBANCE = 10
STATE = 11

# Classes: what goes first when the journal is full, lowest first.
RAW = 0
TELEMETRY = 1
ALERT = 2
CLASSES = 3
LATE = const(0x80)  # beside the class: made while the way to the broker had been down for a while

VERSION = const(1)
_HEADER = "<BBBBHHHHIIII"
HEADER_BYTES = const(28)
CRC_BYTES = const(4)
OVERHEAD_BYTES = const(HEADER_BYTES + CRC_BYTES)
PAYLOAD_LIMIT_BYTES = const(4096)
SEQ_LIMIT = const(0xFFFFFFFF)  # numbers stay below, so that the one after the last still fits 32 bits


class Record:
    """One record, decoded. Integers only; units are the channel description's (see `description`).

    Attributes:
        type: one of the type numbers above, or a later one.
        version: version of that type's payload.
        channel: channel number, 0 to 255.
        cls: RAW, TELEMETRY or ALERT.
        is_late: made while the way to the broker had been down for a while.
        description: number of the channel description the record was written under.
        seq: sequence number, unique for ever within (device, journal).
        boot: which boot of the device, from 1.
        time_ms: milliseconds since that boot.
        epoch_ms: UTC in milliseconds since 1970 of that boot's zero, or 0 when the device did not know the time.
        payload: bytes.
    """

    def __init__(
        self,
        type: int,
        version: int,
        channel: int,
        cls: int,
        description: int,
        seq: int,
        boot: int,
        time_ms: int,
        epoch_ms: int,
        payload: bytes,
    ) -> None:
        self.type = type
        self.version = version
        self.channel = channel
        self.cls = cls & 0x0F
        self.is_late = cls & LATE != 0
        self.description = description
        self.seq = seq
        self.boot = boot
        self.time_ms = time_ms
        self.epoch_ms = epoch_ms
        self.payload = payload

    @property
    def utc_ms(self) -> int | None:
        """UTC in milliseconds since 1970, or None when it was not known as the record was made."""
        return self.epoch_ms + self.time_ms if self.epoch_ms else None


def draft(
    type: int,
    channel: int,
    cls: int,
    boot: int,
    time_ms: int,
    epoch_ms: int,
    description: int,
    payload: "Buffer",
    version: int = VERSION,
) -> bytearray:
    """Lay out a record whose sequence number is not drawn yet. Allocates.

    The journal numbers records as it commits them, so that what a power cut takes away leaves no gap.

    Args:
        type: type number, 0 to 255.
        channel: 0 to 255.
        cls: RAW, TELEMETRY or ALERT, with LATE where it applies.
        boot: boot count, 0 to 2^32 - 1.
        time_ms: milliseconds since boot, below 2^48.
        epoch_ms: UTC of the boot's zero in milliseconds, below 2^48; 0 for unknown.
        description: channel description number, 0 to 65535.
        payload: bytes, at most PAYLOAD_LIMIT_BYTES.
        version: of that type's payload, 0 to 255.

    Returns:
        bytearray with sequence number 0 and no valid check; `seal` gives it both.

    Raises:
        FrameError: the payload is too long.
    """
    size = _len(payload)
    if size > PAYLOAD_LIMIT_BYTES:
        raise FrameError("record-too-long", "payload of %d bytes, limit %d" % (size, PAYLOAD_LIMIT_BYTES))
    out = _bytearray(OVERHEAD_BYTES + size)
    struct.pack_into(
        _HEADER,
        out,
        0,
        type,
        version,
        channel,
        cls,
        size,
        time_ms >> 32,
        epoch_ms >> 32,
        description,
        0,
        boot,
        time_ms & 0xFFFFFFFF,
        epoch_ms & 0xFFFFFFFF,
    )
    out[HEADER_BYTES:-CRC_BYTES] = payload
    return out


def seal(buf: bytearray, offset: int, size: int, seq: int) -> None:
    """Give the drafted record at buf[offset:offset + size] its sequence number and its CRC-32, in place. Allocates."""
    end = offset + size - CRC_BYTES
    struct.pack_into("<I", buf, offset + 12, seq)
    struct.pack_into("<I", buf, end, binascii.crc32(_memoryview(buf)[offset:end]) & 0xFFFFFFFF)


def seal_all(batch: bytearray, seq: int) -> int:
    """Seal the drafted records that a batch consists of, in place. Allocates.

    Args:
        batch: drafts, one after the other.
        seq: number of the first; each following one gets the next.

    Returns:
        How many there are.
    """
    offset = count = 0
    while offset < _len(batch):
        size = size_at(batch, offset)
        seal(batch, offset, size, seq + count)
        offset += size
        count += 1
    return count


def size_at(buf: "Buffer", offset: int) -> int:
    """Bytes that the record starting at `offset` says it takes, or 0 when its header does not fit in `buf`."""
    if _len(buf) - offset < OVERHEAD_BYTES:
        return 0
    return OVERHEAD_BYTES + (buf[offset + 4] | buf[offset + 5] << 8)


def seq_at(buf: "Buffer", offset: int) -> int:
    """Sequence number of the record starting at `offset` (unchecked)."""
    seq: int = struct.unpack_from("<I", buf, offset + 12)[0]
    return seq


def is_whole(buf: "Buffer", offset: int) -> bool:
    """Whether a record that passes its check starts at `offset` and ends within `buf`. Allocates (a CRC)."""
    size = size_at(buf, offset)
    if size == 0 or size > OVERHEAD_BYTES + PAYLOAD_LIMIT_BYTES or offset + size > _len(buf):
        return False
    crc = binascii.crc32(_memoryview(buf)[offset : offset + size - CRC_BYTES]) & 0xFFFFFFFF
    stored: int = struct.unpack_from("<I", buf, offset + size - CRC_BYTES)[0]
    return stored == crc


def decode(buf: "Buffer", offset: int = 0) -> "tuple[Record, int]":
    """Read the record at `offset`.

    Args:
        buf: bytes-like.
        offset: where the record starts.

    Returns:
        (Record, offset after it).

    Raises:
        FrameError: it is cut short, its check fails or its number cannot be; nothing of it can be believed.
    """
    if not is_whole(buf, offset) or seq_at(buf, offset) == SEQ_LIMIT:
        raise FrameError("record-damaged", "at byte %d of %d" % (offset, _len(buf)))
    head = struct.unpack_from(_HEADER, buf, offset)
    kind, version, channel, cls, length, time_hi, epoch_hi, description, seq, boot, time_lo, epoch_lo = head
    start = offset + HEADER_BYTES
    record = Record(
        kind,
        version,
        channel,
        cls,
        description,
        seq,
        boot,
        time_hi << 32 | time_lo,
        epoch_hi << 32 | epoch_lo,
        bytes(_memoryview(buf)[start : start + length]),
    )
    return record, start + length + CRC_BYTES
