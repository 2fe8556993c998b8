"""The MicroPython that a bench wants on a board: flashed before a run where it is not there, and not again.

The chip is the stand-in for an ESP32-C3, which runs MicroPython, on an emulated board, once its flash holds the image.
"""

import os
import subprocess
import sys

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from tests.hil.test_from_nothing import BOARD, new_board
from tests.support.hil import SOAK

TESTS = """
def test_answers(board, figures):
    figures["sum"] = board.eval("1 + 1")
"""
# The process of the test has the pty open, too, and so holds the port in the eyes of a flashing run.
# A chip without MicroPython is asked for a prompt for less long.
CONFTEST = """
from kittiwake.ports import serial
from kittiwake.target import port
serial.holder = lambda path: ""
port._BOOT_S = 8.0
"""


@pytest.fixture
def bare(request, tmp_path, monkeypatch):
    """A board that nothing was ever written to, on a wire, and the folder of a project with its image."""
    refuse_or_skip(request.config, "qemu:virt")
    with new_board(tmp_path, monkeypatch, code_bytes=40_000) as (wire, image):
        (tmp_path / "test_mine.py").write_text(TESTS)
        (tmp_path / "conftest.py").write_text(CONFTEST)
        wire.image = image.name
        wire.folder = tmp_path
        yield wire


def run(wire, version, *arguments):
    lines = [
        "[[boards]]",
        'name = "desk"',
        f'target = "{wire.port}"',
        f'micropython = {{version = "{version}", board = "{BOARD}", image = "{wire.image}"}}',
    ]
    (wire.folder / "bench.toml").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board", "desk", *arguments]
    environment = {**os.environ, "TMPDIR": str(wire.folder)}
    done = subprocess.run(command, cwd=wire.folder, env=environment, capture_output=True, text=True, timeout=110)
    return done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_board_is_flashed_before_a_run_where_it_lacks_what_its_bench_wants(bare):
    there = bare.micropython
    output = run(bare, there)
    assert "1 passed" in output, output
    once = bare.chip.stubs
    assert once > 0
    assert "1 passed" in run(bare, there) and bare.chip.stubs == once
    if SOAK:
        output = run(bare, "1.2.3")
        assert f"was flashed, and the board at {bare.port} runs MicroPython {there}, not 1.2.3" in output
        assert "1 error" in output and bare.chip.stubs == 2 * once
        assert "1 passed" in run(bare, there, "--flash-boards") and bare.chip.stubs == 3 * once
