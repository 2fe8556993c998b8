"""The pytest plugin, as somebody with tests of their own uses it: in a folder that knows nothing of this project."""

import os
import subprocess
import sys

import pytest

TESTS = """
import pytest

def test_adds(board):
    assert int(board.exec("print(1 + 1)")) == 2

def test_has_the_firmware(target):
    assert target.exec("from kittiwake_node.link import frame\\nprint(frame.VERSION)") == "1\\n"

@pytest.mark.targets("moon:*")
def test_of_another_kind(board):
    raise AssertionError("not wanted here")

def test_of_its_own(target_name):
    assert target_name in ("unix", "qemu:virt")
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "test_mine.py").write_text(TESTS)

    def run(*arguments, **environment):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs", str(tmp_path), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env={**os.environ, **environment}, timeout=60
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_plugin_runs_tests_on_unix_by_default(run):
    status, output = run()
    assert status == 0, output
    assert "3 passed, 1 deselected" in output


def test_plugin_target_named_twice_runs_once(run):
    assert "3 passed" in run("--target", "unix", "--target", "unix")[1]


def test_plugin_named_target_that_cannot_start_is_an_error_with_its_mend(run):
    status, output = run("--target", "/dev/ttyUSB99")
    assert status == 1
    assert "3 errors" in output and "passed" not in output
    assert "/dev/ttyUSB99 is not there; plug the board in" in output


def test_plugin_all_skips_by_name_what_cannot_start(run, tmp_path):
    # No firmware is built in an empty cache, so the emulated boards cannot start.
    status, output = run("--target", "all", KITTIWAKE_CACHE=str(tmp_path / "cache"))
    assert status == 0, output
    assert "3 passed" in output
    assert "qemu:virt cannot start here: " in output and "run `make boards`" in output


def test_plugin_target_named_besides_all_is_an_error_when_it_cannot_start(run, tmp_path):
    status, output = run("--target", "all", "--target", "qemu:virt", KITTIWAKE_CACHE=str(tmp_path / "cache"))
    assert status == 1
    assert "3 passed" in output and "3 errors" in output


def test_plugin_unknown_target_stops_before_any_test(run):
    status, output = run("--target", "moon")
    assert status == 4
    assert "no target is called 'moon'" in output


def test_plugin_only_targets_leaves_out_tests_without_one(run, tmp_path):
    (tmp_path / "test_other.py").write_text("def test_other():\n    pass\n")
    assert "4 passed, 1 deselected" in run()[1]
    assert "3 passed, 2 deselected" in run("--only-targets")[1]


BAD = """
import pytest

def test_hangs(board):
    board.exec("print('before')\\nwhile True: pass", timeout_s=0.5)

def test_raises(board):
    assert board.exec("print(6 * 7)") == "42\\n"
    board.exec("def inner():\\n    raise ValueError('of mine')\\ninner()")

def test_ends(board):
    board.exec("import os\\nos.system('kill -9 $PPID')\\nwhile True: pass")

def test_is_well(board):
    assert board.exec("print(1)") == "1\\n"
"""


def test_plugin_gives_the_next_test_a_good_board_and_shows_what_the_board_said(run, tmp_path):
    # Regression: after one hang every later test died of "write to closed file".
    (tmp_path / "test_mine.py").write_text(BAD)
    status, output = run()
    assert status == 1
    assert "3 failed, 1 passed" in output and "closed file" not in output
    assert "no answer from the board within 0.5 s" in output
    assert "What the board said" in output and "line 2, in inner" in output and "ValueError: of mine" in output
    assert "the board died" in output


def test_plugin_port_that_pytest_takes_for_a_folder_of_tests_is_refused(tmp_path):
    master, slave = os.openpty()
    path = os.ttyname(slave)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--target", path]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    os.close(master)
    os.close(slave)
    assert done.returncode == 4
    assert f"write --target={path}" in done.stdout + done.stderr
