"""What else may arrive in an update: every bit flipped, cut off anywhere, and pieces that nobody wanted.

KITTIWAKE_SOAK=1 fuzzes ten times as much: 10^5 manifests and pieces.
"""

import os
import random
import struct

import pytest

from kittiwake_node.errors import FrameError
from kittiwake_node.link import messages as m
from kittiwake_node.update import manifest
from tests.support.updated_board import HERE, NEW, REFUSED, WANTS, Board, head_of, offer_of, table_of

FUZZED = 100_000 if os.environ.get("KITTIWAKE_SOAK") else 10_000


@pytest.fixture
def board(tmp_path, monkeypatch):
    return Board(tmp_path, monkeypatch)


def test_every_offer_with_something_flipped_is_refused_and_nothing_is_written(board):
    good = offer_of(head_of(NEW))
    before = board.fs.contents()
    rng = random.Random(3)
    for bit in [*range(8 * 20), *(rng.randrange(8 * len(good)) for _ in range(FUZZED // 100))]:
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << bit % 8
        assert board.offer(bytes(flipped)).state == REFUSED, bit
        board.now_ms += 10
    for size in range(len(good)):
        assert board.offer(good[:size]).state == REFUSED, size
    assert board.fs.contents() == before
    assert len(board.notes) < 5, "a storm of offers is no storm of events"
    assert board.offer(good).state == WANTS


def test_fuzzed_heads_and_entries_raise_nothing_but_frame_errors():
    rng = random.Random(4)
    head, entry = head_of(NEW), table_of(NEW)
    read = 0
    for _ in range(FUZZED):
        for good, reader in (
            (head, manifest.read_head),
            (entry, lambda raw: manifest.read_entry(raw, rng.randrange(9))),
        ):
            raw = bytearray(good[: rng.randrange(len(good) + 1)] if rng.random() < 0.3 else good)
            for _ in range(rng.randrange(6)):
                if raw:
                    raw[rng.randrange(len(raw))] = rng.randrange(256)
            try:
                reader(bytes(raw))
                read += 1
            except FrameError:
                pass
    assert 0 < read < 2 * FUZZED


def test_fuzzed_pieces_change_nothing_but_what_was_wanted(board):
    rng = random.Random(6)
    board.offer(offer_of(head_of(NEW)))
    outside = {path: content for path, content in board.fs.contents().items() if not path.startswith("app-b/")}
    for _ in range(FUZZED):
        entry = rng.choice((0, 1, 2, 3, manifest.TABLE, rng.randrange(65536)))
        offset = rng.choice((0, 1, 512, rng.randrange(1 << 32)))
        wanted = board.ask(m.OP_UPDATE_PROGRESS)
        size = rng.choice((0, 1, 511, 513, 600))
        if (entry, offset) == (wanted.entry, wanted.offset):
            continue  # what it is worth shows by its hash
        body = struct.pack("<HI", entry, offset) + rng.randbytes(size)
        reply = board.ask(m.OP_UPDATE_PIECE, body[: rng.randrange(len(body) + 1)] if rng.random() < 0.1 else body)
        assert (reply.state, reply.entry, reply.offset) == (WANTS, wanted.entry, wanted.offset)
    reply, _ = board.give(NEW)
    assert reply.state == HERE
    assert outside.items() <= board.fs.contents().items()
