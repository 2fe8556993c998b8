"""DNS, as much as it takes to find one IPv4 address: a question as bytes, and an answer read.

Sans-I/O; a board's own getaddrinfo waits for the network, and sampling must not. Source: RFC 1035, section 4.
"""

import struct

from ..errors import FrameError

PORT = 53
ANSWER_LIMIT_BYTES = 512  # [4.2.1]
_RECURSION = 0x0100
_A = 1
_IN = 1
_LINKS_LIMIT = 8  # of names that point to names, in one answer


def question(number: int, host: str) -> bytes:
    """Ask for the address of a host. Allocates.

    Args:
        number: 16 bits that the answer repeats.
        host: a name of labels of 1 to 63 ASCII characters.

    Raises:
        FrameError: it is no such name.
    """
    out = struct.pack(">HHHHHH", number, _RECURSION, 1, 0, 0, 0)
    for label in host.rstrip(".").split("."):
        if not 1 <= len(label) <= 63:
            raise FrameError("dns-name", host)
        out += bytes([len(label)]) + label.encode()
    return out + struct.pack(">BHH", 0, _A, _IN)


def read_answer(data: bytes, question: bytes) -> str | None:
    """Read an answer.

    Args:
        data: bytes of a datagram, from anybody.
        question: the question.

    Returns:
        The first address as "192.0.2.1"; "" when there is none by that name; None when it answers something else.

    Raises:
        FrameError: it is cut short.
    """
    if (
        len(data) < 12
        or data[:2] != question[:2]
        or not data[2] & 0x80
        or data[12 : len(question)].lower() != question[12:].lower()
    ):
        return None
    if data[3] & 0x0F:
        return ""
    at = len(question)
    for _ in range(min(data[6] << 8 | data[7], _LINKS_LIMIT)):
        at = _after_name(data, at)
        if at + 10 > len(data):
            raise FrameError("dns-short", "%d bytes" % len(data))
        kind, group, _, size = struct.unpack_from(">HHIH", data, at)
        at += 10
        if kind == _A and group == _IN and size == 4 and at + 4 <= len(data):
            return "%d.%d.%d.%d" % (data[at], data[at + 1], data[at + 2], data[at + 3])
        at += size
    return ""


def is_address(host: str) -> bool:
    """Whether it is an IPv4 address in figures, which needs no asking."""
    parts = host.split(".")
    return len(parts) == 4 and all([p.isdigit() and len(p) < 4 and int(p) < 256 for p in parts])


def _after_name(data: bytes, at: int) -> int:
    while at < len(data):
        size = data[at]
        if size >= 0xC0:  # a pointer to the rest of it [4.1.4]
            return at + 2
        at += 1 + size
        if not size:
            return at
    raise FrameError("dns-short", "%d bytes" % len(data))
