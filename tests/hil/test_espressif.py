"""Espressif's emulators as boards: stand-ins take the documented command line, and a board of ours answers behind it.

Neither emulator was at hand. What is held is our side of their documents: arguments, flash as a file, console, power.
"""

import os
import stat
import sys
import textwrap

import pytest

from kittiwake.errors import ConfigError, NoDeviceError
from kittiwake.hil import bench, espressif, opening
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import images

BEHIND = "qemu:mps2-an385"
IMAGE = b"\xe9 MicroPython's image" * 50
# What both do at last: an emulated board of ours, whose first UART is where Espressif's has its own.
BOARD = """
    Path("strap").write_text("hold")
    os.execlp("qemu-system-arm", "qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none",
        "-semihosting-config", "enable=on,target=native,arg=kittiwake,arg=strap", *serial, "-kernel", FIRMWARE)
"""
# By qemu/esp32/README.md of espressif/esp-toolchain-docs; anything else is refused.
QEMU = """
    if sys.argv[1:] == ["-machine", "help"]:
        print("Supported machines are:\\nesp32   Espressif ESP32 machine\\nnone    empty machine")
        sys.exit()
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-machine", choices=["esp32"], required=True)
    parser.add_argument("-display", choices=["none"], required=True)
    parser.add_argument("-monitor", choices=["none"], required=True)
    parser.add_argument("-drive", required=True)
    parser.add_argument("-chardev", choices=["stdio,id=console,signal=off"], required=True)
    parser.add_argument("-serial", choices=["chardev:console"], required=True)
    drive = dict(word.split("=") for word in parser.parse_args().drive.split(","))
    assert drive["if"] == "mtd" and drive["format"] == "raw", drive
    flash = Path(drive["file"]).read_bytes()
    assert len(flash) in (2 << 20, 4 << 20, 8 << 20, 16 << 20), "only 2, 4, 8, 16 MB images are supported"
    assert flash[:0x1000] == b"\\xff" * 0x1000 and flash[0x1000:].startswith(IMAGE), "no bootloader"
    with open("starts", "a") as log:
        log.write("started\\n")
    serial = ["-chardev", "stdio,id=c,signal=off", "-serial", "chardev:c"]
"""
# By README.md of espressif/esp-emulator.
EMU = """
    parser = argparse.ArgumentParser(allow_abbrev=False)
    chips = ["esp32c3", "esp32c5", "esp32c6", "esp32h2", "esp32p4", "esp32s3", "esp32s31"]
    parser.add_argument("--chip", choices=chips, required=True)
    parser.add_argument("--firmware", required=True)
    parser.add_argument("--uart-tcp", required=True)
    given = parser.parse_args()
    assert Path(given.firmware).read_bytes().startswith(IMAGE), "no bootloader"
    serial = ["-serial", f"tcp:{given.uart_tcp},server=on,wait=off"]
"""


@pytest.fixture
def programs(request, tmp_path, monkeypatch):
    """Puts a stand-in on PATH, before Debian's program of the same name."""
    refuse_or_skip(request.config, BEHIND)
    firmware = images.image(images.by_target()[BEHIND]).firmware

    def put(name, body):
        head = f"#!{sys.executable}\nimport argparse, os, sys\nfrom pathlib import Path\n"
        head += f"IMAGE = {IMAGE!r}\nFIRMWARE = {str(firmware)!r}\n"
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(head + textwrap.dedent(body))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)

    return put


def described(tmp_path, target):
    (tmp_path / "micropython.bin").write_bytes(IMAGE)
    path = tmp_path / "bench.toml"
    path.write_text(f'[[boards]]\nname = "emulated"\ntarget = "{target}"\nimage = "micropython.bin"\n')
    return bench.read(path)


def test_board_runs_in_espressifs_qemu_and_its_power_is_cut(programs, tmp_path):
    programs("qemu-system-xtensa", QEMU + BOARD)
    with opening.open_board("emulated", described(tmp_path, "esp-qemu:esp32")) as board:
        board.exec("kept = 1")
        assert board.eval("6 * 7") == 42
        board.reset()
        assert board.eval("'kept' in globals()") is False
        board.exec("kept = 1")
        board.cut_power()
        board.start()
        assert board.eval("'kept' in globals()") is False
        assert board.lacks("power") == []


def test_board_runs_in_esp_emu_which_has_no_switch(programs, tmp_path):
    programs("esp-emu", EMU + BOARD)
    with opening.open_board("emulated", described(tmp_path, "esp-emu:esp32c3")) as board:
        assert board.eval("6 * 7") == 42
        board.reset()
        assert board.lacks("power") == ["power"]


@pytest.mark.parametrize(
    ("target", "stand_in", "error", "words"),
    [
        ("esp-qemu:esp32", None, NoDeviceError, "has no machine esp32"),
        ("esp-qemu:esp32s2", None, ConfigError, "esp-qemu has no esp32s2"),
        ("esp-emu:esp32", None, ConfigError, "esp-emu has no esp32"),
        ("esp-emu:esp32c3", "print('bad flash'); sys.exit(3)", NoDeviceError, "ended with status 3: bad flash"),
    ],
)
def test_emulator_that_cannot_start_says_why(programs, tmp_path, target, stand_in, error, words):
    if target == "esp-qemu:esp32":  # Debian's, which knows other machines
        stand_in = "print('Supported machines are:\\nlx60   lx60 EVB (dc232b)\\nnone   empty machine')"
    programs("qemu-system-xtensa" if "qemu" in target else "esp-emu", stand_in or "")
    with pytest.raises(error, match=words):
        opening.open_board("emulated", described(tmp_path, target)).start()


def test_flash_is_laid_out_as_the_chips_rom_and_qemu_want_it():
    assert espressif.flash_image("esp32c3", b"abc", padded=False) == b"abc"
    assert espressif.flash_image("esp32", b"abc", padded=False) == b"\xff" * 0x1000 + b"abc"
    assert len(espressif.flash_image("esp32", b"x" * (4 << 20), padded=True)) == 8 << 20
    with pytest.raises(ConfigError, match="more than a flash"):
        espressif.flash_image("esp32", b"x" * (16 << 20), padded=True)
