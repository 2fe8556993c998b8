"""Children: ready or a reason, and none outlives its parent."""

import os
import subprocess
import sys

import pytest

from kittiwake.errors import KittiwakeError
from kittiwake.target.child import Child
from tests.support.waiting import until


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that children can run."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def write(code):
        (tmp_path / "kw_child_under_test.py").write_text(code)
        return "kw_child_under_test"

    return write


READY = (
    "import sys, time\nfrom kittiwake.target.child import end_with_parent\n"
    "end_with_parent()\nprint('up 7', flush=True)\n"
)


def _is_gone(pid):
    def is_gone():
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except (ProcessLookupError, FileNotFoundError):
            return True

    return until(is_gone, "the end of the process")


def test_child_gives_its_ready_line_and_stops(module):
    with Child(module(READY + "time.sleep(60)"), [], "it") as child:
        assert child.ready_line == "up 7"
        child.check_running()
        pid = child.pid
    assert _is_gone(pid)
    child.stop()


def test_child_that_fails_to_start_gives_its_last_words(module):
    with pytest.raises(KittiwakeError, match="it did not start: ValueError: no luck"):
        Child(module("raise ValueError('no luck')"), [], "it")


def test_child_that_never_gets_ready_is_killed(module):
    with pytest.raises(KittiwakeError, match="did not start"):
        Child(module("import time; time.sleep(60)"), [], "it", timeout_s=0.3)


def test_child_that_ends_later_is_noticed(module):
    with Child(module(READY + "sys.exit('bye')"), [], "it") as child:
        with pytest.raises(KittiwakeError, match="it ended: bye"):
            until(child.check_running)


def test_child_that_ignores_its_lifeline_is_killed_on_stop(module, monkeypatch):
    monkeypatch.setattr("kittiwake.target.child._STOP_S", 0.2)
    child = Child(module("import time\nprint('up', flush=True)\ntime.sleep(60)"), [], "it")
    pid = child.pid
    child.stop()
    assert _is_gone(pid)


def test_child_dies_with_a_killed_parent(module):
    name = module(READY + "time.sleep(60)")
    code = (
        "import sys\nfrom kittiwake.target.child import Child\n"
        f"child = Child({name!r}, [], 'it')\nprint(child.pid, flush=True)\nsys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    assert _is_gone(pid)
