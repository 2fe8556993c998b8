"""`kittiwake journal pull`: a device's partition arrives whole, and holds what the device committed."""

import pytest

pytest.importorskip("littlefs", reason="littlefs-python is not installed: pip install 'kittiwake[journal]'")

from kittiwake.journal import image, reading
from kittiwake.journal.pull import pull
from tests.hil.test_store import _OPEN, listing
from tests.support.hil import blank_journal


def test_journal_pulled_from_a_board_holds_what_was_committed(board):
    blank_journal(board)
    storage = board.node_overrides()["storage"]
    board.exec(_OPEN.format(storage=storage))
    board.exec("journal.describe(b'[{}]')")
    board.exec(
        "for i in range(40):\n    append(i, (2, 1, 0)[i % 3], 60)\n    if i % 5 == 0:\n        journal.commit(2)"
    )
    board.exec("journal.commit_all()")
    seen = []
    raw = pull(board, storage, lambda done, total: seen.append((done, total)))
    read = reading.read(image.files_of(raw, "it"), "it")
    assert read.is_sound
    assert [(e.record.seq, e.record.cls, e.record.time_ms) for e in read.entries] == listing(board)
    assert len(read.entries) > 20 and seen[-1][0] == seen[-1][1] > 1
