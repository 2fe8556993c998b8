"""MQTT 3.1.1 as bytes and back: what a client sends, and a reader of what a broker sends.

Sans-I/O. It knows packets and no session. Source: OASIS MQTT Version 3.1.1, sections 2 and 3; numbers in brackets are
of its sections.
"""

import struct

from ..errors import FrameError

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13

PACKET_LIMIT_BYTES = 4096  # of what a broker sends; the longest command fits
PING = b"\xc0\x00"
GOODBYE = b"\xe0\x00"
ACCEPTED = 0
REFUSALS = {  # [3.2.2.3]
    1: "it speaks no MQTT 3.1.1",
    2: "it does not take this client id",
    3: "it is not available",
    4: "user name or password are wrong",
    5: "not authorised",
}
_FAILED = 0x80  # of SUBACK [3.9.3]


class Login:
    """Who the device is to the broker.

    Args:
        client_id: text.
        username, password: "" for none.
        keepalive_s: seconds after which broker and device miss each other.
        window: records in flight, 1 to 64.
    """

    def __init__(
        self, client_id: str, username: str = "", password: str = "", keepalive_s: int = 30, window: int = 16
    ) -> None:
        self.client_id = client_id
        self.username = username
        self.password = password
        self.keepalive_s = keepalive_s
        self.window = window


def connect(
    client_id: str, keepalive_s: int, will_topic: str, will: bytes, username: str = "", password: str = ""
) -> bytes:
    """CONNECT, with a will that is retained and QoS 1; the session is kept over connections [3.1]. Allocates."""
    flags = 0x04 | 0x08 | 0x20  # will, its QoS 1, its retain; no clean session
    tail = _string(client_id) + _string(will_topic) + struct.pack(">H", len(will)) + will
    if username:
        flags |= 0x80
        tail += _string(username)
        if password:
            flags |= 0x40
            tail += _string(password)
    return _packet(0x10, b"\x00\x04MQTT\x04" + struct.pack(">BH", flags, keepalive_s) + tail)


def publish(topic: str, payload: bytes, packet_id: int, is_repeat: bool = False, retain: bool = False) -> bytes:
    """PUBLISH at QoS 1 [3.3]. Allocates once.

    Args:
        topic: text.
        payload: bytes.
        packet_id: 1 to 65535.
        is_repeat: sent before under this id and not confirmed.
        retain: the broker keeps it for who comes later.
    """
    name = topic.encode()
    head = 0x32 | (0x08 if is_repeat else 0) | (0x01 if retain else 0)
    body = struct.pack(">H", len(name)) + name + struct.pack(">H", packet_id)
    return bytes([head]) + _length(len(body) + len(payload)) + body + payload


def subscribe(packet_id: int, topic: str) -> bytes:
    """SUBSCRIBE to one topic at QoS 1 [3.8]. Allocates."""
    return _packet(0x82, struct.pack(">H", packet_id) + _string(topic) + b"\x01")


def puback(packet_id: int) -> bytes:
    """PUBACK of a message of the broker's [3.4]. Allocates."""
    return struct.pack(">BBH", 0x40, 2, packet_id)


class PacketReader:
    """Cuts the stream into packets. Its memory is bounded by the limit: a longer packet is cut off there, and counted.

    Args:
        limit_bytes: longest packet body that is kept.

    Attributes:
        cut: packets that were longer.
    """

    def __init__(self, limit_bytes: int = PACKET_LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self.cut = 0
        self.reset()

    def reset(self) -> None:
        """Forget what has arrived: another connection begins."""
        self._held = b""
        self._skip = 0

    def feed(self, data: bytes) -> None:
        """Take bytes. Allocates."""
        if self._skip:
            passed = min(self._skip, len(data))
            self._skip -= passed
            data = data[passed:]
        self._held += data

    @property
    def kind(self) -> int:
        """Type of the packet whose first byte has arrived, 0 when none has."""
        return self._held[0] >> 4 if self._held else 0

    def next_packet(self) -> tuple[int, int, bytes] | None:
        """The next whole packet.

        Returns:
            (type, flags, body as bytes), or None when more bytes are needed.

        Raises:
            FrameError: the stream is no MQTT; nothing that follows can be read.
        """
        held = self._held
        size, start = 0, 1
        while True:
            if start >= len(held):
                return None
            byte = held[start]
            size |= (byte & 0x7F) << 7 * (start - 1)
            start += 1
            if not byte & 0x80:
                break
            if start > 4:  # [2.2.3]
                raise FrameError("mqtt-length", "of more than four bytes")
        kept = min(size, self._limit)
        if len(held) < start + kept:
            return None
        self._held = held[start + kept :]
        if kept < size:
            self.cut += 1
            self._skip = size - kept
            self.feed(self._take_held())
        return held[0] >> 4, held[0] & 0x0F, held[start : start + kept]

    def _take_held(self) -> bytes:
        held, self._held = self._held, b""
        return held


def read_connack(body: bytes) -> tuple[bool, int]:
    """Returns (whether the broker has kept a session, return code). Raises FrameError when it is short."""
    if len(body) < 2:
        raise FrameError("mqtt-short", "CONNACK")
    return body[0] & 1 != 0, body[1]


def read_id(body: bytes) -> int:
    """The packet id that a PUBACK or SUBACK begins with. Raises FrameError when it is short."""
    if len(body) < 2:
        raise FrameError("mqtt-short", "acknowledgement")
    return body[0] << 8 | body[1]


def is_granted(suback: bytes) -> bool:
    """Whether the broker took the subscription."""
    return len(suback) > 2 and suback[2] < _FAILED


def read_publish(flags: int, body: bytes) -> tuple[bytes, bytes, int]:
    """Returns (topic as bytes, payload, packet id, 0 at QoS 0).

    Raises:
        FrameError: it is shorter than it says, or at QoS 2, which was not asked for.
    """
    qos = flags >> 1 & 3
    size = body[0] << 8 | body[1] if len(body) > 1 else len(body)
    start = 2 + size + (2 if qos else 0)
    if len(body) < start or qos > 1:
        raise FrameError("mqtt-publish", "%d bytes, QoS %d" % (len(body), qos))
    return body[2 : 2 + size], body[start:], (body[start - 2] << 8 | body[start - 1] if qos else 0)


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(head: int, body: bytes) -> bytes:
    return bytes([head]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    out = b""
    while size > 127:
        out += bytes([size & 127 | 128])
        size >>= 7
    return out + bytes([size])
