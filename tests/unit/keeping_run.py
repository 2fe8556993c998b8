"""A node whose partition is not what it should be: `micropython keeping_run.py FIRMWARE POWERCUT CASE FOLDER`, JSON.

It is fed a quiet signal with one spike, must drive its action, say its storage's state in health, and hand over what it
recorded to whoever listens.
"""

# ruff: noqa: UP031 (MicroPython)

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

from kittiwake_node.io import action, machine_facts, parts, storage
from kittiwake_node.keeping import Keeping
from kittiwake_node.link import record as rec
from kittiwake_node.node import Node
from kittiwake_node.store import segment

BLOCK = 64


class Source(simulated.Source):
    def read_into(self, buf):
        for i in range(BLOCK):
            buf[i] = (self.count + i) % 7
        if self.count == 10 * BLOCK:
            buf[5] = 20000
        self.count += BLOCK
        clock.pass_ms(BLOCK)
        return BLOCK


class NoPort:
    is_idle = True
    connections = 0

    def poll(self, now_ms):
        return True

    def take_time(self):
        return None

    def readinto(self, buf):
        return 0

    def send(self, data):
        pass

    def flush(self):
        pass


class Failing(flash.Flash):
    """Takes no writes, as a chip that is write protected (30) or dead (5)."""

    errno = 0

    def writeblocks(self, block, buf, offset=0):
        if self.errno:
            return -self.errno
        super().writeblocks(block, buf, offset)

    def ioctl(self, op, arg):
        if op == 6 and self.errno:
            return -self.errno
        return super().ioctl(op, arg)


def with_files(size):
    """Flash on which somebody's file takes `size` bytes."""
    device = Failing(4096, 64)
    vfs.VfsLfs2.mkfs(device, progsize=128, readsize=128)
    fs = vfs.VfsLfs2(device, progsize=128, readsize=128, mtime=False)
    try:
        for number in range(size // 4096):
            with fs.open("theirs-%d" % number, "wb") as file:
                file.write(b"T" * 4000)
    except OSError:
        pass  # it is full
    return device


def device_of(case):
    device = Failing(4096, 64)
    if case == "foreign":
        for block in range(64):
            device.image[block * 4096 : (block + 1) * 4096] = b"somebody's data " * 256
    elif case == "full":
        device = with_files(1 << 20)
    elif case == "crowded":
        device = with_files(225 * 1024)
    elif case in ("read-only", "dead"):
        device = with_files(1024)
        device.errno = 30 if case == "read-only" else 5
    elif case == "read-only-blank":
        device.errno = 30
    elif case == "later":
        fs = storage.open_file_system(device)
        fs.mkdir("journal")
        head = bytearray(segment.pack_head(rec.ALERT, 1, 0, segment.State()))
        head[3] = 9
        head[-4:] = (binascii.crc32(head[:-4]) & 0xFFFFFFFF).to_bytes(4, "little")
        with fs.open("journal/2-00000000.kwj", "wb") as file:
            file.write(head)
    elif case == "locked":
        node_on(device, 3)
        device.errno = 30
    return device


def node_on(device, turns):
    if sys.argv[3] == "absent":
        make = lambda: parts.make_storage({"kind": "file", "path": sys.argv[4] + "/none/flash.img"})  # noqa: E731
    else:
        make = lambda: (storage.open_file_system(device), None)  # noqa: E731
    keeping = Keeping(make, parts.make_memory, machine_facts.random_u64)
    config = {"device": "d", "block": BLOCK, "health_s": 1, "channels": [{"source": {"kind": "replay", "path": "-"}}]}
    pin = action.VirtualPin()
    node = Node(config, keeping, NoPort(), clock, lambda c, k: Source(), pin, machine_facts)
    acted = False
    for _ in range(turns):
        node.step()
        acted = acted or pin.level == 1
    node.journal.commit_all()
    return node, keeping, acted


def kinds_of(journal):
    found, at = [], 0
    while True:
        raw, at = journal.read(at, 1000)
        if not raw:
            return found
        offset = 0
        while offset < len(raw):
            record, offset = rec.decode(raw, offset)
            found.append([record.type, record.payload.hex()])


clock = FakeClock()
device = device_of(sys.argv[3])
before = bytes(device.image)
node, keeping, acted = node_on(device, 40)
print(
    json.dumps(
        {
            "state": keeping.state,
            "problem": str(keeping.problem or ""),
            "health": node.health()["storage_state"],
            "acted": acted,
            "records": kinds_of(node.journal),
            "untouched": device.image == before,
            "failed": node.journal.failed,
        }
    )
)
