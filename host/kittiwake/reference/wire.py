"""The link's and the journal's bytes, formed a second time from docs/spec; never imports kittiwake_node.

Written byte by byte and bit by bit, without struct and binascii, so that it shares no layout string and no CRC with the
firmware's codec.
"""

from __future__ import annotations

_POLYNOMIAL = 0xEDB88320  # CRC-32 of ISO 3309, reflected


def crc32(data: bytes) -> int:
    """CRC-32, bit by bit; of b"123456789" it is 0xCBF43926."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (_POLYNOMIAL if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frame(kind: int, payload: bytes, version: int = 1) -> bytes:
    """A frame: 0xC0, the body with 0xC0, 0xDB and 0x03 stuffed, 0xC0. The body ends in its CRC-32."""
    body = bytes([version, kind]) + payload
    body += _little(crc32(body), 4)
    pairs = {0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd", 0x03: b"\xdb\xde"}
    return b"\xc0" + b"".join(pairs.get(byte, bytes([byte])) for byte in body) + b"\xc0"


def record(
    kind: int,
    channel: int,
    cls: int,
    layout: int,
    seq: int,
    boot: int,
    time_ms: int,
    epoch_ms: int,
    payload: bytes,
    version: int = 1,
) -> bytes:
    """A record: 28 bytes of head, the payload, a CRC-32 over both."""
    head = bytes([kind, version, channel, cls])
    head += _little(len(payload), 2)
    head += _little(time_ms >> 32, 2) + _little(epoch_ms >> 32, 2)
    head += _little(layout, 2) + _little(seq, 4) + _little(boot, 4)
    head += _little(time_ms & 0xFFFFFFFF, 4) + _little(epoch_ms & 0xFFFFFFFF, 4)
    return head + payload + _little(crc32(head + payload), 4)


def _little(value: int, size: int) -> bytes:
    return bytes(value >> 8 * at & 0xFF for at in range(size))
