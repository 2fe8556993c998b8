"""Lines that ran on a board, in coverage.py's data: they are those that CPython runs of the same file."""

import json
import os
import subprocess
import sys

import coverage
import pytest

from kittiwake.hil.traced import with_silent_lines
from kittiwake.pytest_plugin import refuse_or_skip

BOARD = "qemu:mps2-an385"
# What runs is the same on both; what MicroPython has no code for is among it.
MODULE = '''"""A module."""
from pack.helper import twice
from micropython import const

_LIMIT = const(3)
LARGEST = const(
    9
)


class Ring:
    """A class."""

    size = 3

    def __init__(self):
        self.items = []

    @property
    def full(self):
        return len(self.items) == _LIMIT

    def push(self, item):
        if self.full:
            raise IndexError(
                "full"
            )
        elif item is None:
            pass
        else:
            self.items.append(item)
        for one in self.items:
            if one > 100:
                continue
            one += 1
        while False:
            never()
        while True:
            break
        return [
            twice(one)
            for one in self.items
        ]

    def never(self):
        with open("nothing") as file:
            return file.read()


def drive():
    ring = Ring()
    for item in (1, None, 200, 3):
        ring.push(item)
    try:
        ring.push(5)
    except IndexError:
        pass
    finally:
        done = True
    return done
'''
HELPER = """def twice(value):
    return (lambda number: 2 * number)(value)


def idle():
    return None
"""
TESTS = """
def test_module_runs(board):
    board.deploy("src")
    assert board.eval("__import__('ring').drive()") is True

def test_lines_of_two_boots_and_a_power_cut_are_one_set(board):
    board.mount("mounted")
    board.exec("import late; late.first()")
    board.reset()
    board.mount("mounted")
    board.exec("import late; late.second()")
    with board.steady_heap():
        board.exec("for _ in range(100): late.second()")
    board.cut_power()
    board.start()
    board.run("script.py")
"""
LATE = """def first():
    return 1


def second():
    return 2


def third():
    return 3
"""


def reported(data, name):
    """What coverage.py reports of a file: the lines that ran, and those that did not."""
    command = [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}", "-o", "-"]
    done = subprocess.run(command, check=True, cwd=data.parent, capture_output=True, text=True)
    (entry,) = (entry for path, entry in json.loads(done.stdout)["files"].items() if path.endswith(name))
    return entry["executed_lines"], entry["missing_lines"]


def run(folder, *options):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--hil-coverage=boards.data", *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(request, tmp_path_factory):
    """A project whose tests ran on a board, by two processes."""
    refuse_or_skip(request.config, BOARD)
    root = tmp_path_factory.mktemp("project")
    for name, text in {
        "src/ring.py": MODULE,
        "src/pack/helper.py": HELPER,
        "src/unused.py": "NEVER = 1\n",
        "mounted/late.py": LATE,
        "script.py": "def one():\n    return 1\n\n\none()\n",
        "test_mine.py": TESTS,
        "drive.py": "import ring\n\nring.drive()\n",
        "shim/micropython.py": "def const(value):\n    return value\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    said = run(root, f"--board={BOARD}", "-n2")
    assert "2 passed" in said and "lines of 4 files ran on boards: coverage report --data-file=" in said, said
    assert not list(root.glob("boards.data.gw*"))
    return root


def test_lines_of_a_board_are_those_that_cpython_runs(project):
    command = [sys.executable, "-m", "coverage", "run", "--data-file=host.data", "drive.py"]
    path = os.pathsep.join([str(project / "src"), str(project / "shim")])
    subprocess.run(command, check=True, cwd=project, env={**os.environ, "PYTHONPATH": path})
    for name in ("src/ring.py", "src/pack/helper.py"):
        on_board, on_host = (reported(project / data, name) for data in ("boards.data", "host.data"))
        assert on_board == on_host
        assert on_board[0] and on_board[1]


def test_lines_of_all_boots_are_told_and_files_that_never_ran(project):
    assert reported(project / "boards.data", "mounted/late.py") == ([1, 2, 5, 6, 9], [10])
    assert reported(project / "boards.data", "script.py") == ([1, 2, 5], [])
    assert reported(project / "boards.data", "src/unused.py") == ([], [1])
    data = coverage.CoverageData(basename=str(project / "boards.data"))
    data.read()
    assert data.measured_contexts() == {BOARD}


def test_board_without_a_trace_is_named(project):
    said = run(project, "--board=unix", "-k", "module_runs", "--hil-coverage=other.data")
    assert "1 passed" in said and "unix: its MicroPython has no sys.settrace" in said, said
    assert "no lines ran on boards" in said, said


@pytest.mark.parametrize(
    ("source", "told", "silent"),
    [
        ("_A = const(1)\n_B = const(2)\nC = 3\n", {3}, {1, 2}),
        ("_A = const(1)\n", set(), set()),
        ("def f():\n    pass\n", {1}, {2}),
        ("if x:\n    y()\nelse:\n    pass\n", {1, 2}, set()),
        ("try:\n    x()\nexcept E:\n    pass\n", {1, 2}, set()),
        ("try:\n    x()\nexcept E:\n    pass\n", {1, 2, 3}, {4}),
        ("@wrapped\ndef f():\n    x()\n", {1}, {2}),
        ("a()\nwhile True:\n    b()\n", {1, 3}, {2}),
        ("@micropython.asm_thumb\ndef f(r0):\n    pass (\n", {1}, set()),
    ],
)
def test_lines_without_code_count_as_run_by_what_is_before_them(source, told, silent):
    assert with_silent_lines(source, told) == told | silent
