"""Make a partition with a journal on it: `micropython journal_image_run.py FIRMWARE IMAGE BLOCKS SEED [listens]`.

Prints what the journal says of itself at its end, as JSON. With `read` in place of a seed, it only reads.
"""
# ruff: noqa: UP031 (MicroPython)

import json
import sys

sys.path.insert(0, sys.argv[1])

from kittiwake_node.io import storage
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from kittiwake_node.store.journal import TAIL_BYTES, Journal

JOURNAL = 0x0123456789ABCDEF


def listing(journal):
    out, at = [], journal.acked
    while True:
        raw, at = journal.read(at, 1000)
        if not raw:
            return out
        offset = 0
        while offset < len(raw):
            record, offset = rec.decode(raw, offset)
            out.append([record.seq, record.cls, record.type, record.payload.hex()])


def work(journal, seed, listens):
    layout = journal.describe(b'[{"name": "vibration", "sensor_id": "vib-001", "unit": "mm/s"}]')
    state = seed
    for i in range(700):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        cls = (rec.TELEMETRY, rec.TELEMETRY, rec.RAW, rec.ALERT)[state >> 16 & 3]
        if cls == rec.TELEMETRY:
            kind, body = rec.SUMMARY, payload.pack_summary(1000 + i, -300, 300, 5, 123456, 1 << 40, 1 << 33, 0)
        elif cls == rec.RAW:
            kind, body = 200, bytes([i & 0xFF]) * (state >> 8 & 255)  # of no type that there is
        else:
            kind, body = rec.EVENT, payload.pack_event(i, "number %d" % i)
        journal.append(cls, rec.draft(kind, 0, cls, journal.state.boot, 10 * i, 0, layout, body))
        if cls == rec.ALERT or state >> 20 & 7 == 0:
            journal.commit(cls)
        if listens and i % 50 == 49:
            journal.ack(journal.next_seq - 20)
        if i % 9 == 0:
            journal.tidy()
    journal.commit_all()


path, blocks, task = sys.argv[2], int(sys.argv[3]), sys.argv[4]
device = storage.FileBlockDevice(path, blocks * 4096)
journal = Journal(storage.open_file_system(device), lambda: JOURNAL, tail_bytes=TAIL_BYTES)
if task != "read":
    work(journal, int(task), "listens" in sys.argv)
    # Nothing is closed: the supply fails here.
print(
    json.dumps(
        {
            "id": "%016x" % journal.id,
            "boot": journal.state.boot,
            "next_seq": journal.next_seq,
            "acked": journal.acked,
            "evicted": list(journal.evicted),
            "damaged": journal.damaged,
            "layout": journal.description(1).decode(),
            "waiting": listing(journal),
        }
    )
)
