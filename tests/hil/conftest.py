"""The emulated boards that target tests run on: all that this checkout defines."""

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images, open_target
from tests.support.hil import LINKED_NODE, blank_journal

# Prints the files of a board that are writable: what is read-only lies in a folder of its own, and stays.
_LIST = """
import os
def _walk(folder):
    for name, kind, *_ in os.ilistdir(folder or "/"):
        path = folder + "/" + name
        if path == "/rom":
            continue
        if kind == 0x4000:
            _walk(path)
        else:
            print(path)
_walk("")
"""
_held: dict[str, tuple[str, set[str]]] = {}  # board -> the module that has it, and the files before the first one


@pytest.fixture(autouse=True)
def _room_on_the_board(request):
    """Take away what another module's tests left on an emulated board: all plans of a run do not fit its MiB."""
    if "kittiwake_board" not in request.fixturenames or "board" not in request.fixturenames:
        return
    name = request.getfixturevalue("kittiwake_board")
    if not name.startswith("qemu:"):
        return
    board = request.getfixturevalue("shared_board")
    module, files = _held.get(name, ("", set()))
    if module != request.module.__name__:
        there = set(board.exec(_LIST).split("\n")) - {""}
        files = files or there
        for path in sorted(there - files):
            board.exec(f"os.remove({path!r})")
        _held[name] = request.module.__name__, files


@pytest.fixture(scope="module", params=sorted(board.target for board in images.boards().values()))
def machine_started(request):
    """A started emulated board without the application, shared by the tests of a module."""
    refuse_or_skip(request.config, request.param)
    with open_target(request.param, deploy=False) as target:
        yield target


@pytest.fixture
def machine(machine_started):
    """The board, at its prompt whatever the test before did."""
    machine_started.start()
    if machine_started.node_is_running:
        machine_started.interrupt()
    yield machine_started


@pytest.fixture
def node(board):
    """LINKED_NODE on a fresh journal, running; at its prompt again afterwards."""
    board.interrupt()
    blank_journal(board)
    board.run_node(LINKED_NODE)
    yield board
    board.interrupt()
