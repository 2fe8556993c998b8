"""Emulated boards with a node on them: started, ended, taken back, cut off; what their storage keeps."""

import random
import subprocess
import sys
import time

import pytest
import serial

from kittiwake.errors import PortBusyError, TargetError
from tests.support.waiting import until

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


def test_target_node_runs_from_main_and_gives_the_board_back_in_order(machine):
    machine.deploy({"main.py": _NODE})
    machine.run_node({"device": "a"})
    until(lambda: "node started" in _log(machine).rpartition("soft reboot")[2])
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

    until(has_ended)


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
    until(lambda: "node started" in _log(machine).rpartition("soft reboot")[2])
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
    until(lambda: _log(machine).count("second node") > starts)
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
