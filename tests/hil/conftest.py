"""The emulated boards that target tests run on: all that this checkout defines."""

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images, open_target
from tests.support.hil import LINKED_NODE, blank_journal


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
