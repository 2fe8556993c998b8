"""Target unix: exec, deploy, the pty link, power cuts, and that nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kittiwake import target
from kittiwake.errors import NoDeviceError, TargetError, UsageError
from kittiwake.target import micropython_unix
from tests.support.waiting import until

# Stands in for the firmware: echoes the link, and appends a line to its flash for every byte.
ECHO_NODE = b"""
import json, select, sys
config = json.load(open(sys.argv[1]))
if config.get("fail"):
    raise ValueError("bad config")
port = open(config["link"]["fd"], "r+b")
poll = select.poll()
poll.register(port, select.POLLIN)
flash = open(config["storage"]["path"], "ab")
print("node up")
while True:
    if poll.poll(1000):
        data = port.read(64)
        if data:
            flash.write(data)
            port.write(data)
"""


@pytest.fixture
def board():
    with target.open_target("unix") as board:
        yield board


@pytest.fixture
def echo_board(board):
    board.deploy({"main.py": ECHO_NODE})
    board.run_node({})
    return board


def _open_link(board):
    descriptor = os.open(board.link_port, os.O_RDWR | os.O_NOCTTY)
    os.set_blocking(descriptor, False)
    return descriptor


def _exchange(descriptor, data, board):
    """Write to the link and wait for the echo, without taking longer than it must."""
    os.write(descriptor, data)
    got = b""
    deadline = time.monotonic() + 20
    while len(got) < len(data) and time.monotonic() < deadline:
        board.check_running()
        try:
            got += os.read(descriptor, 4096)
        except BlockingIOError:
            time.sleep(0.005)
    return got


def test_unix_exec_returns_output_and_keeps_globals(board):
    assert board.exec("x = 20") == ""
    assert board.exec("print(x + 1, end='')") == "21"
    assert board.exec("print('é' * 3)") == "ééé\n"


def test_unix_exec_of_a_long_output_returns_all_of_it(board):
    assert board.exec("for i in range(20000): print(i)").split() == [str(i) for i in range(20000)]


def test_unix_exec_that_raises_carries_the_boards_traceback(board):
    with pytest.raises(TargetError, match="ZeroDivisionError") as caught:
        board.exec("print('before')\ndef f():\n    return 1 // 0\nf()")
    assert "line 3, in f" in caught.value.traceback
    assert "before" not in caught.value.traceback
    assert board.exec("print(1)") == "1\n"


@pytest.mark.parametrize("code", ["import sys; sys.exit(3)", "raise KeyboardInterrupt", "def (:"])
def test_unix_exec_that_ends_oddly_leaves_the_board_up(board, code):
    with pytest.raises(TargetError):
        board.exec(code)
    assert board.exec("print(1)") == "1\n"


def test_unix_exec_that_hangs_is_switched_off_and_starts_again(board):
    with pytest.raises(TargetError, match="no answer"):
        board.exec("while True: pass", timeout_s=0.2)
    board.start()
    assert board.exec("print(1)") == "1\n"


def test_unix_exec_whose_process_dies_says_so_and_starts_again(board):
    with pytest.raises(TargetError, match="died"):
        board.exec("import os\nos.system('kill -9 $PPID')\nimport time\ntime.sleep(5)")
    board.start()
    assert board.exec("print(1)") == "1\n"


def test_unix_exec_before_start_says_it_is_off():
    board = target.open_target("unix")
    with pytest.raises(TargetError, match="off"):
        board.exec("1")
    board.stop()


def test_unix_deploy_writes_what_differs_only(board):
    board.deploy({"lib/a.py": b"V = 1"})
    path = board.board_dir / "lib/a.py"
    os.utime(path, (1, 1))
    board.deploy({"lib/a.py": b"V = 1"})
    assert path.stat().st_mtime == 1
    board.deploy({"lib/a.py": b"V = 2"})
    assert board.exec("from lib.a import V; print(V)") == "2\n"


def test_unix_deploy_outside_the_board_is_refused(board):
    with pytest.raises(UsageError, match="leads out"):
        board.deploy({"../x": b""})


def test_unix_start_deploys_the_firmware_once(board):
    assert board.exec("from kittiwake_node import errors; print(errors.NodeError('a', 'b'))") == "a: b\n"
    board.deploy({"kittiwake_node/errors.py": b"MUTATED = 1"})
    board.cut_power()
    board.start()
    assert board.exec("from kittiwake_node import errors; print(errors.MUTATED)") == "1\n"


def test_unix_link_carries_every_byte_both_ways(echo_board):
    descriptor = _open_link(echo_board)
    every_byte = bytes(range(256))
    assert _exchange(descriptor, every_byte * 4, echo_board) == every_byte * 4
    os.close(descriptor)


def test_unix_link_and_flash_outlive_a_killed_board(echo_board):
    descriptor = _open_link(echo_board)
    port = echo_board.link_port
    assert _exchange(descriptor, b"one", echo_board) == b"one"
    os.kill(echo_board.pid, signal.SIGKILL)
    with pytest.raises(TargetError, match="-9"):
        until(echo_board.check_running)
    echo_board.run_node({})
    assert echo_board.link_port == port
    assert _exchange(descriptor, b"two", echo_board) == b"two"
    echo_board.cut_power()
    assert echo_board.flash_path.read_bytes() == b"onetwo"
    os.close(descriptor)


def test_unix_board_runs_on_when_nobody_listens(echo_board):
    for _ in range(3):
        descriptor = _open_link(echo_board)
        assert _exchange(descriptor, b"x", echo_board) == b"x"
        os.close(descriptor)
    assert echo_board.node_is_running


def test_unix_interrupt_takes_the_board_back(echo_board):
    descriptor = _open_link(echo_board)
    assert _exchange(descriptor, b"x", echo_board) == b"x"
    with pytest.raises(TargetError, match="running the node"):
        echo_board.exec("1")
    with pytest.raises(TargetError, match="running the node"):
        echo_board.run_node({})
    echo_board.interrupt()
    assert echo_board.exec("print(1)") == "1\n"
    echo_board.interrupt()
    os.close(descriptor)


def test_unix_node_that_fails_says_why(board):
    board.deploy({"main.py": ECHO_NODE})
    board.run_node({"fail": True})
    with pytest.raises(TargetError, match="ValueError: bad config") as caught:
        until(board.check_running)
    assert "line 5" in caught.value.traceback
    with pytest.raises(TargetError, match="bad config"):
        board.exec("1")
    board.start()
    assert board.exec("print(1)") == "1\n"


def test_unix_facts_name_the_port(board):
    facts = board.facts()
    assert facts["implementation"].startswith("micropython 1.")
    assert facts["arch"]
    assert facts["heap_free"] > 1000000
    assert set(facts) == {"implementation", "mpy", "arch", "cpu", "cpuid", "mhz", "heap_free", "has_storage"}


def test_unix_heap_is_as_asked():
    with target.open_target("unix", heap_bytes=256 * 1024) as board:
        assert 100000 < board.facts()["heap_free"] < 256 * 1024


def test_unix_stop_leaves_nothing_and_may_be_repeated(echo_board):
    pid, work_dir = echo_board.pid, echo_board.work_dir
    echo_board.stop()
    echo_board.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert not work_dir.exists()
    echo_board.start()
    assert echo_board.exec("print(1)") == "1\n"


def test_unix_given_work_dir_is_kept(tmp_path):
    with target.open_target("unix", work_dir=tmp_path) as board:
        board.deploy({"main.py": ECHO_NODE})
    assert (tmp_path / "board/main.py").read_bytes() == ECHO_NODE


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_unix_board_dies_with_the_process_that_started_it(tmp_path):
    code = (
        "import sys, threading, time\nfrom kittiwake import target\n"
        f"board = target.open_target('unix', work_dir={str(tmp_path)!r})\n"
        # Started from a thread that ends: the board must live on.
        f"worker = threading.Thread(target=lambda: (board.start(), board.deploy({{'main.py': {ECHO_NODE!r}}}),"
        " board.run_node({})))\n"
        "worker.start(); worker.join()\ntime.sleep(0.3)\nprint(board.pid, flush=True)\nsys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    assert b"main.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    parent.kill()
    parent.communicate()
    until(lambda: not _is_running(pid), "the board's end with its parent")


def _is_running(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_unix_without_micropython_names_the_mend(monkeypatch):
    monkeypatch.setenv("KITTIWAKE_MICROPYTHON", "/nowhere/micropython")
    problem = target.available("unix")
    assert isinstance(problem, NoDeviceError)
    assert "/nowhere/micropython" in problem.message
    assert "PATH" in problem.mend
    with pytest.raises(NoDeviceError), target.open_target("unix"):
        pass


def test_unix_with_another_program_called_micropython_says_so(monkeypatch):
    monkeypatch.setenv("KITTIWAKE_MICROPYTHON", "true")
    assert "is not a MicroPython" in target.available("unix").message


def test_unix_is_found_on_path_where_no_wheel_is(monkeypatch, tmp_path):
    program = tmp_path / "micropython"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(micropython_unix.sys, "executable", "/nowhere/python")
    monkeypatch.setattr(micropython_unix.sys, "prefix", "/nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert micropython_unix.find_micropython() == str(program)


@pytest.mark.parametrize("name", ["unixx", "unix:x", "", "qemu:abacus"])
def test_target_of_unknown_name_lists_the_known(name):
    with pytest.raises(UsageError, match="unix"):
        target.open_target(name)
