"""docs/spec written out a second time, for the tests to hold the codec against; nothing of kittiwake_node."""

from kittiwake.reference import wire
from kittiwake.reference.wire import crc32, frame

__all__ = ["crc32", "frame", "le", "record", "sealed", "segment_head", "state"]


def le(value, size):
    """Little-endian bytes."""
    assert 0 <= value < 1 << 8 * size
    return bytes((value >> 8 * i) & 0xFF for i in range(size))


def sealed(body):
    return body + le(crc32(body), 4)


def record(type=9, channel=0, cls=2, seq=0, boot=1, time_ms=0, epoch_ms=0, layout=1, payload=b"", version=1):
    return wire.record(type, channel, cls, layout, seq, boot, time_ms, epoch_ms, payload, version)


def state(boot=0, acked=0, evicted=(0, 0, 0), floor=(0, 0, 0)):
    return b"".join(le(v, 4) for v in (boot, acked, *evicted, *floor))


def segment_head(cls, journal, first_seq, state_bytes, version=1):
    return sealed(b"KWJ" + bytes([version, cls, 0, 0, 0]) + le(journal, 8) + le(first_seq, 4) + state_bytes)
