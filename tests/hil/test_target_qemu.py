"""Emulated boards, driven as the host drives real ones: code, files, link, Ctrl-C, power."""

import os
import random
import signal
import subprocess
import sys
import threading
import time

import pytest
import serial

from kittiwake.errors import ConfigError, PortBusyError, TargetError, UsageError
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target
from kittiwake.target import qemu as qemu_module


@pytest.fixture(autouse=True)
def emulators(request):
    """Some tests here start boards of their own choice: without these, all are skipped by name."""
    for name in ("qemu:mps2-an385", "qemu:virt"):
        refuse_or_skip(request.config, name)


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
    machine.exec("import kwboard, time\nn = 0\ndef hook(us):\n    global n\n    n += 1\n")
    code = (
        "kwboard.tick(hook, 20)\nend = time.ticks_add(time.ticks_ms(), 1200)\n"
        "while time.ticks_diff(end, time.ticks_ms()) > 0: pass\n"
        "before = n\ntime.sleep_ms(50)\nprint(n - before)\nkwboard.tick(None)\n"
    )
    is_over = threading.Event()

    def hold_up():
        while not is_over.is_set():
            os.kill(machine._emulator.pid, signal.SIGSTOP)
            time.sleep(0.0002)
            os.kill(machine._emulator.pid, signal.SIGCONT)
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


_NODE = b"""
import time
print('node started')
try:
    while True:
        time.sleep_ms(1)
except KeyboardInterrupt:
    with open('/closed', 'w') as file:
        file.write('yes')
"""


def _log(machine):
    return (machine.work_dir / "console.log").read_text(errors="replace")


