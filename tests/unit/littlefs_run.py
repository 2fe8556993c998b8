"""The journal on MicroPython's LittleFS for long: `micropython littlefs_run.py FIRMWARE POWERCUT` prints JSON."""

import gc
import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[2])

import flash
import oracle
import vfs

from kittiwake_node.io import storage
from kittiwake_node.link import record as rec
from kittiwake_node.store.journal import TAIL_BYTES, Journal


def add(journal, cls, payload):
    journal.append(cls, rec.draft(rec.EVENT, 0, cls, journal.state.boot, 5, 0, 1, payload))
    return journal.commit(cls)


def heap_after(journal, count, acks_all=False):
    """Bytes in use after `count` records more; a gateway takes all of them, or nearly as many as there come."""
    for i in range(count):
        add(journal, (0, 1, 1, 2)[i % 4], b"x" * 100)
        if i % 8 == 7:
            _, after = journal.read(journal.acked, 1010)
            journal.ack(journal.next_seq if acks_all else after)
            journal.tidy()
    gc.collect()
    return gc.mem_alloc()


def fill(block_bytes, blocks, count):
    """Nobody listens: what is left and what was evicted must be what was produced."""
    device = flash.Flash(block_bytes, blocks)
    vfs.VfsLfs2.mkfs(device)
    fs = vfs.VfsLfs2(device, mtime=False)
    journal = Journal(fs, lambda: 1)
    produced = [0, 0, 0]
    least_free = blocks
    for i in range(count):
        cls = (0, 1, 1, 2)[i * 7 % 4]
        produced[cls] += 1
        add(journal, cls, bytes([i & 0xFF]) * (i * 131 % 700))
        if i % 16 == 0:
            least_free = min(least_free, fs.statvfs("")[3])
    left = [0, 0, 0]
    for record in oracle.drain(journal, 0):
        left[record[1]] += 1
    again = Journal(vfs.VfsLfs2(device, mtime=False), lambda: 2)
    return {
        "produced": produced,
        "left": left,
        "evicted": list(journal.evicted),
        "failed": journal.failed,
        "damaged": journal.damaged,
        "least_free_blocks": least_free,
        "limit_bytes": journal.limit_bytes,
        "used_bytes": journal.used_bytes,
        "again": {"evicted": list(again.evicted), "next_seq": again.next_seq, "id": again.id},
        "next_seq": journal.next_seq,
    }


def main():
    device = flash.Flash(4096, 64)
    vfs.VfsLfs2.mkfs(device)
    journal = Journal(vfs.VfsLfs2(device, mtime=False), lambda: 1)
    early = heap_after(journal, 400)
    late = heap_after(journal, 10000)
    journal = Journal(storage.open_file_system(flash.Flash(4096, 64)), lambda: 1, tail_bytes=TAIL_BYTES)
    # Tails fill and empty: the most of some places in their round is compared.
    tails = [max([heap_after(journal, 50, True) for _ in range(8)])]
    heap_after(journal, 9600, True)
    tails.append(max([heap_after(journal, 50, True) for _ in range(8)]))
    fills = [fill(4096, 24, 2000), fill(4096, 128, 4000), fill(512, 64, 2000), fill(512, 512, 4000)]
    heap = {"heap_early": early, "heap_late": late, "heap_tails": tails}
    print(json.dumps({"damaged": journal.damaged, "fills": fills} | heap))


main()
