"""What a rogue gateway may do to a node over the link: each case is a function of an open Rogue, by its name.

All frames are sound, since damage on the line is test_link's: what they say is wrong.
"""

import json
import struct
import zlib

from kittiwake_node.link import gateway_messages as gm
from kittiwake_node.link import messages as m
from kittiwake_node.link.frame import encode
from tests.support.hil import Gateway

U32_MAX = 0xFFFFFFFF
UNSENT = 3  # records
KEY = b"rogue---"
TIMES = (0, 1, (1 << 48) - 1, 1 << 48, (1 << 63) - 1, (1 << 64) - 1)
DOWN = ((m.OPEN, 10), (m.ACK, 15), (m.REQUEST, 9))


class Rogue(Gateway):
    """A gateway that opens a session as it should, and then says what it likes.

    Attributes:
        number: of its session.
        sent: sequence number after the last record that it got.
    """

    def __init__(self, port, board):
        super().__init__(port, board, window=1)
        self.acks = False
        self.open()
        self.until(lambda: self.records, "no record")
        # What the window keeps back is what a node that believes too much would lose.
        for _ in range(UNSENT):
            assert self.ask(m.OP_EVENT, b"\x05\x00not sent yet")[0] == m.OK
        self.number = self.session._session
        self.sent = self.session.received
        self.requests = 100

    def say(self, kind, body, version=1):
        """Send a frame."""
        self.write(encode(kind, body, version))

    def ack(self, acked, received, window=64, flags=0, session=None):
        self.say(m.ACK, gm.pack_ack(self.number if session is None else session, acked, received, window, flags))

    def reopen(self, session, window=64, max_frame=1024, versions=m.VERSIONS):
        self.say(m.OPEN, gm.pack_open(session, max_frame, window, versions))

    def ask_once(self, op, body=b"", request=None):
        self.requests += 1
        number = self.requests if request is None else request
        self.say(m.REQUEST, gm.pack_request(self.number, number, op, body))

    def save(self, raw, size=None, crc=None):
        """Settings, as they are read by the node."""
        for offset in range(0, len(raw), 500):
            self.ask_once(m.OP_CONFIG_PUT, struct.pack("<H", offset) + raw[offset : offset + 500])
            self.turn()
        size, crc = len(raw) if size is None else size, zlib.crc32(raw) if crc is None else crc
        self.ask_once(m.OP_CONFIG_SAVE, struct.pack("<HI", size, crc))
        self.turn()


def _requests(op, *bodies):
    def case(rogue):
        for body in bodies:
            rogue.ask_once(op, body)
            rogue.turn()

    return case


def _settings(*raws):
    def case(rogue):
        for raw in raws:
            rogue.save(raw)

    return case


def _each_prefix(rogue):
    for kind, size in DOWN:
        whole = struct.pack("<I", rogue.number) + bytes(size)
        for end in range(1, size):
            rogue.say(kind, whole[:end])
        rogue.turn()


def _each_kind(rogue):
    for kind in range(256):
        if kind not in (m.OPEN, m.ACK, m.REQUEST):
            rogue.say(kind, struct.pack("<I", rogue.number) + bytes(20))
        if kind % 16 == 15:
            rogue.turn()


def _each_version(rogue):
    for version in (2, 4, 5, 6):
        rogue.say(m.ACK, gm.pack_ack(rogue.number, rogue.sent, rogue.sent, 64), version)
        rogue.say(m.REQUEST, gm.pack_request(rogue.number, 7, m.OP_PING, b"x"), version)


def _each_operation(rogue):
    for op in range(256):
        if op not in (m.OP_EVENT, m.OP_CONFIG_SAVE):
            rogue.ask_once(op, b"" if op % 2 else bytes(40))
        if op % 8 == 7:
            rogue.turn()


def _repeat(count, do):
    def case(rogue):
        for number in range(count):
            do(rogue, number)
            if number % 8 == 7:
                rogue.turn()

    return case


def _numbers(rogue):
    for request in (0, 5, 5, 3, U32_MAX, U32_MAX - 1, 6, 1):
        rogue.ask_once(m.OP_PING, b"%d" % request, request)
    rogue.ask_once(m.OP_RELEARN, b"\xff", 5)
    rogue.turn()


def _records_of_a_device(rogue):
    for kind, body in (
        (m.HELLO, m.pack_hello(rogue.number, 1024, 1, 1, 0, 9, "other")),
        (m.HELLO, m.pack_hello(0, 1024, 1, 1, 0, 9, "other")),
        (m.RECORDS, m.pack_records(rogue.number, 0, bytes(100))),
        (m.DESCRIPTION, m.pack_description(rogue.number, 1, b"[" * 500)),
        (m.STATUS, m.pack_status(rogue.number, U32_MAX, 0, (1, 2, 3))),
        (m.REPLY, m.pack_reply(rogue.number, 1, 0, b"x")),
    ):
        rogue.say(kind, body)
    rogue.turn()


