"""A board on a port that tests visit is left as it was found, also after a visit that was cut short."""

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from kittiwake.target.visit import VisitingTarget, open_visited
from tests.support.waiting import until

NAMES = ["qemu:mps2-an385", "qemu:virt"]
OWN = {
    "main.py": b"print('mine')\n",
    "node.json": b"{}",
    "kittiwake_node/frame.py": b"MINE = 1\n",
    "kittiwake_node/node.py": b"MINE = 2\n",
    "app-a/ready": b"1 83dcefb7",
    "data/log.txt": b"12345",
}
_LISTING = """
import os, binascii
def _crc(path):
    crc = 0
    with open(path, "rb") as file:
        while piece := file.read(512):
            crc = binascii.crc32(piece, crc)
    return crc
def _list(folder):
    for name in os.listdir(folder or "/"):
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000:
            print(path, None)
            _list(path)
        else:
            print(path, _crc(path) & 0xffffffff)
_list("")
"""


# One core in every run, the other in the soak: what is taken off a board does not depend on it.
@pytest.fixture(params=[NAMES[0], pytest.param(NAMES[1], marks=pytest.mark.soak)])
def machine(request):
    refuse_or_skip(request.config, request.param)
    with open_target(request.param, deploy=False) as machine:
        machine.deploy(OWN)
        yield machine


def files_of(machine):
    if machine.node_is_running:
        machine.interrupt()
    found = dict(line.rsplit(" ", 1) for line in machine.exec(_LISTING, 30).splitlines())
    machine.release_console()
    machine.set_strap(run_main=True)
    return found


def visit(board):
    board.deploy_firmware()
    board.deploy({"model.kwm": b"x" * 900, "data/more/deep.txt": b"1", "data/log.txt": b"other"})
    board.run_node({"device": "kw-visit", "channels": [{"source": {"kind": "link"}}]})
    board.interrupt()
    assert board.exec("from kittiwake_node.link import frame\nprint(frame.VERSION)") == "1\n"
    assert board.exec("print(open('data/log.txt').read())") == "other\n"
    board.exec(
        "import os\nos.mkdir('made')\nfor name in ('made/of-code.txt', 'data/of-code.txt'): open(name, 'w').close()"
    )


def test_visit_leaves_a_board_as_it_was_found_and_restarts_it(machine):
    before = files_of(machine)
    with open_visited(machine.console_port) as board:
        visit(board)
    until(lambda: "mine" in machine.node_text().splitlines(), "its own main.py does not run")
    assert files_of(machine) == before


def test_visit_that_was_cut_short_is_ended_by_the_next_one(machine, monkeypatch):
    before = files_of(machine)
    with open_visited(machine.console_port) as board:
        visit(board)
        board._is_visiting = False  # as a process that is killed: nothing is taken off
    left = files_of(machine)
    assert "/model.kwm" in left and left["/main.py.visited"] == before["/main.py"] != left["/main.py"]
    with open_visited(machine.console_port):
        pass
    assert files_of(machine) == before


def test_visit_that_cannot_end_says_so(machine, monkeypatch):
    files_of(machine)
    board = VisitingTarget(machine.console_port)
    board.start()
    board.deploy({"new.txt": b"1"})
    board.exec("import builtins\n")
    monkeypatch.setattr(board, "reboot", lambda: board.exec("1 // 0"))
    with pytest.raises(Exception, match="was not left as it was found: .*ZeroDivisionError"):
        board.stop()
    monkeypatch.undo()
    with open_visited(machine.console_port):
        pass
    assert "/new.txt" not in files_of(machine)


def test_targets_that_end_with_the_run_are_not_visited():
    assert not isinstance(open_visited("unix"), VisitingTarget)
    assert isinstance(open_visited("/dev/ttyUSB0"), VisitingTarget)
