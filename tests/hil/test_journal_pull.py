"""`kittiwake journal pull`: a device's partition arrives whole, and holds what the device committed."""

import pytest

pytest.importorskip("littlefs", reason="littlefs-python is not installed: pip install 'kittiwake[journal]'")

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK
from kittiwake.journal import image, reading
from kittiwake.journal.pull import pull, pull_files
from kittiwake.ports import survey
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
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
    if storage["kind"] == "folder":
        files = pull_files(board, storage, lambda done, total: seen.append((done, total)))
    else:
        raw = pull(board, storage, lambda done, total: seen.append((done, total)))
        files = image.files_of(raw, "it")
    read = reading.read(files, "it")
    assert read.is_sound
    assert [(e.record.seq, e.record.cls, e.record.time_ms) for e in read.entries] == listing(board)
    assert len(read.entries) > 20 and seen[-1][0] == seen[-1][1] > 1


LINK = {"kind": "link"}


@pytest.mark.parametrize("kind", ["kwflash", "folder"])
def test_journal_pulled_over_a_console_leaves_the_node_running(kind, request, tmp_path, capsys):
    """Regression: the node was left stopped, and of a journal in a folder there was nothing that could be read."""
    refuse_or_skip(request.config, "qemu:mps2-an385")
    storage = {"kind": "folder", "path": "kw"} if kind == "folder" else {"kind": kind}
    with open_target("qemu:mps2-an385") as machine:
        machine.run_node(
            {
                "device": "kw-pull",
                "link": {"kind": "stdio"},
                "storage": storage,
                "channels": [{"source": {"kind": "link"}}],
            }
        )
        path = tmp_path / "pulled"
        while survey.ask_port(machine.console_port).state != "node":
            machine.check_running()
        command = ["journal", "pull", "--port", machine.console_port, "-o", str(path)]
        assert app.run(command) == EXIT_OK, capsys.readouterr().err
        assert path.is_dir() == (kind == "folder")
        assert app.run(["journal", str(path)]) == EXIT_OK
        assert "sound" in capsys.readouterr().out.splitlines()
        while survey.ask_port(machine.console_port).detail != "kw-pull":
            machine.check_running()
