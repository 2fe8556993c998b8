"""A node for hours with its link down, then drained: `micropython day_run.py FIRMWARE POWERCUT SAMPLES HOURS`.

The guide's load: 1 kHz, n = 20, t = 5/2. The samples in the file come round again and again; time is simulated. The
node is the firmware's own, journal on LittleFS in 1 MiB of flash; its gateway, once there, is the gateway's session.
Prints JSON: what was produced, delivered and evicted by class, and whether what was delivered is the newest.
"""

import array
import binascii
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])
sys.path.insert(0, sys.argv[0].rsplit("/", 2)[0] + "/support")

import flash
import simulated
import vfs
from fake_clock import FakeClock

import kittiwake_node.keeping as keeping_module
from kittiwake_node.io import action, machine_facts
from kittiwake_node.link import gateway_session as gw
from kittiwake_node.node import Node
from kittiwake_node.store import journal as journal_module

BLOCK = 250
KEPT = 1 << 15  # of each class, the newest payloads that are remembered


class Source(simulated.Source):
    """The file's samples over and over, in simulated time."""

    def __init__(self, path, clock, total):
        with open(path, "rb") as file:
            self._samples = array.array("h", file.read())
        self._clock = clock
        self._total = total

    def read_into(self, buf):
        if self.count >= self._total:
            return 0
        at = self.count % len(self._samples)
        buf[:] = self._samples[at : at + BLOCK]
        self.count += BLOCK
        self._clock.pass_ms(BLOCK)
        return BLOCK


class Line:
    """A port whose other end is nobody at first, then a gateway."""

    is_idle = True
    connections = 0

    def __init__(self):
        self.gateway = None
        self.events = []
        self._in = b""

    def poll(self, now_ms):
        return True

    def take_time(self):
        return None

    def drop(self, why, now_ms):
        raise ValueError(why)

    def flush(self):
        pass

    def close(self):
        pass

    def send(self, data):
        if self.gateway:
            self.events += self.gateway.feed(bytes(data), clock.ms())

    def readinto(self, buf):
        if self.gateway and not self._in:
            self._in = self.gateway.next_output(clock.ms()) or b""
        piece, self._in = self._in[: len(buf)], self._in[len(buf) :]
        buf[: len(piece)] = piece
        return len(piece)


class Counting(journal_module.Journal):
    """The journal, and what was ever given to it."""

    produced = [0, 0, 0]
    newest = [array.array("I", bytes(4 * KEPT)) for _ in range(3)]

    def append(self, cls, draft):
        Counting.newest[cls][Counting.produced[cls] % KEPT] = crc(memoryview(draft)[28:-4])
        Counting.produced[cls] += 1
        super().append(cls, draft)


def crc(data):
    return binascii.crc32(data) & 0xFFFFFFFF


def is_newest(cls, delivered):
    """Whether the delivered records of a class are the last that were produced, in their order."""
    first = Counting.produced[cls] - len(delivered)
    if len(delivered) > KEPT:
        raise ValueError("more delivered than is remembered")
    return all(Counting.newest[cls][(first + i) % KEPT] == seen for i, seen in enumerate(delivered))


hours = float(sys.argv[4])
clock = FakeClock()
line = Line()
device = flash.Flash(4096, 256)
vfs.VfsLfs2.mkfs(device, progsize=128, readsize=128)
keeping_module.Journal = Counting
config = {
    "device": "day",
    "block": BLOCK,
    "channels": [{"source": {"kind": "replay", "path": "-"}, "detectors": [{"kind": "zscore", "n": 20, "t": "5/2"}]}],
}
source = Source(sys.argv[3], clock, int(hours * 3600) * 1000)
fs = vfs.VfsLfs2(device, progsize=128, readsize=128, mtime=False)
keeping = keeping_module.Keeping(lambda: (fs, device), None, machine_facts.random_u64)
node = Node(config, keeping, line, clock, lambda c, k: source, action.VirtualPin(), machine_facts)
while node.step() or source.count < int(hours * 3600) * 1000:
    pass
down = {"produced": list(Counting.produced), "evicted": list(node.journal.evicted), "used": node.journal.used_bytes}
clock.pass_ms(2000)
node.step()  # what waited for its batch is committed
line.gateway = gw.GatewaySession(lambda: 77)
delivered = [[], [], []]
turns = 0
while node.journal.acked < node.journal.next_seq or not turns:
    turns += 1
    clock.pass_ms(1)
    node.step()
    for event in line.events:
        if event[0] == gw.RECORD:
            delivered[event[1].cls].append(crc(event[1].payload))
            line.gateway.ack(event[1].seq + 1)
    line.events = []
    if turns > 1000000:
        raise ValueError("the journal does not drain")
print(
    json.dumps(
        {
            "samples": node.channels[0].index,
            "produced": Counting.produced,
            "delivered": [len(d) for d in delivered],
            "evicted": list(node.journal.evicted),
            "newest": [is_newest(cls, delivered[cls]) for cls in range(3)],
            "failed": node.journal.failed,
            "damaged": node.journal.damaged,
            "down": down,
            "limit": node.journal.limit_bytes,
        }
    )
)
