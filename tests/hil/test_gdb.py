"""`kittiwake run --gdb`: a debugger stops an emulated board in MicroPython's C code while a script runs."""

import socket
import struct
import subprocess
import sys

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_USAGE
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images
from tests.support.free_ports import free_port

NAME = "qemu:virt"
PC = 32  # RISC-V's number of it in GDB's protocol
FUNCTION = "mp_unary_op"


class Debugger:
    """The part of GDB's remote protocol that it takes to stop a machine at a function."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.settimeout(20)
        self._data = b""

    def ask(self, command):
        body = command.encode()
        self._socket.sendall(b"$%s#%02x" % (body, sum(body) & 255))
        return self.answer()

    def order(self, command):
        """Ask for something that is answered by OK; a report that the machine stands still may come before."""
        reply = self.ask(command)
        while reply[:1] in "ST":
            reply = self.answer()
        assert reply == "OK", (command, reply)

    def answer(self):
        while len(self._data.partition(b"#")[2]) < 2:
            piece = self._socket.recv(4096)
            assert piece, "the debugger's connection is closed"
            self._data += piece
        self._socket.sendall(b"+")
        packet, _, rest = self._data.partition(b"#")
        self._data = rest[2:]
        return packet.partition(b"$")[2].decode()

    def close(self):
        self._socket.close()


def address_of(function, elf):
    """Address of a symbol in an ELF file of 32 bits. Source: System V ABI, chapter 4."""
    sections_at, count = struct.unpack_from("<I", elf, 32)[0], struct.unpack_from("<H", elf, 48)[0]
    sections = [struct.unpack_from("<10I", elf, sections_at + 40 * n) for n in range(count)]
    symbols = next(section for section in sections if section[1] == 2)
    names_at = sections[symbols[6]][4]
    for at in range(symbols[4], symbols[4] + symbols[5], 16):
        name, value = struct.unpack_from("<II", elf, at)
        if elf[names_at + name :].startswith(function.encode() + b"\0"):
            return value
    raise AssertionError(f"no symbol {function}")


@pytest.mark.timeout(120)
def test_debugger_stops_the_board_in_micropython_and_lets_it_go_on(request, tmp_path):
    refuse_or_skip(request.config, NAME)
    script = tmp_path / "script.py"
    script.write_text("x = 7\nprint(-x)\n")
    port = free_port()
    command = [sys.executable, "-m", "kittiwake", "run", "--target", NAME, "--gdb", str(port), str(script)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            attach, press = process.stderr.readline(), process.stderr.readline()
            assert f"target remote 127.0.0.1:{port}" in attach and "press Enter to run script.py" in press
            firmware = next(images.image(board).firmware for board in images.boards().values() if board.target == NAME)
            assert str(firmware) in attach
            address = address_of(FUNCTION, firmware.read_bytes())
            gdb = Debugger(port)
            assert gdb.ask("?")[0] in "ST"  # it stops as soon as a debugger comes
            gdb.order(f"Z0,{address:x},2")
            process.stdin.write("\n")
            process.stdin.flush()
            assert gdb.ask("c")[0] in "ST"
            registers = bytes.fromhex(gdb.ask("g"))
            assert struct.unpack_from("<I", registers, 4 * PC)[0] == address
            gdb.order(f"z0,{address:x},2")
            gdb.ask("D")
            gdb.close()
            printed, said = process.communicate(timeout=60)
            assert (process.returncode, printed) == (0, "-7\n"), said
        finally:
            process.kill()


def test_debugger_is_for_emulated_boards_and_files(tmp_path, capsys):
    script = tmp_path / "script.py"
    script.write_text("1\n")
    assert app.run(["run", "--gdb", "1234", str(script)]) == EXIT_USAGE
    assert app.run(["run", "--gdb", "1234", "--target", NAME, "-"]) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 2
