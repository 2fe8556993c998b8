"""`kittiwake flash` on STM32s over a serial port, by the unmodified stm32loader, and over USB, by a dfu-util here."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kittiwake.flash import tool
from tests.support import stm32_images
from tests.support.stm32_chip import Stm32Chip
from tests.support.wire import Wire

UNTOUCHED = "nothing on the board was changed"
# From here on the tool writes the first piece.
WRITING = 400
# stm32loader waits five seconds for an answer that does not come, and a second in each run for a reset.
LONG = pytest.mark.soak


@pytest.fixture
def firmware(tmp_path):
    path = tmp_path / "PYBV11.dfu"
    path.write_bytes(stm32_images.dfu(stm32_images.pieces()))
    return path


def used(**more):
    chip = Stm32Chip(**more)
    chip.flash[:] = bytes(len(chip.flash))
    return chip


def assert_holds(flash, pieces):
    """The pieces are there byte for byte, and nothing else is."""
    expected = bytearray(b"\xff" * len(flash))
    for address, data in pieces.items():
        expected[address - 0x08000000 : address - 0x08000000 + len(data)] = data
    assert flash == expected


def test_stm32loader_takes_the_stand_in_for_the_chip(run_tool):
    chip = Stm32Chip()
    with Wire(chip) as wire:
        told = run_tool(wire, "stm32loader", "-p", wire.port, "-f", "F4")
    assert told.code == 0 and told.has("Chip id: 0x413 (STM32F405xx/07xx") and told.has("Flash size: 1024 KiB")
    assert chip.parity == "even" and chip.mode == "app" and chip.resets == 2


def test_stand_in_answers_as_an3155_writes_it():
    chip = Stm32Chip(is_wired=False)
    chip.parity = "even"

    def ask(text):
        return chip.feed(bytes.fromhex(text), 115200).hex()

    assert ask("7f") == "79"
    assert ask("02fd") == "79" + "010413" + "79"  # Get ID: N = 1, 0x0413
    assert ask("02fe") == "1f"  # no complement
    # Write Memory, four bytes at 0x08000000: the address's exclusive or is 0x08, N and data give 0x03 ^ 0x44 = 0x47.
    assert ask("31ce") + ask("0800000008") + ask("0311223344" + "47") == "797979"
    assert chip.flash[:5].hex() == "11223344ff"
    assert ask("31ce") + ask("0800000009") == "791f"  # the address's checksum
    assert ask("31ce") + ask("0800000008") + ask("0311223344" + "46") == "79791f"  # the data's
    # Read Memory: N and its complement; then Extended Erase of all, 0xFFFF and checksum 0.
    assert ask("11ee") + ask("0800000008") + ask("03fc") == "7979" + "79" + "11223344"
    assert ask("44bb") + ask("ffff00") == "7979" and chip.flash[:4].hex() == "ffffffff"
    assert ask("44bb") + ask("0000" + "0001" + "01") == "7979"  # sector 1 alone
    chip.parity = "none"
    assert ask("02fd") == ""


@pytest.mark.parametrize("is_wired", [True, pytest.param(False, marks=LONG)], ids=["wired", "by-hand"])
def test_flash_stm32_writes_erases_and_reads_back(flash, firmware, is_wired):
    chip = used(is_wired=is_wired)
    with Wire(chip) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware, "--json")
    assert told.code == 0, told.err
    assert_holds(chip.flash, stm32_images.pieces())
    done = json.loads(told.out)
    assert (done["tool"], done["chip"], done["flash_bytes"], done["tries"]) == ("stm32loader", "0x413", 1 << 20, 1)
    assert "reading 0x08020000 back" in told.err


def test_flash_stm32_another_chip_is_refused_before_anything_is_changed(flash, firmware):
    chip = used(product_id=0x431)
    with Wire(chip) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware)
    assert told.code == 2
    assert "says 0x431, and pyboard-v1.1 has 0x413" in told.error and UNTOUCHED in told.error
    assert not any(chip.flash)


@LONG
def test_flash_stm32_a_lost_byte_is_mended_at_a_lower_speed(flash, firmware):
    chip = used()
    with Wire(chip, drop=[WRITING]) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware, "--json")
    assert told.code == 0, told.err
    assert "trying again at 57600 baud, since at 115200 it failed while writing 0x08000000" in told.err
    assert_holds(chip.flash, stm32_images.pieces())


def test_flash_stm32_a_pulled_cable_says_what_is_left_and_the_next_run_mends_it(flash, tmp_path):
    chip = used()
    firmware = tmp_path / "flat.bin"
    firmware.write_bytes(stm32_images.flat())
    with Wire(chip, at={WRITING: Wire.pull}) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware)
    assert told.code == 1
    assert re.search(r"was lost while writing 0x08000000.*no whole MicroPython now.*run the same command", told.error)
    with Wire(chip) as wire:
        assert flash(wire, "pyboard-v1.1", "--image", firmware).code == 0
    assert_holds(chip.flash, {0x08000000: stm32_images.flat()})


@LONG
def test_flash_stm32_a_worn_cell_fails_verification(flash, firmware):
    with Wire(used(stuck={0x08020000 + at: 0xFF for at in range(8)})) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware, "--baudrate", 57600)
    assert told.code == 5 and "does not hold what was written" in told.error


def test_flash_stm32_readout_protection_is_named(flash, firmware):
    chip = used(is_protected=True)
    with Wire(chip) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware)
    assert told.code == 2 and "its readout protection is on" in told.error and UNTOUCHED in told.error
    assert not any(chip.flash)


@LONG
def test_flash_stm32_a_chip_that_does_not_answer_is_told_how_to_be_woken(flash, firmware):
    chip = used(is_wired=False)
    chip.mode = "app"
    with Wire(chip) as wire:
        told = flash(wire, "pyboard-v1.1", "--image", firmware)
    assert told.code == 3 and "no ROM bootloader answers" in told.error and "BOOT0 and 3V3" in told.error


# A dfu-util of ours: options as its manual writes them, a flash in a file; what goes wrong is named by KW_FAULT.
DFU_UTIL = """#!{python}
import os, sys
given, fault = sys.argv[1:], os.environ.get("KW_FAULT", "")
flash = os.environ["KW_FLASH"]
assert given[given.index("-d") + 1] == "0483:df11"
if "-l" in given:
    layout = "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,%s*128Kg" % os.environ["KW_LARGE"]
    for serial in os.environ["KW_SERIALS"].split():
        head = "Found DFU: [0483:df11] ver=2200, devnum=5, cfg=1, intf=0, path=\\"1-2\\", "
        print(head + 'alt=1, name="@Option Bytes  /0x1FFFC000/01*016 e", serial="%s"' % serial)
        print(head + 'alt=0, name="%s", serial="%s"' % (layout, serial))
    if fault == "access":
        print("dfu-util: Cannot open DFU device 0483:df11 found on devnum 5 (LIBUSB_ERROR_ACCESS)")
    sys.exit(0)
