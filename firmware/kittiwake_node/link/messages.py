"""Messages of the link: the payloads inside frames as the device writes and reads them (docs/spec/link.md).

gateway_messages.py has the other side. It knows their bytes only; when they are sent is the sessions' business. Every
`unpack_*` raises FrameError on a payload that is too short and ignores a longer tail, so that a later version may
append fields.
"""

import struct

from ..errors import FrameError
from .frame import BODY_LIMIT_BYTES, OVERHEAD_BYTES

if False:  # for mypy alone
    from typing import Any

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


def is_device_id(raw: bytes) -> bool:
    """Whether bytes may name a device: 1 to 64 of letters, digits, '-', '_', '.' (it becomes a level of a topic)."""
    if not 1 <= len(raw) <= 64:
        return False
    for b in raw:
        if not (48 <= b < 58 or 65 <= b < 91 or 97 <= b < 123 or b in (45, 46, 95)):
            return False
    return True


def unpack_ack(payload: bytes) -> tuple[int, int, int, int, int]:
    """Returns (session, acked, received, window, flags)."""
    return _head(_ACK, payload)


def pack_status(session: int, acked: int, next_seq: int, evicted: tuple[int, int, int]) -> bytes:
    """STATUS: the journal's cursor, its end, and how many records of each class were evicted unacknowledged."""
    return struct.pack(_STATUS, session, acked, next_seq, evicted[0], evicted[1], evicted[2])


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


def pack_description(session: int, number: int, text: bytes) -> bytes:
    """DESCRIPTION: the channel description of that number, JSON in UTF-8, sent before records that refer to it."""
    return struct.pack(_DESCRIPTION, session, number) + text


def unpack_request(payload: bytes) -> tuple[int, int, int, bytes]:
    """Returns (session, request, op, body)."""
    return _head(_REQUEST, payload) + (payload[9:],)


def pack_reply(session: int, request: int, status: int, body: bytes = b"") -> bytes:
    """REPLY to a request: OK, UNKNOWN (no such operation) or REFUSED, and what belongs to it."""
    return struct.pack(_REPLY, session, request, status) + body
