"""The emulator behind the boards: its count of instructions, its life and death, its refusals."""

import os
import signal
import subprocess
import sys
import time

import pytest

from kittiwake.errors import TargetError, UsageError
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def emulators(request):
    """Some tests here start boards of their own choice: without these, all are skipped by name."""
    for name in ("qemu:mps2-an385", "qemu:virt"):
        refuse_or_skip(request.config, name)


@pytest.mark.parametrize("name", ["qemu:mps2-an385", "qemu:netduino2", "qemu:virt", "qemu:xtensa"])
def test_target_counts_are_the_same_in_every_run_and_see_a_no_op(name):
    code = (
        "import kwboard\n"
        "def f():\n    for i in range(50): pass\n"
        "def g():\n    for i in range(50): pass\n    pass; a = 1\n"
        "print(kwboard.count(f), kwboard.count(g), kwboard.count(f))"
    )
    figures = []
    for _ in range(2):
        with open_target(name, deploy=False, count=True) as target:
            first = target.instructions()
            figures.append(target.exec(code))
            assert target.instructions() > first
    assert figures[0] == figures[1]
    f, g, again = map(int, figures[0].split())
    assert f == again and g > f


def test_target_count_longer_than_every_counter_is_exact():
    # 40 million turns: the 24-bit SysTick wraps several times meanwhile.
    code = (
        "import kwboard\n"
        "@micropython.viper\ndef spin(n: int):\n    for i in range(n): pass\n"
        "print(kwboard.count(spin, 1000), kwboard.count(spin, 2000), kwboard.count(spin, 300000000 // 4))"
    )
    with open_target("qemu:mps2-an385", deploy=False, count=True) as target:
        one, two, many = map(int, target.exec(code, 60.0).split())
    a_turn = (two - one) / 1000
    assert abs(many - one - a_turn * (300000000 // 4 - 1000)) <= 8


def test_target_console_that_nobody_reads_stops_the_board_once_and_not_for_ever():
    with open_target("qemu:virt", deploy=False) as target:
        target.exec("import time")
        texts = "print('x' * 400)\n" * 10  # more than waits for a reader; the board gives it up
        held_first = "time.sleep(1)\n"  # a reader that still reads would make room
        timed = f"t = time.ticks_ms()\n{texts}took_ms = time.ticks_diff(time.ticks_ms(), t)"
        target._repl.submit(f"{held_first}{texts}{timed}")
        with target._machine.console._changed:  # the thread that reads the console waits here
            time.sleep(13)
        target.interrupt()
        assert int(target.exec("print(took_ms)")) < 1000
        assert target.exec("print('x' * 400)") == "x" * 400 + "\n"


def test_target_unknown_board_is_a_usage_error():
    with pytest.raises(UsageError, match="qemu:nothing"):
        open_target("qemu:nothing")


def test_target_emulator_dies_with_its_parent_and_leaves_the_next_start_free():
    program = (
        "import sys\nfrom kittiwake.target import open_target\n"
        "t = open_target('qemu:virt', deploy=False)\nt.start()\nprint(t._machine.emulator().pid, flush=True)\n"
        "sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = int(parent.stdout.readline().split()[0])
    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    def is_gone():
        try:
            with open(f"/proc/{pid}/stat") as file:
                return file.read().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    until(is_gone)
    with open_target("qemu:virt", deploy=False) as target:
        assert target.exec("print(1)") == "1\n"


def test_target_emulator_that_is_killed_is_told_and_can_be_started_again():
    with open_target("qemu:virt", deploy=False) as target:
        os.kill(target._machine.emulator().pid, signal.SIGKILL)
        with pytest.raises(TargetError, match="has ended"):
            target.exec("print(1)")
        target.start()
        assert target.exec("print(1)") == "1\n"


def test_target_stop_leaves_nothing():
    target = open_target("qemu:virt", deploy=False)
    target.start()
    pid, folder = target._machine.emulator().pid, target.work_dir
    target.stop()
    target.stop()
    assert not folder.exists() and not os.path.exists(f"/proc/{pid}")


def test_target_wrong_emulator_argument_is_told_in_qemus_words():
    target = open_target("qemu:virt", deploy=False, arguments=["-device", "no-such-device"])
    with pytest.raises(TargetError, match="does not start.*no-such-device"):
        target.start()
    target.stop()