def _deep(depth):
    return b'{"device":' + b"[" * depth + b"]" * depth + b"}"


CASES = {
    "acknowledges all that may ever be": lambda r: r.ack(U32_MAX, U32_MAX),
    "acknowledges one more than was sent": lambda r: r.ack(r.sent + 1, r.sent + 1),
    "acknowledges more than it received": lambda r: r.ack(r.sent, 0),
    "has received more than was sent": lambda r: r.ack(0, r.sent + 1000),
    "goes back with its acknowledgements": lambda r: [r.ack(r.sent, r.sent), r.ack(0, 0), r.ack(1, r.sent)],
    "acknowledges in a session of another": lambda r: r.ack(r.sent, r.sent, session=r.number ^ 1),
    "acknowledges in no session": lambda r: r.ack(U32_MAX, U32_MAX, session=0),
    "closes the window": lambda r: r.ack(0, 0, window=0),
    "opens the widest window and takes nothing": lambda r: r.ack(0, 0, window=65535),
    "sets every flag": lambda r: r.ack(0, 0, flags=0xFF),
    "asks for all again, and again": _repeat(100, lambda r, _: r.ack(0, 0, flags=m.REWIND)),
    "says that the broker is away, for ever": _repeat(20, lambda r, _: r.ack(0, 0, flags=m.STALLED)),
    "opens session 0": lambda r: r.reopen(0),
    "opens without a window": lambda r: r.reopen(77, window=0),
    "opens with the widest window": lambda r: r.reopen(77, window=65535),
    "takes no frame": lambda r: r.reopen(77, max_frame=0),
    "takes frames longer than there are": lambda r: r.reopen(77, max_frame=65535),
    "speaks versions that nobody knows": lambda r: r.reopen(77, versions=(9, 200)),
    "speaks versions from 9 down to 1": lambda r: r.reopen(77, versions=(9, 1)),
    "opens two hundred sessions": _repeat(200, lambda r, number: r.reopen(number + 1)),
    "asks and does not read": _repeat(40, lambda r, _: r.ask_once(m.OP_PING, bytes(900))),
    "numbers its requests as it likes": _numbers,
    "asks for every operation there may be": _each_operation,
    "tells times that cannot be": _requests(m.OP_TIME, b"", bytes(7), bytes(9), *(struct.pack("<Q", t) for t in TIMES)),
    "tells another time each time": _repeat(
        10, lambda r, n: r.ask_once(m.OP_TIME, struct.pack("<Q", 1_700_000_000_000 + n * 86_400_000 * (-1) ** n))
    ),
    "puts settings where none belong": _requests(
        m.OP_CONFIG_PUT, b"", b"\xff\xffx", struct.pack("<H", 8000) + bytes(500), struct.pack("<H", 1) + b"x"
    ),
    "saves what it did not send": lambda r: [r.save(b"{}", size=9999), r.save(b"{}", crc=1), r.save(b"", size=0)],
    "sends settings nested without end": _settings(_deep(20), _deep(500), _deep(3900), b"[" * 8000),
    "sends settings that are none": _settings(
        b"\xff\xfe",
        b"null",
        b"[]",
        b"NaN",
        b'{"device":"\\ud800"}',
        b'{"health_s":1e999}',
        b'{"n":' + b"9" * 4000 + b"}",
    ),
    "sends settings of the wrong types": _settings(
        *(
            json.dumps({"device": "kw-hil", "channels": value}).encode()
            for value in (None, 1, "x", {}, [None], [[]], [{}])
        )
    ),
    "does once what is once": _requests(
        m.OP_ONCE, b"", KEY, KEY + bytes([m.OP_ONCE]) + KEY, KEY + b"\xc8", KEY + bytes([m.OP_STIMULUS]) + b"\xff"
    ),
    "makes events of what is no text": _requests(
        m.OP_EVENT, b"", b"\x01", b"\x01\x00\xff\xfe\xc0\x80", bytes(40), b"\x02\x00" + b"\xed\xa0\x80" * 100
    ),
    "stimulates channels and samples that there are not": _requests(
        m.OP_STIMULUS,
        b"",
        bytes(4),
        b"\xff" + bytes(4),
        struct.pack("<BI", 0, U32_MAX) + b"xx",
        struct.pack("<BI", 0, 0) + b"x",
    ),
    "lets learn again what learns nothing": _requests(m.OP_RELEARN, b"", b"\0", b"\xff", bytes(9)),
    "cuts every message short": _each_prefix,
    "sends every kind there may be": _each_kind,
    "speaks another version in the middle": _each_version,
    "speaks as a device does": _records_of_a_device,
    "sends delimiters and escapes alone": lambda r: r.write(b"\xc0" * 2000 + b"\xdb\xc0\xdb\xdb\xc0" * 100),
    "begins a frame that never ends": lambda r: r.write(b"\xc0" + b"\x01\x12" + b"\xdb\xdc" * 3000),
}
