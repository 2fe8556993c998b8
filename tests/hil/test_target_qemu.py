"""Emulated boards at their prompt, driven as the host drives real ones: code, files, link, console, Ctrl-C."""

import os
import random
import signal
import threading
import time

import pytest
import serial

from kittiwake.errors import ConfigError, TargetError
from kittiwake.target import qemu as qemu_module

_ECHO = """
import kwboard
_link = kwboard.Link()
_buf = bytearray(256)
while True:
    _n = _link.readinto(_buf)
    if _n:
        _rest = memoryview(_buf)[:_n]
        while _rest:
            _n = _link.write(_rest)
            if _n:
                _rest = _rest[_n:]
"""


def test_target_exec_keeps_globals_and_returns_what_is_printed(machine):
    machine.exec("a = 41")
    assert machine.exec("print(a + 1)\nprint('é')") == "42\né\n"


def test_target_exec_failing_code_carries_the_boards_traceback(machine):
    with pytest.raises(TargetError, match="ZeroDivisionError") as caught:
        machine.exec("def f():\n    1 / 0\nf()")
    assert "line 2, in f" in caught.value.traceback
    assert machine.exec("print(1)") == "1\n"


def test_target_exec_takes_source_longer_than_every_buffer(machine):
    text = "x" * 20000
    assert machine.exec(f"print(len({text!r}))") == "20000\n"


def test_target_exec_endless_code_is_an_error_and_the_board_comes_back(machine):
    with pytest.raises(TargetError, match="does not answer within 1 s"):
        machine.exec("while True: pass", 1.0)
    assert machine.exec("print('back')") == "back\n"


def test_target_exec_that_cannot_be_interrupted_is_an_error_and_a_power_cut_mends_it(machine, monkeypatch):
    monkeypatch.setattr(qemu_module, "_BOOT_S", 1.5)
    with pytest.raises(TargetError, match="does not answer"):
        machine.exec("import micropython\nmicropython.kbd_intr(-1)\nwhile True: pass", 0.5)
    with pytest.raises(TargetError, match="gives no prompt"):
        machine.interrupt()
    machine.cut_power()
    machine.start()
    assert machine.exec("print('alive')") == "alive\n"


def test_target_that_was_not_started_says_so_when_its_journal_is_asked_for():
    with pytest.raises(TargetError, match="is not started"):
        qemu_module.QemuTarget("qemu:virt", deploy=False).storage_image()


def test_target_facts_say_what_the_board_is(machine):
    facts = machine.facts()
    expected = {
        "qemu:mps2-an385": "armv7m",
        "qemu:mps2-an386": "armv7em",
        "qemu:netduino2": "armv7m",
        "qemu:virt": "rv32imc",
        "qemu:xtensa": "xtensawin",
    }
    assert facts["arch"] == expected[machine.name]
    assert facts["implementation"] == "micropython 1.25.0"
    assert facts["heap_free"] > 90000
    assert facts["has_storage"]


def test_target_time_and_ticks_follow_the_clock(machine):
    # Lower bounds only: a loaded host may add anything.
    code = "import time\nt = time.ticks_us()\ntime.sleep_ms(30)\nprint(time.ticks_diff(time.ticks_us(), t))"
    assert int(machine.exec(code)) >= 30000


def test_target_tick_hook_runs_with_the_heap_locked(machine):
    machine.exec(
        "import kwboard, time, micropython\n"
        "n = 0\nlocked = []\n"
        "def hook(us):\n    global n\n    n += 1\n"
        "kwboard.tick(hook, 500)\n"
        "while n < 50: time.sleep_ms(1)\n"
        "kwboard.tick(None)\n"
        "m = n\ntime.sleep_ms(20)\nassert n == m\n"
    )
    printed = machine.exec(
        "def bad(us): bytearray(10)\nkwboard.tick(bad, 1000)\ntime.sleep_ms(20)\nkwboard.tick(None)\nprint('on')"
    )
    assert "tick hook removed" in printed and "MemoryError" in printed and printed.endswith("on\n")


def test_target_tick_goes_on_after_the_host_held_the_emulator_up(machine):
    """Regression: a core whose timer compares with a counter missed a time that had gone by when it was written."""
    # The hook looks up no name: it may come while the program's names move into a larger table.
    machine.exec("import kwboard, time\nturns = [0]\ndef hook(us, turns=turns):\n    turns[0] += 1\n")
    code = (
        "kwboard.tick(hook, 20)\nend = time.ticks_add(time.ticks_ms(), 1200)\n"
        "while time.ticks_diff(end, time.ticks_ms()) > 0: pass\n"
        "before = turns[0]\ntime.sleep_ms(50)\nprint(turns[0] - before)\nkwboard.tick(None)\n"
    )
    is_over, pid = threading.Event(), machine._machine.emulator().pid

    def hold_up():
        while not is_over.is_set():
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.0002)
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.0002)

    holder = threading.Thread(target=hold_up)
    holder.start()
    try:
        ticks = int(machine.exec(code, 30))
    finally:
        is_over.set()
        holder.join()
    assert ticks > 5


