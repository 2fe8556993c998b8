"""This project's own boards under test: targets with the firmware on them, shared more widely than the plugin's boards.

The hooks show what a failed test's board said, and give the next test one that answers.
"""

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.target import Target
from kittiwake.target.visit import open_visited

CONSOLE_LINES = 64
ANSWER_S = 5.0
# Prints the files of a board that can be written; a read-only file system lies in a folder of its own, and stays.
LIST = """
import os
def walk(folder):
    for name, kind, *_ in os.ilistdir(folder or "/"):
        path = folder + "/" + name
        if kind != 0x4000:
            print(path)
        elif path != "/rom":
            walk(path)
walk("")
"""


def pytest_addoption(parser):
    parser.addoption(
        "--target",
        action="append",
        metavar="T",
        dest="kittiwake_boards",
        help="as --board: what this project's own commands call it",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    board = getattr(item, "funcargs", {}).get("target")  # none that a test opened for itself: it knows what it does
    if call.excinfo is None or not report.failed or not isinstance(board, Target):
        return report
    printed = board.node_text().strip()
    if printed:
        report.sections.append((f"Console of {board.name}", "\n".join(printed.splitlines()[-CONSOLE_LINES:])))
    problem = revive(board)
    if problem:
        report.sections.append((f"Board {board.name}", problem))
    return report


def revive(board):
    """Reboot a board that does not answer; gives what is wrong when that does not help. A node is left alone."""
    if board.node_is_running:
        return ""
    try:
        board.exec("", ANSWER_S)
        return ""
    except KittiwakeError:
        pass
    try:
        board.reboot()
    except KittiwakeError as error:
        return f"it does not answer any more: {error}"
    return ""


@pytest.fixture(scope="session")
def target_name(board_name):
    """Name of a target that can start here: for tests that open one of their own."""
    return board_name


@pytest.fixture(scope="session")
def target(target_name):
    """A started target with the firmware on it. Shared: leave it as it was, or take `board`."""
    with open_visited(target_name) as opened:
        opened.deploy_firmware()
        opened.files_at_first = files_on(opened)
        yield opened


@pytest.fixture(scope="module")
def board(target):
    """The target, booted anew for this test file: no node runs, and no name and no file of another file's is left."""
    target.reboot()
    for path in sorted(files_on(target) - target.files_at_first):
        target.exec(f"import os; os.remove({path!r})")
    return target


def files_on(target):
    """Paths of what an emulated board's medium holds; elsewhere there is room enough, and it is not asked."""
    return set(target.exec(LIST).split("\n")) - {""} if target.name.startswith("qemu:") else set()
