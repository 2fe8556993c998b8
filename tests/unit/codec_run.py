"""The codec and both session ends over seeded noise: `PYTHON codec_run.py FIRMWARE` prints a digest of what came out.

Run by MicroPython and by CPython; what differs between them differs in the digest.
"""

import binascii
import json
import sys

sys.path.insert(0, sys.argv[1])

from kittiwake_node.errors import FrameError
from kittiwake_node.link import anomaly, frame, messages, payload, record
from kittiwake_node.link.device_session import DeviceSession
from kittiwake_node.link.gateway_session import GatewaySession


class Digest:
    def __init__(self):
        self.crc = 0
        self.count = 0

    def add(self, data):
        self.crc = binascii.crc32(bytes(data), self.crc) & 0xFFFFFFFF
        self.count += 1


class Rng:
    def __init__(self, seed):
        self.x = seed

    def below(self, stop):
        x = self.x
        x ^= x << 13 & 0xFFFFFFFF
        x ^= x >> 17
        x ^= x << 5 & 0xFFFFFFFF
        self.x = x
        return x % stop

    def bytes(self, count):
        return bytes([self.below(256) for _ in range(count)])


class Records:
    id = 0xFEDCBA9876543210

    def __init__(self, rng, count):
        self.acked, self.next_seq, self.evicted = 0, count, [1, 2, 3]
        self.records = []
        for seq in range(count):
            draft = record.draft(9, 0, 2, 0xFFFFFFFF, (1 << 48) - 1, 1 << 47, 1, rng.bytes(rng.below(60)))
            record.seal(draft, 0, len(draft), seq)
            self.records.append(bytes(draft))

    def read(self, start, limit_bytes):
        out, seq = b"", start
        while seq < self.next_seq and (not out or len(out) + len(self.records[seq]) <= limit_bytes):
            out += self.records[seq]
            seq += 1
        return out, seq

    def ack(self, next_seq):
        self.acked = next_seq

    def description(self, number):
        return b"[]"


def codec(rng, digest):
    decoder = frame.FrameDecoder()
    for _ in range(400):
        data = frame.encode(rng.below(256), rng.bytes(1 + rng.below(120)))
        digest.add(data)
        if rng.below(3) == 0:
            at = rng.below(len(data))
            data = data[:at] + rng.bytes(1) + data[at + rng.below(3) :]
        decoder.feed(data + rng.bytes(rng.below(20)))
        while True:
            event = decoder.next_event()
            if not event:
                break
            digest.add(decoder.payload if event == frame.FrameDecoder.FRAME else decoder.text)
    digest.add(b"%d" % decoder.rejected)
    for _ in range(200):
        body = rng.bytes(rng.below(60))
        for unpack in (anomaly.unpack_anomaly, payload.unpack_boot, payload.unpack_event, payload.unpack_health):
            try:
                values = unpack(body)
            except FrameError as error:
                digest.add(str(error).encode())
                continue
            for name in sorted(values):
                digest.add(("%s=%s" % (name, values[name])).encode())  # noqa: UP031


def sessions(rng, digest):
    journal = Records(rng, 300)
    device = DeviceSession("dev", 1, journal, lambda op, body, now_ms: (messages.OK, body))
    gateway = GatewaySession(lambda: 1 + rng.below(1 << 30))
    gateway_request = 0
    for turn in range(1500):
        now_ms = turn * 20
        for sender, taker in ((device, gateway), (gateway, device)):
            data = sender.next_output(now_ms)
            if data is None:
                continue
            digest.add(data)
            if rng.below(20) == 0:
                data = data[: rng.below(len(data))]
            for event in taker.feed(data, now_ms) or ():
                if event[0] == "record":
                    digest.add(event[2])
                else:
                    digest.add(event[0].encode())
        if gateway.received > gateway.acked and rng.below(3) == 0:
            gateway.ack(gateway.received)
        if gateway.is_open and rng.below(50) == 0:
            gateway_request = gateway.request(messages.OP_PING, rng.bytes(5))
    digest.add(b"%d %d %d" % (journal.acked, gateway.holes, gateway_request))
    return journal.acked


digest = Digest()
codec(Rng(2463534242), digest)
acked = sessions(Rng(1234567), digest)
print(json.dumps({"crc": digest.crc, "count": digest.count, "acked": acked}))
