"""What is kept of a board after a failed test: the journal as it lies in flash, the link, how the board is."""

import json

import pytest

from kittiwake.hil import Board, state
from kittiwake.journal import image, reading
from tests.support.hil import Gateway

# A board on a port gives its journal to a prompt alone, and its power is cut where it hangs on a switch.
VIRTUAL = pytest.mark.board("unix", "qemu:*")


@VIRTUAL
def test_state_has_the_journal_of_a_node_that_runs_and_the_heap_of_one_that_does_not(node, tmp_path):
    with Gateway(node.link_port, node) as gateway:
        gateway.until(lambda: gateway.records, "no record")
        received = gateway.records[0]
        files = state.dump(Board(node), tmp_path, "running")
    assert "health" not in files
    if node.name.startswith("qemu:"):
        assert gateway.raw and gateway.raw in (tmp_path / files["link"]).read_bytes()
    else:
        assert "link" not in files
    journal = reading.read(image.load(tmp_path / files["journal"]), "it")
    kept = [(one.seq, one.cls, one.time_ms, one.payload) for one in (entry.record for entry in journal.entries)]
    assert (received.seq, received.cls, received.time_ms, received.payload) in kept
    node.interrupt()
    files = state.dump(Board(node), tmp_path, "idle")
    health = json.loads((tmp_path / files["health"]).read_text())
    assert health["heap_used_after_collection"] <= health["heap_used"] and health["heap_free"] > 0


@VIRTUAL
def test_state_of_a_board_without_power_says_so_and_keeps_the_rest(board, tmp_path):
    under_test = Board(board)
    under_test.reset()
    under_test.exec("print('last words')")
    under_test.cut_power()
    files = state.dump(under_test, tmp_path, "off")
    under_test.start()
    assert (tmp_path / files["console"]).read_text() == "last words\n"
    assert "is off; start it" in (tmp_path / files["health"]).read_text()
