"""A stand-in for a real board: an emulated one behind a port, on the network and in a tunnel, its power on a command.

The example's tests pass on it as they do on an emulated board, and leave it as it was.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from tests.support.hil import SOAK
from tests.support.served import served
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
NAME = "qemu:virt"
WAYS = ["port", "tunnel", "rfc2217"]
# In the place of `ssh lab socat - PORT`: the console on stdin and stdout.
TUNNEL = """
import os, select, sys, termios, tty
console = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
tty.setraw(console)
while True:
    ready, _, _ = select.select([0, console], [], [])
    for source in ready:
        piece = os.read(source, 4096)
        if not piece:
            sys.exit()
        os.write(1 if source == console else console, piece)
"""
OWN = {"main.py": b"print('mine')\n", "ring.py": b"MINE = 1\n"}


@pytest.fixture
def up(request, tmp_path):
    """An emulated board that is kept running by a process of its own, with files of its own on it."""
    refuse_or_skip(request.config, NAME)
    command = [sys.executable, "-m", "kittiwake", "node", "up", "--json", "--power-cut", "--target", NAME]
    log = tmp_path / "up.log"
    with log.open("w") as said, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True) as process:
        try:
            ports = {**json.loads(process.stdout.readline()), "log": log}
            with open_target(ports["console"]) as board:
                board.deploy(OWN)
            yield ports
        finally:
            process.send_signal(signal.SIGTERM)


def write_bench(folder, target, up, tunnel=()):
    # A switch returns when the power is off: the process says so in its log.
    off = (
        f"n=$(wc -l < {up['log']}); kill -USR1 {up['pid']}; while [ $(wc -l < {up['log']}) = $n ]; do sleep 0.05; done"
    )
    lines = [
        "[[boards]]",
        'name = "desk"',
        f"target = {json.dumps(target)}",
        f"tunnel = {json.dumps(list(tunnel))}",
        f'power = {{off = ["sh", "-c", {json.dumps(off)}], on = ["true"]}}',
    ]
    (folder / "bench.toml").write_text("\n".join(lines) + "\n")


def run_example(folder, tmp_path, *options):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board", "desk", *options]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("way", WAYS if SOAK else WAYS[:2])
def test_example_passes_on_a_stand_in_for_a_real_board_and_leaves_it_as_it_was(way, up, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/hil", project)
    console = up["console"]
    options = () if SOAK else ("tests/test_logfile.py",)
    if way == "rfc2217":
        with served(console, "rfc2217") as url:
            write_bench(project, url, up)
            done = run_example(project, tmp_path, *options)
    else:
        write_bench(project, console, up, [sys.executable, "-c", TUNNEL, console] if way == "tunnel" else ())
        done = run_example(project, tmp_path, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout if not SOAK else "8 passed" in done.stdout
    with open_target(console) as board:
        for path, content in OWN.items():
            assert board.exec(f"print(open({path!r}, 'rb').read() == {content!r})") == "True\n"
        assert "five.log" not in board.exec("import os; print(os.listdir())")


@pytest.mark.timeout(300)
def test_two_runs_never_share_a_board(up, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "examples/hil", project)
    write_bench(project, up["console"], up)
    (project / "tests/test_slow.py").write_text("import time\ndef test_slow(board):\n    time.sleep(60)\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--board", "desk", "-s", "tests/test_slow.py"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    lister = [sys.executable, "-m", "kittiwake", "hil", "list", "--json"]

    def state():
        done = subprocess.run(lister, cwd=project, env=environment, capture_output=True, text=True)
        return json.loads(done.stdout)["boards"][0]

    assert state()["state"] == "free"
    with subprocess.Popen(command, cwd=project, env=environment, stdout=subprocess.DEVNULL) as first:
        until(lambda: state()["state"] == "held", "the first run holds the board", 30, 0.2)
        try:
            assert f"process {first.pid} " in state()["detail"]
            second = run_example(project, tmp_path, "--board-wait", "0.5", "tests/test_logfile.py")
            assert second.returncode == 1
            assert f"desk is held by process {first.pid} " in second.stdout
        finally:
            first.kill()
    assert state()["state"] == "free"
