"""Both ends of the link as fuzz targets: bytes in, and what must hold whatever they are.

Nothing but the documented results comes out of either end, memory stays within its bounds, and after the worst a good
exchange still works.
"""

import json
import random
from typing import Any, cast

from kittiwake.bridge.device_link import DeviceLink
from kittiwake.bridge.settings import DeviceSection
from kittiwake.mqtt.callbacks import Receipt
from kittiwake.publish.publisher import Policy
from kittiwake_node.link import anomaly, machine_state, payload
from kittiwake_node.link import gateway_messages as gm
from kittiwake_node.link import messages as m
from kittiwake_node.link import record as rec
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.link.frame import BODY_LIMIT_BYTES, encode
from tools.devices import LAYOUT, MemoryJournal

Frame = tuple[int, bytes]
"""Kind and body."""

SESSION = 0x01020304
WINDOW = 64


class Sink:
    """A broker that has confirmed by the next turn."""

    has_room = True

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.payloads = 0

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool, receipt: Receipt) -> None:
        assert topic and not set(topic) & set("+#\0")
        json.loads(payload)
        self.payloads += 1
        self.receipts.append(receipt)


class Port:
    waiting_bytes = 0

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def try_write(self, data: bytes) -> bool:
        self.written.append(data)
        return True


class GatewayEnd:
    """The bridge's link of one device, from bytes to messages."""

    def __init__(self) -> None:
        self.sink = Sink()
        # Of any type: the fuzzer looks behind what it shows.
        self.link = cast(Any, DeviceLink(DeviceSection(port="fuzz", window=WINDOW), Policy(), self.sink))
        self.link._port = Port()
        self.link.session._new_session = lambda: SESSION
        self.link.session.reopen()
        self.next_seq = 0

    def feed(self, data: bytes) -> None:
        link = self.link
        link._take(data)
        link._settles = True  # there is no loop whose next turn would do it: it is done below
        for receipt in self.sink.receipts:
            receipt.confirmed()
        self.sink.receipts.clear()
        link._settle()
        del link._port.written[:]
        decoder = link.session.decoder
        assert len(decoder._buf) <= 2 * BODY_LIMIT_BYTES + 2 + len(data)
        assert len(link.session.descriptions) <= 256
        assert len(link.intake) + link.intake.backlog <= 4 * WINDOW
        assert len(link.session._pending._requests) <= 8

    def ready(self) -> None:
        """Let it be open, so that what follows gets past the door."""
        if not self.link.session.is_open:
            self.link.session.reopen()
            self.feed(encode(m.HELLO, m.pack_hello(SESSION, 1024, 5, 1, 0, 12, "dev")))
            self.feed(encode(m.DESCRIPTION, m.pack_description(SESSION, 1, LAYOUT)))

    def good_exchange(self) -> None:
        """A device that opens a session and sends one record: it arrives."""
        session = self.link.session
        self.feed(encode(m.HELLO, m.pack_hello(0, 1024, 7, 1, 0, 0, "good")))
        session.reopen()
        self.feed(encode(m.HELLO, m.pack_hello(SESSION, 1024, 7, 1, 0, 0, "good")))
        self.feed(encode(m.DESCRIPTION, m.pack_description(SESSION, 1, LAYOUT)))
        before = self.sink.payloads
        start = session.received
        journal = MemoryJournal(7)
        draft = rec.draft(rec.EVENT, 0, 2, 1, 0, 0, 1, payload.pack_event(1, "x"))
        rec.seal(draft, 0, len(draft), max(start, session.acked))
        self.feed(encode(m.RECORDS, m.pack_records(SESSION, start, bytes(draft))))
        assert self.sink.payloads == before + 1
        assert journal.id == 7


class DeviceEnd:
    """The firmware's session over a journal."""

    def __init__(self) -> None:
        self.journal = MemoryJournal(9)
        for number in range(20):
            self.journal.add(rec.EVENT, b"\x01\x00%d" % number)
        self.done = 0
        self.session = DeviceSession("fuzz", 1, self.journal, self._on_command)
        self.now_ms = 0

    def _on_command(self, op: int, body: bytes, now_ms: int) -> tuple[int, bytes]:
        self.done += 1
        return m.OK, bytes(body)

    def feed(self, data: bytes) -> None:
        self.now_ms += 3
        self.session.feed(data, self.now_ms)
        out = 0
        while self.session.next_output(self.now_ms) is not None:
            out += 1
            assert out < 2000, "it never comes to rest"
        session = self.session
        assert len(session.decoder._buf) <= 2 * BODY_LIMIT_BYTES + 2 + len(data)
        assert len(session._replies) <= 16 and len(session._kept_replies) <= 8
        assert self.journal.acked <= self.journal.next_seq

    def ready(self) -> None:
        """Let it be open, so that what follows gets past the door."""
        if self.session._session != SESSION:
            self.feed(encode(m.OPEN, gm.pack_open(SESSION, 1024, 8)))

    def good_exchange(self) -> None:
        """A gateway opens a session and asks something: it is answered."""
        before = self.done
        number = 0x0A0B0C0D if self.session._session != 0x0A0B0C0D else 0x0A0B0C0E
        self.session.feed(b"\xc0" + encode(m.OPEN, gm.pack_open(number, 1024, 8)), self.now_ms)
        self.session.feed(encode(m.REQUEST, gm.pack_request(number, 1, m.OP_PING, b"x")), self.now_ms)
        assert self.done == before + 1
        frames = []
        while (frame := self.session.next_output(self.now_ms)) is not None:
            frames.append(frame)
        assert len(frames) >= 2