def _wait(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


def test_target_node_runs_from_main_and_gives_the_board_back_in_order(machine):
    machine.deploy({"main.py": _NODE})
    machine.run_node({"device": "a"})
    _wait(lambda: "node started" in _log(machine).rpartition("soft reboot")[2])
    machine.check_running()
    with pytest.raises(TargetError, match="running the node"):
        machine.exec("print(1)")
    machine.interrupt()
    assert machine.exec("print(open('/closed').read())") == "yes\n"
    assert '"device": "a"' in machine.exec("print(open('/node.json').read())")


def test_target_node_that_ends_by_itself_is_told_with_its_last_words(machine):
    machine.deploy({"main.py": b"raise ValueError('broken sensor')\n"})
    machine.run_node({})

    def has_ended():
        try:
            machine.check_running()
        except TargetError as error:
            assert "ValueError: broken sensor" in error.message and "Traceback" in error.traceback
            return True
        return False

    _wait(has_ended)


def test_target_power_cut_stops_a_running_node_and_start_holds_it(machine):
    machine.deploy({"main.py": _NODE})
    machine.run_node({})
    machine.cut_power()
    with pytest.raises(TargetError, match="is off"):
        machine.exec("print(1)")
    machine.cut_power()
    before = _log(machine).count("node started")
    machine.start()
    assert machine.exec("print(1)") == "1\n"
    assert _log(machine).count("node started") == before


def test_target_mpremote_takes_back_a_running_node_deploys_and_starts_it_again(machine, tmp_path):
    machine.deploy({"main.py": _NODE})
    machine.run_node({})
    _wait(lambda: "node started" in _log(machine).rpartition("soft reboot")[2])
    script = tmp_path / "hello.py"
    script.write_text("print('hello from', __import__('sys').platform)\n")

    def mpremote(*arguments):
        command = [sys.executable, "-m", "mpremote", "connect", machine.console_port, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert mpremote("run", str(script)) == "hello from qemu\n"
    assert machine.name == "qemu:netduino2" or "main.py" in mpremote("ls")
    (tmp_path / "main.py").write_text("print('second node')\nwhile True: pass\n")
    mpremote("cp", str(tmp_path / "main.py"), ":main.py")
    starts = _log(machine).count("second node")
    mpremote("reset")
    _wait(lambda: _log(machine).count("second node") > starts)
    mpremote("exec", "import os; os.remove('main.py')")
    machine.interrupt()
    assert machine.exec("print(1)") == "1\n"


def test_target_console_in_use_is_named(machine):
    machine.release_console()
    with serial.Serial(machine.console_port, exclusive=True), pytest.raises(PortBusyError, match="in use"):
        machine.exec("print(1)")
    assert machine.exec("print(1)") == "1\n"


def test_target_power_cuts_tear_flash_operations_and_lose_nothing_committed(machine):
    # A small file system of its own on the journal's partition; each line is committed before it is told.
    setup = (
        "import kwflash, vfs, os\n"
        "kwflash.journal.piece, kwflash.journal.spin = 16, 100\n"  # as slow as flash is
        "def fs():\n    return vfs.VfsLfs2(kwflash.journal, progsize=128, readsize=128, mtime=False)\n"
    )
    machine.exec(setup + "vfs.VfsLfs2.mkfs(kwflash.journal, progsize=128, readsize=128)\nvfs.mount(fs(), '/j')\n")
    randomness = random.Random(7)
    committed = 0
    cuts = 12
    for _ in range(cuts):
        machine._repl.submit(
            f"n = {committed}\nwhile True:\n    n += 1\n"
            "    with open('/j/n', 'w') as file:\n        file.write(str(n))\n    print(n)\n"
        )
        time.sleep(randomness.uniform(0.02, 0.12))
        machine.qmp("stop")
        heard = machine._repl._stream.read(0.05)
        machine.cut_power()
        told = [int(line) for line in heard.replace(b"\x04", b"").split(b"\r\n")[1:-1] if line.isdigit()]
        machine.start()
        machine.exec(setup + "vfs.mount(fs(), '/j')\n")
        stored = int(machine.exec("try:\n    print(open('/j/n').read())\nexcept OSError:\n    print(0)"))
        assert stored >= max(told, default=committed)
        committed = stored
    stats = eval(machine.exec("print(kwflash.stats())"))
    assert stats["torn_programs"] + stats["torn_erases"] >= 1
    assert committed > 0


def test_target_storage_image_is_what_the_board_has(machine):
    machine.exec("import kwflash\nkwflash.journal.ioctl(6, 0)\nkwflash.journal.writeblocks(0, b'kittiwake', 16)")
    machine.cut_power()
    image = machine.storage_image()
    assert image[16:25] == b"kittiwake" and image[:16] == b"\xff" * 16


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


def test_target_without_count_has_no_instruction_counter(machine):
    assert machine.instructions() is None


def test_target_unknown_board_is_a_usage_error():
    with pytest.raises(UsageError, match="qemu:nothing"):
        open_target("qemu:nothing")


def test_target_emulator_dies_with_its_parent_and_leaves_the_next_start_free():
    program = (
        "import sys\nfrom kittiwake.target import open_target\n"
        "t = open_target('qemu:virt', deploy=False)\nt.start()\nprint(t._emulator.pid, t.work_dir, flush=True)\n"
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

    _wait(is_gone)
    with open_target("qemu:virt", deploy=False) as target:
        assert target.exec("print(1)") == "1\n"


def test_target_emulator_that_is_killed_is_told_and_can_be_started_again():
    with open_target("qemu:virt", deploy=False) as target:
        os.kill(target._emulator.pid, signal.SIGKILL)
        with pytest.raises(TargetError, match="has ended"):
            target.exec("print(1)")
        target.start()
        assert target.exec("print(1)") == "1\n"


def test_target_stop_leaves_nothing():
    target = open_target("qemu:virt", deploy=False)
    target.start()
    pid, folder = target._emulator.pid, target.work_dir
    target.stop()
    target.stop()
    assert not folder.exists() and not os.path.exists(f"/proc/{pid}")


def test_target_wrong_emulator_argument_is_told_in_qemus_words():
    target = open_target("qemu:virt", deploy=False, arguments=["-device", "no-such-device"])
    with pytest.raises(TargetError, match="does not start.*no-such-device"):
        target.start()
    target.stop()
