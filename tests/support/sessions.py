"""Both ends of the link, a line between them that fails in every way it can, a broker that confirms, and an oracle."""

import random

from kittiwake_node.link import messages
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.link.gateway_session import GatewaySession

from . import spec

STEP_MS = 10


class ListJournal:
    """Records in a list, as the session sees a journal; refuses an acknowledgement that nobody gave.

    Attributes:
        records: seq -> bytes of the records that are still there.
        allowed: first number that the broker has not confirmed.
    """

    id = 0x1122334455667788

    def __init__(self):
        self.records = {}
        self.acked = self.next_seq = 0
        self.evicted = [0, 0, 0]
        self.allowed = 0

    def add(self, payload, layout=1):
        self.records[self.next_seq] = spec.record(seq=self.next_seq, layout=layout, payload=payload)
        self.next_seq += 1

    def read(self, start, limit_bytes):
        out, layout, seq_after = b"", None, start
        for seq in range(start, self.next_seq):
            record = self.records.get(seq)
            if record is None:
                continue
            if out and (len(out) + len(record) > limit_bytes or record[10:12] != layout):
                return out, seq_after
            out, layout, seq_after = out + record, record[10:12], seq + 1
        return (out, seq_after) if out else (b"", self.next_seq)

    def ack(self, next_seq):
        assert next_seq <= self.allowed, f"acknowledged {next_seq}, the broker has confirmed {self.allowed}"
        assert next_seq <= self.next_seq
        self.acked = max(self.acked, next_seq)

    def description(self, number):
        return b'[{"name":"%d"}]' % number

    def evict(self, seqs):
        for seq in seqs:
            if self.records.pop(seq, None) and seq >= self.acked:
                self.evicted[1] += 1


class Line:
    """One direction. Chunks arrive in order unless a fault says otherwise; `faults` maps a name to its probability."""

    def __init__(self, rng, faults):
        self._rng, self.faults = rng, faults
        self._chunks = []  # (arrival, number, bytes)
        self._count = 0

    def send(self, data, now_ms):
        rng = self._rng
        while data:
            cut = rng.randrange(1, 2 * len(data) + 1)
            chunk, data = bytearray(data[:cut]), data[cut:]
            if self._happens("lose"):
                continue
            if self._happens("corrupt"):
                chunk[rng.randrange(len(chunk))] ^= 1 << rng.randrange(8)
            if self._happens("cut"):
                del chunk[rng.randrange(len(chunk)) :]
            if self._happens("garbage"):
                chunk += rng.randbytes(rng.randrange(40))
            self._enter(now_ms, chunk)
            if self._happens("repeat"):
                self._enter(now_ms, chunk)

    def _enter(self, now_ms, chunk):
        delay = self._rng.randrange(2000) if self._happens("reorder") else 0
        self._count += 1
        self._chunks.append((now_ms + delay, self._count, bytes(chunk)))
        self._chunks.sort()

    def arrived(self, now_ms):
        out = []
        while self._chunks and self._chunks[0][0] <= now_ms:
            out.append(self._chunks.pop(0)[2])
        return out

    def _happens(self, name):
        return self._rng.random() < self.faults.get(name, 0)


class World:
    """A device, a gateway and a broker. `step` is 10 ms; everything comes from the seed."""

    def __init__(self, seed, faults=None, window=64, broker_delay_ms=30):
        self.rng = random.Random(seed)
        self.faults = faults or {}
        self.window = window
        self.broker_delay_ms = broker_delay_ms
        self.now_ms = 0
        self.journal = ListJournal()
        self.up, self.down = Line(self.rng, self.faults), Line(self.rng, self.faults)
        self.published = {}  # seq -> payload, the first time
        self.repeats = 0
        self.done = []  # commands as the device did them
        self.answers = []
        self.events = []
        self.most_in_flight = 0
        self.boot = 0
        self.start_device()
        self.start_gateway()

    def start_device(self):
        self.boot += 1
        self.device = DeviceSession("dev-1", self.boot, self.journal, self._on_command)

    def start_gateway(self):
        self.gateway = GatewaySession(lambda: self.rng.randrange(1, 1 << 32), window=self.window)
        self._awaiting = []

    def restart_device(self):
        # The cursor is not written for every acknowledgement: a restart may find an older one.
        self.journal.acked -= min(self.rng.randrange(40), self.journal.acked)
        self.start_device()

    def _on_command(self, op, body, now_ms):
        self.done.append((op, body))
        return messages.OK, body

    def step(self):
        self.now_ms += STEP_MS
        for chunk in self.down.arrived(self.now_ms):
            self.device.feed(chunk, self.now_ms)
        for _ in range(4):
            frame = self.device.next_output(self.now_ms)
            if frame is None:
                break
            self.up.send(frame, self.now_ms)
        for chunk in self.up.arrived(self.now_ms):
            for event in self.gateway.feed(chunk, self.now_ms):
                self._handle(event)
        self._confirm()
        for _ in range(8):
            frame = self.gateway.next_output(self.now_ms)
            if frame is None:
                break
            self.down.send(frame, self.now_ms)

    def _handle(self, event):
        self.events.append(event[0])
        if event[0] == "opened":
            self._awaiting = []
        elif event[0] == "reply":
            self.answers.append(event[1:])
        elif event[0] == "record":
            record, raw = event[1], event[2]
            assert raw == spec.record(seq=record.seq, layout=record.description, payload=record.payload)
            assert not self._awaiting or record.seq >= self._awaiting[-1][1], "out of order or repeated in a session"
            self._awaiting.append((self.now_ms + self.rng.randrange(2 * self.broker_delay_ms + 1), record.seq + 1))
            self.most_in_flight = max(self.most_in_flight, len(self._awaiting))
            if record.seq in self.published:
                assert self.published[record.seq] == record.payload
                self.repeats += 1
            self.published[record.seq] = record.payload

    def _confirm(self):
        while self._awaiting and self._awaiting[0][0] <= self.now_ms:
            next_seq = self._awaiting.pop(0)[1]
            self.journal.allowed = max(self.journal.allowed, next_seq)
            self.gateway.ack(next_seq)

    def run_until_drained(self, limit_ms=600_000):
        """Turn until everything that is in the journal is acknowledged; fails when it takes too long."""
        stop_ms = self.now_ms + limit_ms
        while any(seq >= self.journal.acked for seq in self.journal.records):
            self.step()
            assert self.now_ms < stop_ms, f"stuck at {self.journal.acked} of {self.journal.next_seq}"

    def heal(self):
        self.faults.clear()
