"""A board on a port: PortTarget driven against an emulated board's console, which is a serial port like any other."""

import os
import threading
import time
import tty

import pytest

from kittiwake.cli import app
from kittiwake.errors import (
    EXIT_NO_DEVICE,
    EXIT_OK,
    EXIT_PORT_BUSY,
    ConfigError,
    PortBusyError,
    TargetError,
    UsageError,
)
from kittiwake.ports import serial, survey
from kittiwake.target import mpy, open_target, port
from kittiwake_node.link import messages, payload, record
from tests.support.hil import SOAK, Gateway

_ARCHITECTURES = {"qemu:mps2-an385": "armv7m", "qemu:virt": "rv32imc", "qemu:xtensa": "xtensawin"}
NAMES = list(_ARCHITECTURES) if SOAK else ["qemu:virt"]
CONFIG = {
    "device": "kw-port",
    "health_s": 1,
    "channels": [{"summary_samples": 100, "source": {"kind": "link", "room": 64}}],
}


@pytest.fixture(scope="module", params=NAMES)
def emulated(request):
    """An emulated board at its prompt, its console free for others, main.py not held back."""
    with open_target(request.param, deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        yield machine


@pytest.fixture
def board(emulated):
    with open_target(emulated.console_port) as target:
        yield target


def test_port_target_runs_code_and_keeps_its_globals(board):
    assert board.exec("x = 20") == ""
    assert board.exec("print(x + 1)\nprint('é')") == "21\né\n"
    with pytest.raises(TargetError, match="ZeroDivisionError") as caught:
        board.exec("print('before')\n1 // 0")
    assert "line 2" in caught.value.traceback


def test_port_target_facts_choose_the_architecture(board, emulated):
    facts = board.facts()
    assert facts["arch"] == _ARCHITECTURES[emulated.name]
    assert facts["implementation"].startswith("micropython 1.")
    assert facts["heap_free"] > 50_000


def test_port_target_deploys_what_differs_and_replaces_the_other_form(board):
    files = {"lib/sub/a.py": b"V = 1\n" * 300, "b.txt": bytes(range(256)), "empty": b""}
    board.deploy(files)
    assert board.exec("import os\nprint(os.stat('lib/sub/a.py')[6], open('b.txt', 'rb').read() == bytes(range(256)))")
    written = []
    board.exec("import builtins\n_n = 0\n")
    execute = board._repl.exec
    board._repl.exec = lambda code, *limits: written.append(code) or execute(code, *limits)
    board.deploy(files)
    assert not any(code.startswith("begin_file(") for code in written)
    board.deploy({**files, "b.txt": bytes(range(255, -1, -1))})
    assert sum(code.startswith("begin_file(") for code in written) == 1
    board.deploy(board.compiled({"lib/sub/a.py": b"V = 2\n"}))
    assert board.exec("from lib.sub.a import V\nprint(V, os.listdir('lib/sub'))") == "2 ['a.mpy']\n"


def test_port_target_refuses_a_module_for_another_core(board, emulated):
    other = "rv32imc" if emulated.name != "qemu:virt" else "armv7m"
    source = b"import micropython\n@micropython.native\ndef f():\n    return 1\n"
    with pytest.raises(ConfigError, match="does not fit the board"):
        board.deploy(mpy.compile_files({"n.py": source}, other))


def test_port_target_runs_the_node_with_the_link_on_its_console(board):
    """One port for all: link, console text, and Ctrl-C to take the board back."""
    board.deploy_firmware()
    board.run_node(CONFIG)
    with Gateway(board.link_port) as gateway:
        gateway.open()
        gateway.until(lambda: any(r.type == record.HEALTH for r in gateway.records), "no health record")
        body = bytes(range(256)) * 2
        assert gateway.ask(messages.OP_PING, body[:200]) == (messages.OK, body[:200])
        boot = gateway.session.boot
        assert payload.unpack_boot(gateway.records[0].payload)["firmware"]
    board.interrupt()
    assert board.exec("print(1)") == "1\n"
    board.run_node(CONFIG)
    with Gateway(board.link_port) as gateway:
        gateway.open()
        assert gateway.session.boot == boot + 1
    with pytest.raises(TargetError, match="running the node"):
        board.exec("1")
    board.interrupt()


def test_port_target_link_on_a_second_port(emulated):
    with open_target(emulated.console_port, link=emulated.link_port) as board:
        board.deploy_firmware()
        board.run_node({**CONFIG, "link": {"kind": "kwboard"}})
        assert board.link_port == emulated.link_port
        with Gateway(board.link_port) as gateway:
            gateway.open()
            assert gateway.ask(messages.OP_PING, bytes(range(256))) == (messages.OK, bytes(range(256)))
        board.interrupt()


def test_port_target_reboot_forgets_names_and_keeps_files(board):
    board.exec("forgotten = 1\nwith open('kept', 'w') as f: f.write('x')")
    board.reboot()
    with pytest.raises(TargetError, match="NameError"):
        board.exec("forgotten")
    assert board.exec("print(open('kept').read())") == "x\n"


def test_port_target_cannot_cut_the_supply(board):
    assert not board.can_cut_power
    with pytest.raises(UsageError, match="cannot be cut"):
        board.cut_power()


def test_port_target_stop_leaves_the_friendly_prompt(emulated):
    with open_target(emulated.console_port) as board:
        board.exec("kept_name = 5")
    stream = port.SerialStream(emulated.console_port)
    try:
        stream.write(b"print(kept_name + 1)\r", 5)
        heard = b""
        deadline = time.monotonic() + 10
        while b"6\r\n>>> " not in heard:
            assert time.monotonic() < deadline, heard
            heard += stream.read(0.1)
    finally:
        stream.close()


def test_port_in_use_by_another_program_is_exit_4_and_free_afterwards(emulated, tmp_path, capsys):
    script = tmp_path / "s.py"
    script.write_text("print('ran')\n")
    command = ["run", "--target", emulated.console_port, str(script)]
    holder = serial.open_blocking(emulated.console_port)
    try:
        with pytest.raises(PortBusyError):
            open_target(emulated.console_port).start()
        assert app.run(command) == EXIT_PORT_BUSY
        assert len(capsys.readouterr().err.splitlines()) == 1
    finally:
        holder.close()
    assert app.run(command) == EXIT_OK
    assert capsys.readouterr().out == "ran\n"


def test_port_that_is_not_there_is_exit_3(tmp_path, capsys):
    script = tmp_path / "s.py"
    script.write_text("1\n")
    assert app.run(["run", "--target", "/dev/ttyUSB99", str(script)]) == EXIT_NO_DEVICE
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture
def silent_port():
    """A port that takes everything and answers nothing."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    ended = threading.Event()

    def drain():
        while not ended.is_set():
            try:
                os.read(master, 4096)
            except BlockingIOError:
                time.sleep(0.01)

    reader = threading.Thread(target=drain)
    reader.start()
    yield os.ttyname(slave)
    ended.set()
    reader.join()
    os.close(master)
    os.close(slave)


def test_port_with_a_board_that_does_not_answer_is_one_line_and_lets_the_port_go(silent_port, monkeypatch):
    monkeypatch.setattr(port, "_BOOT_S", 0.5)
    for _ in range(2):
        with pytest.raises(TargetError, match="gives no prompt") as caught:
            open_target(silent_port).start()
        assert "\n" not in str(caught.value)


def test_board_that_stops_answering_is_told_and_comes_back_by_ctrl_c(emulated):
    with open_target(emulated.console_port) as board:
        with pytest.raises(TargetError, match="does not answer within 0.5 s"):
            board.exec("while True: pass", timeout_s=0.5)
        assert board.exec("print('back')") == "back\n"


def test_survey_finds_the_prompt_of_a_board_and_leaves_its_globals(emulated):
    with open_target(emulated.console_port) as target:
        target.exec("kept = 41")
    found = survey.ask_port(emulated.console_port)
    assert found.state == "micropython" and found.detail.startswith("v1.")
    with open_target(emulated.console_port) as target:
        assert target.exec("print(kept + 1)") == "42\n"
