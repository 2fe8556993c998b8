"""Frames: bytes on a serial link and back, with resynchronisation after anything (docs/spec/link.md).

Sans-I/O: bytes in, frames or console text out. It does not know what frames mean; messages.py does.

One task feeds and drains a FrameDecoder; it is not interrupt-safe. Memory is bounded by `limit_bytes` whatever arrives.
"""

import binascii
import struct

from ..errors import FrameError

if False:  # for mypy alone
    from kittiwake_types import Buffer

VERSION = 1

_END = b"\xc0"
_ESC = b"\xdb"
# Ctrl-C takes a MicroPython board back to its prompt, so the byte must never stand in a frame.
_CTRL_C = b"\x03"

OVERHEAD_BYTES = 6  # version, kind, CRC-32
BODY_LIMIT_BYTES = 1024


def encode(kind: int, payload: bytes, version: int = VERSION) -> bytes:
    """One frame, delimiters included. Allocates.

    Args:
        kind: message kind, 0 to 255.
        payload: bytes, not empty.
        version: of the link protocol: 1, 2, 4, 5 or 6. From 7 on the first byte looks like console text; 3 is Ctrl-C.

    Returns:
        bytes in which 0x03 does not occur and 0xC0 stands only at both ends.

    Raises:
        FrameError: the payload is empty; an empty frame carries nothing and would hide a bug of the sender's.
    """
    if not payload:
        raise FrameError("frame-empty", "kind %d" % kind)
    body = bytes((version, kind)) + payload
    body += struct.pack("<I", binascii.crc32(body) & 0xFFFFFFFF)
    body = body.replace(_ESC, b"\xdb\xdd").replace(_END, b"\xdb\xdc").replace(_CTRL_C, b"\xdb\xde")
    return b"".join((_END, body, _END))


def _unstuff(chunk: bytes) -> bytes:
    # The escape's own code goes last: until then every 0xDB in the chunk begins a pair.
    return chunk.replace(b"\xdb\xdc", _END).replace(b"\xdb\xde", _CTRL_C).replace(b"\xdb\xdd", _ESC)


def _is_text(byte: int) -> bool:
    return byte >= 0x20 or 7 <= byte <= 13 or byte == 0x1B


class FrameDecoder:
    """Cuts a byte stream into frames; what is no frame comes out as console text.

    Args:
        limit_bytes: longest body accepted (unstuffed, version to CRC). Buffers hold at most twice that and two bytes.

    Attributes:
        rejected: chunks between delimiters that were neither a frame nor plain text (damage on the line).
        version, kind, payload: of the frame that `next_event` just returned.
        text: bytes of the console text that `next_event` just returned.
    """

    FRAME = 1
    TEXT = 2

    def __init__(self, limit_bytes: int = BODY_LIMIT_BYTES) -> None:
        self._limit = 2 * limit_bytes + 2
        self._body_limit = limit_bytes
        self._buf = bytearray()
        self._overlong = False
        self.rejected = 0
        self.version = self.kind = 0
        self.payload = self.text = b""

    def feed(self, data: "Buffer") -> None:
        """Take bytes as they came from the port, any number. Call `next_event` until it returns 0 afterwards."""
        self._buf.extend(data)

    def next_event(self) -> int:
        """The next thing in the stream: FRAME, TEXT, or 0 when more bytes are needed. Never raises on any input."""
        buf = self._buf
        while True:
            end = buf.find(_END)
            if end < 0:
                return self._flush_open()
            chunk = bytes(memoryview(buf)[:end])
            buf[: end + 1] = b""
            event = self._close(chunk)
            if event:
                return event

    def _close(self, chunk: bytes) -> int:
        overlong, self._overlong = self._overlong, False
        if not chunk:
            return 0
        if overlong:
            # The head of this chunk was already given away as too long to be a frame.
            return self._as_text(chunk)
        body = _unstuff(chunk)
        size = len(body)
        if OVERHEAD_BYTES < size <= self._body_limit:
            crc = binascii.crc32(memoryview(body)[: size - 4]) & 0xFFFFFFFF
            if struct.unpack_from("<I", body, size - 4)[0] == crc:
                self.version, self.kind = body[0], body[1]
                self.payload = body[2 : size - 4]
                return self.FRAME
        return self._as_text(chunk)

    def _flush_open(self) -> int:
        # No delimiter yet: give away what can no longer become a frame: text shows at once, and memory is bounded.
        buf = self._buf
        if not buf:
            return 0
        if _is_text(buf[0]):
            line = buf.rfind(b"\n") + 1
            if line:
                chunk = bytes(memoryview(buf)[:line])
                buf[:line] = b""
                return self._as_text(chunk)
        if len(buf) > self._limit:
            chunk = bytes(buf)
            buf[:] = b""
            self._overlong = True
            return self._as_text(chunk)
        return 0

    def _as_text(self, chunk: bytes) -> int:
        for byte in chunk:
            if not _is_text(byte):
                self.rejected += 1
                break
        self.text = chunk
        return self.TEXT
