"""Tests that are bad to their board: each is reported as what it is, soon, and the next one has a good board.

Tests of tests: pytest runs in a folder that knows nothing of this project.
"""

import json
import subprocess
import sys

import pytest

from tests.support.hil import SOAK

# Emulated boards differ in what runs on them, little in how they are brought back: each run tries one of them.
BOARDS = () if SOAK else ("unix", "qemu:mps2-an385")
LONGEST_S = 60  # on an idle machine 12 s: a flood over an emulated UART, or 5 s for a board that heeds nothing
# What the report says of each: of the unix port, of an emulated board.
WORDS = {
    "hangs": ("no answer from the board within 0.5 s", "does not answer within 0.5 s"),
    "hangs_and_heeds_no_ctrl_c": ("no answer from the board within 0.5 s", "does not answer within 0.5 s"),
    "crashes_the_emulator": ("the board died (status -9)", "has ended; start it again"),
    "has_crashed": ("the board died (status -9)", "has ended; start it again"),
    "floods_with_10_mb": ("printed more than 1,048,576 bytes", "printed more than 1,048,576 bytes"),
    "leaks": ("unix leaks: its heap grew by 10,", " leaks: its heap grew by 10,"),
    "runs_out_of_memory": ("MemoryError: memory allocation failed", "MemoryError: memory allocation failed"),
    "pulls_the_power": ("the board is off", " is off; start it first"),
}
TESTS = """
import os
import signal
import threading
from pathlib import Path

import pytest

def kill_children():
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended just now
        if parent == os.getpid():
            os.kill(int(stat.parent.name), signal.SIGKILL)

def hangs(board):
    board.exec("print('before')\\nwhile True: pass", timeout_s=0.5)

def hangs_and_heeds_no_ctrl_c(board):
    board.exec("while True:\\n try:\\n  while True: pass\\n except BaseException: pass", timeout_s=0.5)

def crashes_the_emulator(board):
    killer = threading.Timer(0.3, kill_children)
    killer.start()
    try:
        board.exec("while True: pass")
    finally:
        killer.join()

def has_crashed(board):
    kill_children()
    board.exec("print(1)")

def floods_with_10_mb(board):
    board.exec("for _ in range(100000): print('x' * 104)", timeout_s=60)

def leaks(board):
    board.exec("kept = []\\ndef step(): kept.append(bytearray(1000))")
    with board.steady_heap():
        board.exec("for _ in range(10): step()")

def runs_out_of_memory(board):
    board.exec("kept = []\\nwhile True: kept.append(bytearray(10000))")

def pulls_the_power(board):
    board.cut_power()
    board.exec("print(1)")

BAD = [
    hangs, hangs_and_heeds_no_ctrl_c, crashes_the_emulator, has_crashed, floods_with_10_mb, leaks, runs_out_of_memory,
    pulls_the_power,
]

@pytest.mark.parametrize("is_next", [False, True], ids=["bad", "next"])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_board(shared_board, bad, is_next):
    if not is_next:
        bad(shared_board)
        return
    assert shared_board.eval("sum(range(1000))") == 499500
    shared_board.deploy({f"{bad.__name__}.py": "ANSWER = 42"})
    assert shared_board.exec(f"import {bad.__name__} as good\\nprint(good.ANSWER)") == "42\\n"
"""


@pytest.mark.timeout(400)
@pytest.mark.skipif(sys.platform != "linux", reason="finds its children in /proc")
@pytest.mark.board(*BOARDS)
def test_each_fault_is_told_as_what_it_is_and_the_next_test_has_a_good_board(board_name, tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--hil-json=report.json"]
    done = subprocess.run(
        [*command, f"--board={board_name}"], cwd=tmp_path, capture_output=True, text=True, timeout=350
    )
    tests = json.loads((tmp_path / "report.json").read_text())["tests"]
    assert "8 failed, 8 passed" in done.stdout, done.stdout + done.stderr
    # Each bad test, and after it the next one.
    assert ["next" if test["test"].endswith("-next]") else "bad" for test in tests] == ["bad", "next"] * 8
    of_unix = board_name == "unix"
    for bad, words in WORDS.items():
        (failed,) = (test for test in tests if test["test"].endswith(f"-{bad}-bad]"))
        errors = [line for line in failed["why"].splitlines() if line.startswith("E ")]
        assert failed["outcome"] == "failed" and words[0 if of_unix else 1] in errors[0], failed["why"]
        assert failed["seconds"] < LONGEST_S, f"{bad} took {failed['seconds']} s"
