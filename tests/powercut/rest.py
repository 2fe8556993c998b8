"""Bits flipped at rest, one at a time: `micropython rest.py FIRMWARE SETTINGS`, one JSON report on stdout.

A seeded workload fills flash; then single bits of it flip, anywhere that is not erased, and the next start is compared
with what was promised. Segments carry their own checks; tails and the sizes of files stand in LittleFS's metadata,
where a flipped bit brings back the state before the commit that it stood in, without a word.

Settings (JSON): seed, blocks (of 4 KiB), records, flips, trusts (a journal that looks at no CRC, so that the test of
the test can see it fail).
"""

import json
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 1)[0])

import flash
import oracle
from workload import Rng, Run

from kittiwake_node.errors import StorageError
from kittiwake_node.io import storage
from kittiwake_node.link import record as rec
from kittiwake_node.store.journal import TAIL_BYTES, Journal

SETTINGS = json.loads(sys.argv[2])
BLOCK_BYTES, BLOCKS = 4096, SETTINGS["blocks"]


def open_journal(device, rng_id):
    fs = storage.open_file_system(device)
    return Journal(fs, lambda: rng_id, segment_bytes=2 * BLOCK_BYTES, tail_bytes=TAIL_BYTES)


def outcome(image, want):
    """What a start on the image makes of the records promised: a word, and whether it can be written on."""
    device = flash.Flash(BLOCK_BYTES, BLOCKS, image)
    try:
        journal = open_journal(device, 9)
    except StorageError:
        return "refused"
    found = {record[0]: record for record in oracle.drain(journal, 0)}
    for seq in found:
        if seq not in want:
            return "invented"
        if found[seq] != want[seq]:
            return "altered"
    lost = len(want) - len(found)
    if journal.damaged:
        return "damaged" if lost < len(want) // 2 else "most lost"
    return "silent" if lost else "whole"


def is_segment(image, block):
    return bytes(image[block * BLOCK_BYTES : block * BLOCK_BYTES + 3]) == b"KWJ"


def main():
    rng = Rng(SETTINGS["seed"])
    device = flash.Flash(BLOCK_BYTES, BLOCKS)
    run = Run(lambda rng_id: open_journal(device, rng_id), rng, oracle.Promises(), lambda: None, True)
    run.start()
    while len(run.promises.committed) < SETTINGS["records"]:
        run.turn()
    want = {record[0]: record for record in oracle.drain(open_journal(device, 9), 0)}
    report = {"records": len(want), "segments": {}, "elsewhere": {}}
    if SETTINGS["trusts"]:
        rec.is_whole = lambda raw, offset: True
    segments = [block for block in range(BLOCKS) if is_segment(device.image, block)]
    for number in range(SETTINGS["flips"]):
        image = bytearray(device.image)
        if number % 2:
            block = segments[rng.randrange(len(segments))]
            at = flash.flip(image, rng, block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES)
        else:
            at = flash.flip(image, rng)
        place = report["segments" if is_segment(device.image, at // BLOCK_BYTES) else "elsewhere"]
        word = outcome(image, want)
        place[word] = place.get(word, 0) + 1
    print(json.dumps(report))


main()
