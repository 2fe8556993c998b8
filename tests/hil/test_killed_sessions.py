"""Sessions that are killed at any moment leave nothing: no process, no lock, no folder that the next one keeps."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from tests.support.hil import SOAK
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SESSIONS = 100 if SOAK else 4
LONGEST_S = 1.5
BOARDS = ["unix", "qemu:virt"]


def processes_of(folder):
    """Command lines of the processes whose temporary folder this is."""
    mark = f"TMPDIR={folder}".encode()
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                left.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            pass  # ended just now, or another user's
    return [command for command in left if command]  # a zombie has none


@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_sessions_that_are_killed_leave_nothing(request, tmp_path):
    for name in BOARDS:
        refuse_or_skip(request.config, name)
    project, place = tmp_path / "project", tmp_path / "tmp"
    shutil.copytree(ROOT / "examples/hil", project)
    place.mkdir()
    environment = {**os.environ, "TMPDIR": str(place)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"--board={name}" for name in BOARDS)]
    dice = random.Random(22)
    said = (tmp_path / "said.txt").open("w")
    for _ in range(SESSIONS):
        before, is_late = len(list(place.iterdir())), dice.random() < 0.8  # else while Python still starts
        session = subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=said)
        while is_late and session.poll() is None and len(list(place.iterdir())) <= before:
            time.sleep(0.02)
        time.sleep(dice.uniform(0, LONGEST_S))
        session.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT]))
        session.wait(30)
    said.close()
    assert list(place.glob("kittiwake-*")), "no session was killed in the middle"
    until(lambda: processes_of(place) == [], lambda: f"left: {processes_of(place)}", 10)
    long_ago = time.time() - 3600
    for folder in place.glob("kittiwake-*"):
        os.utime(folder, (long_ago, long_ago))
    last = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, timeout=120)
    assert last.returncode == 0, last.stdout
    left = [path.name for path in place.iterdir() if path.name != f"pytest-of-{os.environ.get('USER', 'root')}"]
    assert left == [], f"after {SESSIONS} sessions"