def seeds() -> tuple[list[Frame], list[Frame]]:
    """Good frames of every kind, both ways, to mutate."""
    journal = MemoryJournal(5)
    rng = random.Random(3)
    window = [rng.randrange(-999, 999) for _ in range(20)]
    bodies = [
        (rec.BOOT, payload.pack_boot(1, 5000, "x")),
        (rec.TIME, payload.pack_time(1_767_323_045_000)),
        (rec.READING, payload.pack_reading(-5, 7)),
        (rec.SUMMARY, payload.pack_summary(20, -9, 9, 1, sum(window), sum(x * x for x in window), 9, 0)),
        (rec.ANOMALY, anomaly.pack_anomaly(1, 1, 20, 5, -9, 9, sum(window), sum(x * x for x in window), 9, 5, 2)),
        (rec.ANOMALY, anomaly.pack_levels(2, 0, 5, 1 << 20, 2 << 20, 3 << 20, 9, 5, 2)),
        (rec.ANOMALY, anomaly.pack_feature(0, 1, 20, 300, 4000, 900_000, 9, 5, 2)),
        (rec.SNAPSHOT, payload.pack_snapshot(0, 1, 5, b"\x01\x00\x02\x00")),
        (rec.HEALTH, payload.pack_health({"heap_free": 5})),
        (rec.EVENT, payload.pack_event(3, "äöü")),
        (rec.DISTURBANCE, anomaly.pack_disturbance(1, 3, 5, 9, 7, 6)),
        (rec.KEYWORD, payload.pack_keyword(1, "okay_nabu", 5, 1200, 1088, 48000)),
        (rec.STATE, machine_state.pack_state("jammed", "off", 200, 5120, 4096)),
        (200, b"later"),
    ]
    for kind, body in bodies:
        journal.add(kind, body)
    up = [
        (m.HELLO, m.pack_hello(0, 1024, 5, 1, 0, 12, "dev")),
        (m.HELLO, m.pack_hello(SESSION, 1024, 5, 1, 0, 12, "dev")),
        (m.DESCRIPTION, m.pack_description(SESSION, 1, LAYOUT)),
        (m.STATUS, m.pack_status(SESSION, 0, 12, (1, 2, 3))),
        (m.REPLY, m.pack_reply(SESSION, 1, 0, b"x")),
        *((m.RECORDS, m.pack_records(SESSION, seq, raw)) for seq, raw in enumerate(journal.records)),
    ]
    down = [
        (m.OPEN, gm.pack_open(SESSION, 1024, 8)),
        (m.ACK, gm.pack_ack(SESSION, 3, 5, 8, m.REWIND)),
        (m.ACK, gm.pack_ack(SESSION, 5, 5, 8, m.STALLED)),
        *((m.REQUEST, gm.pack_request(SESSION, n, n, bytes(12))) for n in range(1, 10)),
    ]
    return up, down


def mutated(rng: random.Random, frames: list[Frame], resealed: float = 0.5) -> bytes:
    """One frame with something wrong with it: damaged on the line, or well sealed around a damaged body."""
    kind, good = rng.choice(frames)
    body = bytearray(good)
    if rng.random() < resealed:
        for _ in range(rng.randrange(1, 5)):
            _damage(rng, body)
        if kind == m.RECORDS and len(body) >= 8 + rec.OVERHEAD_BYTES and rng.random() < 0.8:
            raw = body[8:]
            raw[4:6] = (len(raw) - rec.OVERHEAD_BYTES).to_bytes(2, "little")
            rec.seal(raw, 0, len(raw), rng.randrange(200))
            body[:4], body[8:] = SESSION.to_bytes(4, "little"), raw
            if rng.random() < 0.9:
                body[4:8] = bytes(4)
        return encode(
            kind if rng.random() < 0.95 else rng.randrange(256), bytes(body) or b"\0", rng.choice((1, 1, 1, 2))
        )
    raw = bytearray(encode(kind, bytes(body)))
    for _ in range(rng.randrange(1, 4)):
        _damage(rng, raw)
    return bytes(raw)


def _damage(rng: random.Random, data: bytearray) -> None:
    damage = rng.randrange(6)
    at = rng.randrange(len(data) + 1)
    if damage == 0 and data:
        data[at % len(data)] ^= 1 << rng.randrange(8)
    elif damage == 1 and data:
        data[at % len(data)] = rng.choice((0, 1, 3, 0x7F, 0x80, 0xC0, 0xDB, 0xFF))
    elif damage == 2:
        del data[at:]
    elif damage == 3:
        data[at:at] = rng.randbytes(rng.randrange(1, 20))
    elif damage == 4 and len(data) > 4:
        size = rng.choice((1, 2, 4, 8))
        at = rng.randrange(max(1, len(data) - size))
        data[at : at + size] = rng.choice((bytes(size), b"\xff" * size, rng.randbytes(size)))
    else:
        data[at:at] = data[: rng.randrange(1, 40)]
    del data[3000:]
