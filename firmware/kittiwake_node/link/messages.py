"""Messages of the link: the payloads inside frames, both ways (docs/spec/link.md).

It knows their bytes only; when they are sent is the sessions' business. Every `unpack_*` raises FrameError on a payload
that is too short and ignores a longer tail, so that a later version may append fields.
"""

import struct

from ..errors import FrameError
from .frame import BODY_LIMIT_BYTES, OVERHEAD_BYTES

if False:  # for mypy alone
    from typing import Any

    from kittiwake_types import Hello

MIN_VERSION = 1
MAX_VERSION = 1
VERSIONS = (MIN_VERSION, MAX_VERSION)

FRAME_FLOOR_BYTES = BODY_LIMIT_BYTES  # both ends take at least this, so that every record and description fits a frame
REQUESTS_IN_FLIGHT = 8  # requests beyond the oldest one without a reply; what the device remembers to not do twice

# Device to gateway.
HELLO = 1
RECORDS = 2
STATUS = 4
REPLY = 5
DESCRIPTION = 6
# Gateway to device.
OPEN = 17
ACK = 18
REQUEST = 20

REWIND = 1  # ACK flag: a hole was seen, send again from `received`
STALLED = 2  # ACK flag: the broker takes nothing just now

# Operations of requests.
OP_PING = 1
OP_TIME = 2
OP_IDENTIFY = 3
OP_STIMULUS = 4
OP_CONFIG_GET = 5
OP_CONFIG_PUT = 6
OP_CONFIG_SAVE = 7
OP_ONCE = 8  # another operation, carried out once for ever
OP_EVENT = 9
OP_RELEARN = 10
OP_UPDATE_OFFER = 11
OP_UPDATE_PIECE = 12
OP_UPDATE_PROGRESS = 13
KEY_BYTES = 8  # names the command of OP_ONCE

# Status of replies.
OK = 0
UNKNOWN = 1
REFUSED = 2

NO_SESSION = 0

_OPEN = "<IBBHH"
_HELLO = "<IBBHQIII"
_ACK = "<IIIHB"
_STATUS = "<IIIIII"
_RECORDS = "<II"
_REQUEST = "<IIB"
_REPLY = "<IIB"
_DESCRIPTION = "<IH"

RECORDS_HEAD_BYTES = 8 + OVERHEAD_BYTES  # what a RECORDS frame takes beside its records


def _head(form: str, payload: bytes) -> "tuple[Any, ...]":
    if len(payload) < struct.calcsize(form):
        raise FrameError("message-short", "%d bytes, needs %d" % (len(payload), struct.calcsize(form)))
    return struct.unpack_from(form, payload, 0)


def pack_open(session: int, max_frame: int, window: int, versions: tuple[int, int] = VERSIONS) -> bytes:
    """OPEN: begin session number `session` (not 0); frames up to `max_frame` body bytes, `window` records in flight."""
    return struct.pack(_OPEN, session, versions[0], versions[1], max_frame, window)


def unpack_open(payload: bytes) -> tuple[int, int, int, int, int]:
    """Returns (session, min_version, max_version, max_frame, window)."""
    return _head(_OPEN, payload)


def pack_hello(
    session: int,
    max_frame: int,
    journal: int,
    boot: int,
    acked: int,
    next_seq: int,
    device: str,
    versions: tuple[int, int] = VERSIONS,
) -> bytes:
    """HELLO: who the device is and where its journal stands; session 0 announces a boot.

    Args:
        session: number, 0 to 2^32 - 1.
        max_frame: bytes of the longest frame body that the device takes.
        journal: journal id, uint64.
        boot: boot count.
        acked: first sequence number that is not acknowledged.
        next_seq: sequence number after the last committed record.
        device: device id, text of at most 64 bytes.
        versions: oldest and newest link version that it speaks.
    """
    head = struct.pack(_HELLO, session, versions[0], versions[1], max_frame, journal, boot, acked, next_seq)
    return head + device.encode()


