"""Messages of the link as the gateway writes and reads them: no board needs these. The bytes are messages.py's."""

import struct

from ..errors import FrameError
from . import messages as m

if False:  # for mypy alone
    from kittiwake_types import Hello


def pack_open(session: int, max_frame: int, window: int, versions: tuple[int, int] = m.VERSIONS) -> bytes:
    """OPEN: begin session number `session` (not 0); frames up to `max_frame` body bytes, `window` records in flight."""
    return struct.pack(m._OPEN, session, versions[0], versions[1], max_frame, window)


def unpack_hello(payload: bytes) -> "Hello":
    """Returns (session, min_version, max_version, max_frame, journal, boot, acked, next_seq, device).

    Raises:
        FrameError: also when the device id is not one that `is_device_id` takes.
    """
    v = m._head(m._HELLO, payload)
    raw = payload[struct.calcsize(m._HELLO) :]
    if not m.is_device_id(raw):
        raise FrameError("device-id", "%r" % bytes(raw[:64]))
    return v + (raw.decode(),)


def pack_ack(session: int, acked: int, received: int, window: int, flags: int = 0) -> bytes:
    """ACK: everything below `acked` is with the broker, everything below `received` is with the gateway."""
    return struct.pack(m._ACK, session, acked, received, window, flags)


def unpack_status(payload: bytes) -> tuple[int, int, int, tuple[int, int, int]]:
    """Returns (session, acked, next_seq, (evicted raw, telemetry, alert)).

    Raises:
        FrameError: also when more is acknowledged than there is.
    """
    v = m._head(m._STATUS, payload)
    if v[1] > v[2]:
        raise FrameError("status", "acked %d of %d" % (v[1], v[2]))
    return v[0], v[1], v[2], v[3:6]


def unpack_records(payload: bytes) -> tuple[int, int, bytes]:
    """Returns (session, start, records as bytes)."""
    session, start = m._head(m._RECORDS, payload)
    return session, start, payload[8:]


def unpack_description(payload: bytes) -> tuple[int, int, bytes]:
    """Returns (session, number, JSON bytes)."""
    session, number = m._head(m._DESCRIPTION, payload)
    return session, number, payload[6:]


def pack_request(session: int, request: int, op: int, body: bytes = b"") -> bytes:
    """REQUEST: do `op`; a repeat with the same number gets the same reply, and is not done again."""
    return struct.pack(m._REQUEST, session, request, op) + body


def unpack_reply(payload: bytes) -> tuple[int, int, int, bytes]:
    """Returns (session, request, status, body)."""
    return m._head(m._REPLY, payload) + (payload[9:],)