place, *options = given[given.index("-s") + 1].split(":")
at = int(place, 16) - 0x08000000
content = bytearray(open(flash, "rb").read())
if "-D" in given:
    if fault == "lost":
        print("Download\\t[=====          ]  40%      480 bytes", flush=True)
        print("dfu-util: Error during download (LIBUSB_ERROR_NO_DEVICE)")
        sys.exit(74)
    data = open(given[given.index("-D") + 1], "rb").read()
    if options == ["mass-erase", "force"]:
        content[:] = b"\\xff" * len(content)
    content[at:at + len(data)] = data
    if fault == "worn":
        content[at + 4] ^= 1
    open(flash, "wb").write(content)
    print("Download\\t[===============] 100%%     %d bytes" % len(data))
else:
    open(given[given.index("-U") + 1], "wb").write(content[at:at + int(options[0])])
"""


@pytest.fixture
def dfu(monkeypatch, tmp_path):
    """A dfu-util of ours on PATH, with a board of 1 MiB behind it; gives the flash's file."""
    folder, content = tmp_path / "bin", tmp_path / "flash"
    folder.mkdir()
    (folder / "dfu-util").write_text(DFU_UTIL.format(python=sys.executable))
    (folder / "dfu-util").chmod(0o755)
    content.write_bytes(bytes(1 << 20))
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("KW_FLASH", str(content))
    monkeypatch.setenv("KW_LARGE", "07")
    monkeypatch.setenv("KW_SERIALS", "3270")
    return content


class Usb:
    """Where a wire stands otherwise."""

    port = "dfu"
    environment = {}


def test_flash_dfu_writes_erases_and_compares_what_is_read_back(flash, firmware, dfu):
    told = flash(Usb, "pyboard-v1.1", "--image", firmware)
    assert told.code == 0, told.err
    assert_holds(bytearray(dfu.read_bytes()), stm32_images.pieces())
    assert "let BOOT0 go" in told.err


def test_flash_dfu_keep_files_erases_nothing_else(flash, firmware, dfu):
    assert flash(Usb, "pyboard-v1.1", "--image", firmware, "--keep-files").code == 0
    assert not any(dfu.read_bytes()[0x4000:0x20000])


@pytest.mark.parametrize(
    ("setting", "value", "code", "said"),
    [
        ("KW_SERIALS", "", 3, "no board is in its DFU bootloader; nothing on the board was changed; join BOOT0"),
        ("KW_SERIALS", "1 2", 2, "name one by --port dfu:1 or --port dfu:2"),
        ("KW_LARGE", "03", 2, "has 512 KiB of flash, and pyboard-v1.1 has 1024; nothing on the board was changed"),
        ("KW_FAULT", "access", 1, "plugdev"),
        ("KW_FAULT", "lost", 1, "was lost while erasing all of the flash, then writing 0x08000000, at 40 %; the board"),
        ("KW_FAULT", "worn", 5, "does not hold what was written at 0x08000000"),
    ],
)
def test_flash_dfu_a_fault_is_one_line_with_its_mend(flash, firmware, dfu, monkeypatch, setting, value, code, said):
    monkeypatch.setenv(setting, value)
    told = flash(Usb, "pyboard-v1.1", "--image", firmware)
    assert told.code == code and said in told.error, told.err


def test_flash_dfu_without_the_tool_names_the_package(flash, firmware, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    told = flash(Usb, "pyboard-v1.1", "--image", firmware)
    assert told.code == 1 and "dfu-util is not installed" in told.error and "apt-get install dfu-util" in told.error


@pytest.mark.needs("dfu-util")
def test_flash_dfu_options_are_those_of_the_real_tool(tmp_path):
    # No board is there: that is what it must say, and nothing of options that it does not know (exit 64).
    (tmp_path / "piece").write_bytes(bytes(16))
    for action in (["0x08000000:mass-erase:force", "-D", "piece"], ["0x08020000:16", "-U", "back"]):
        asked = [tool.find("dfu-util"), "-d", "0483:df11", "-S", "none", "-a", "0", "-s", *action]
        done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 74 and "No DFU capable USB device available" in done.stderr
    assert not Path(tmp_path / "back").exists()