@pytest.mark.parametrize("period_us", [0, -1, 10**9])
def test_target_tick_period_out_of_range_is_refused(machine, period_us):
    with pytest.raises(TargetError, match="ValueError"):
        machine.exec(f"import kwboard\nkwboard.tick(lambda us: None, {period_us})")


def test_target_random_bytes_differ(machine):
    a, b = eval(machine.exec("import os\nprint([os.urandom(16), os.urandom(16)])"))
    assert a != b and len(a) == 16


def test_target_deploy_writes_only_what_changed_and_survives_a_power_cut(machine):
    files = {"app/one.txt": b"1" * 3000, "app/deep/two.py": b"x = 2\n", "empty.txt": b""}
    machine.deploy(files)
    assert machine.exec("from app.deep import two\nprint(two.x)") == "2\n"
    if machine._board.description["memory"]["storage"] == "littlefs":
        code = "import kwflash\nprint(kwflash.stats()['programs'])"
        before = machine.exec(code)
        machine.deploy(files)
        assert machine.exec(code) == before
        machine.cut_power()
        machine.start()
    root = "/rom" if machine._board.description["memory"]["storage"] == "romfs" else ""
    assert machine.exec(f"print(len(open('{root}/app/one.txt').read()))") == "3000\n"


def test_target_deploy_replaces_source_by_compiled_module(machine):
    if machine._board.description["memory"]["storage"] == "romfs":
        return  # its image holds what is deployed last and nothing else of that name
    machine.deploy({"twin.py": b"x = 'source'\n"})
    machine.deploy(machine.compiled({"twin.py": b"x = 'compiled'\n"}))
    assert machine.exec("import twin\nprint(twin.x)") == "compiled\n"


def test_target_deploy_module_for_another_core_is_refused(machine):
    other = "rv32imc" if machine.name != "qemu:virt" else "armv7m"
    source = b"@micropython.viper\ndef f() -> int: return 1\n"
    files = qemu_module.mpy.compile_files({"native.py": source}, other)
    with pytest.raises(ConfigError, match=f"native.mpy does not fit the board: it has code for {other}"):
        machine.deploy(files)


def test_target_link_passes_bytes_both_ways_without_loss(machine):
    # Unpaced, several times every buffer on the way, both directions at once.
    data = random.Random(1).randbytes(30000)
    with serial.Serial(machine.link_port, timeout=10) as port:
        machine._repl.submit(_ECHO)
        writer = threading.Thread(target=port.write, args=(data,))
        writer.start()
        got = bytearray()
        while len(got) < len(data):
            piece = port.read(min(1000, len(data) - len(got)))
            assert piece, f"lost after {len(got)} bytes"
            got += piece
        writer.join()
    machine._repl.enter()
    assert bytes(got) == data


def test_target_link_without_a_reader_never_blocks_the_board(machine):
    code = (
        "import kwboard, time\nlink = kwboard.Link()\nn = 0\nt = time.ticks_ms()\n"
        "while time.ticks_diff(time.ticks_ms(), t) < 200: n += link.write(b'x' * 64) or 0\nprint(n > 0)"
    )
    assert machine.exec(code) == "True\n"
    with serial.Serial(machine.link_port, timeout=0.2):  # open, and nobody reads
        assert machine.exec(code) == "True\n"
    machine.exec("import select\np = select.poll()\np.register(link, select.POLLIN)\nassert not p.poll(0)")


def test_target_console_keeps_what_is_typed_ahead(machine):
    # Longer than the ring: at the prompt nothing may be dropped.
    machine._repl._can_paste = False
    try:
        assert machine.exec("n = 0\n" + "n += 1\n" * 400 + "print(n)") == "400\n"
    finally:
        machine._repl._can_paste = True


def test_target_ctrl_c_is_seen_behind_unread_input(machine):
    machine._repl.submit("while True: pass")
    machine._repl._stream.write(b"z" * 3000, 5.0)
    machine._repl.enter()
    assert machine.exec("print('back')") == "back\n"


def test_target_console_loses_nothing_when_its_reader_is_late(machine):
    # On a busy host, half a second without a turn made `verify` miss an answer: the board dropped what it printed.
    machine._repl.submit("for i in range(40): print(i, 'x' * 60)")
    with machine._machine.console._changed:  # the thread that reads the console waits here
        time.sleep(1.5)
    deadline = time.monotonic() + 20
    printed = machine._repl._read_until(b"\x04", deadline, 20).decode()
    machine._repl._finish(deadline, 20)
    assert printed.splitlines() == [f"{i} {'x' * 60}" for i in range(40)]


def test_target_without_count_has_no_instruction_counter(machine):
    assert machine.instructions() is None