def unpack_hello(payload: bytes) -> "Hello":
    """Returns (session, min_version, max_version, max_frame, journal, boot, acked, next_seq, device).

    Raises:
        FrameError: also when the device id is not one that `is_device_id` takes.
    """
    v = _head(_HELLO, payload)
    raw = payload[struct.calcsize(_HELLO) :]
    if not is_device_id(raw):
        raise FrameError("device-id", "%r" % bytes(raw[:64]))
    return v + (raw.decode(),)


def is_device_id(raw: bytes) -> bool:
    """Whether bytes may name a device: 1 to 64 of letters, digits, '-', '_', '.' (it becomes a level of a topic)."""
    if not 1 <= len(raw) <= 64:
        return False
    for b in raw:
        if not (48 <= b < 58 or 65 <= b < 91 or 97 <= b < 123 or b in (45, 46, 95)):
            return False
    return True


def pack_ack(session: int, acked: int, received: int, window: int, flags: int = 0) -> bytes:
    """ACK: everything below `acked` is with the broker, everything below `received` is with the gateway."""
    return struct.pack(_ACK, session, acked, received, window, flags)


def unpack_ack(payload: bytes) -> tuple[int, int, int, int, int]:
    """Returns (session, acked, received, window, flags)."""
    return _head(_ACK, payload)


def pack_status(session: int, acked: int, next_seq: int, evicted: tuple[int, int, int]) -> bytes:
    """STATUS: the journal's cursor, its end, and how many records of each class were evicted unacknowledged."""
    return struct.pack(_STATUS, session, acked, next_seq, evicted[0], evicted[1], evicted[2])


def unpack_status(payload: bytes) -> tuple[int, int, int, tuple[int, int, int]]:
    """Returns (session, acked, next_seq, (evicted raw, telemetry, alert)).

    Raises:
        FrameError: also when more is acknowledged than there is.
    """
    v = _head(_STATUS, payload)
    if v[1] > v[2]:
        raise FrameError("status", "acked %d of %d" % (v[1], v[2]))
    return v[0], v[1], v[2], v[3:6]


def common_version(ours: tuple[int, int], theirs: tuple[int, int]) -> int:
    """Newest link version in both ranges (oldest, newest), or 0 when there is none."""
    version = min(ours[1], theirs[1])
    return version if version >= max(ours[0], theirs[0]) else 0


def is_readable(kind: int, version: int, agreed: int) -> bool:
    """Whether a frame can be understood: OPEN and HELLO keep their form in every version, the others only in theirs."""
    return kind in (OPEN, HELLO) or version == agreed


def pack_records(session: int, start: int, records: bytes) -> bytes:
    """RECORDS: every record that exists from sequence number `start` to the last one carried, in order."""
    return struct.pack(_RECORDS, session, start) + records


def unpack_records(payload: bytes) -> tuple[int, int, bytes]:
    """Returns (session, start, records as bytes)."""
    session, start = _head(_RECORDS, payload)
    return session, start, payload[8:]


def pack_description(session: int, number: int, text: bytes) -> bytes:
    """DESCRIPTION: the channel description of that number, JSON in UTF-8, sent before records that refer to it."""
    return struct.pack(_DESCRIPTION, session, number) + text


def unpack_description(payload: bytes) -> tuple[int, int, bytes]:
    """Returns (session, number, JSON bytes)."""
    session, number = _head(_DESCRIPTION, payload)
    return session, number, payload[6:]


def pack_request(session: int, request: int, op: int, body: bytes = b"") -> bytes:
    """REQUEST: do `op`; a repeat with the same number gets the same reply, and is not done again."""
    return struct.pack(_REQUEST, session, request, op) + body


def unpack_request(payload: bytes) -> tuple[int, int, int, bytes]:
    """Returns (session, request, op, body)."""
    return _head(_REQUEST, payload) + (payload[9:],)


def pack_reply(session: int, request: int, status: int, body: bytes = b"") -> bytes:
    """REPLY to a request: OK, UNKNOWN (no such operation) or REFUSED, and what belongs to it."""
    return struct.pack(_REPLY, session, request, status) + body


def unpack_reply(payload: bytes) -> tuple[int, int, int, bytes]:
    """Returns (session, request, status, body)."""
    return _head(_REPLY, payload) + (payload[9:],)
