"""`kittiwake flash` on ESP32s, by the unmodified esptool: byte for byte, and a line with a mend for every fault."""

import errno
import grp
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kittiwake.flash import flashing
from kittiwake.ports import serial
from tests.support.esp_chip import CHIPS, EspChip
from tests.support.esp_images import BOOT_AT, image
from tests.support.wire import Wire

BOARDS = {"esp32": "esp32-devkitc", "esp32s3": "esp32-s3-devkitc-1", "esp32c3": "esp32-c3-devkitm-1"}
UNTOUCHED = "nothing on the board was changed"
# In the middle of the compressed image: bytes from the host up to there are stub, chatter and data.
MIDDLE = 60000
# Another program that reads the port and takes no lock.
READER = """
import os, select, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print(flush=True)
while select.select([port], [], []):
    os.read(port, 4096)
"""


@pytest.fixture
def firmware(tmp_path):
    path = tmp_path / "ESP32_GENERIC.bin"
    path.write_bytes(image())
    return path


def used(name="esp32", **more):
    """A chip with something on it: what is not erased shows."""
    chip = EspChip(name, 8 << 20, **more)
    chip.flash[:] = bytes(len(chip.flash))
    return chip


def assert_holds(chip, content, at):
    """The image is there byte for byte, and nothing else is."""
    assert chip.flash[at : at + len(content)] == content
    assert chip.flash[:at].count(0xFF) == at
    assert chip.flash[at + len(content) :].count(0xFF) == len(chip.flash) - at - len(content)


@pytest.mark.parametrize("name", CHIPS)
def test_flash_writes_erases_and_verifies(flash, tmp_path, name):
    content = image(name)
    path = tmp_path / "firmware.bin"
    path.write_bytes(content)
    chip = used(name)
    with Wire(chip) as wire:
        told = flash(wire, BOARDS[name], "--image", path, "--json")
    assert told.code == 0, told.err
    assert_holds(chip, content, BOOT_AT[name])
    done = json.loads(told.out)
    assert done["bytes"] == len(content) and done["sha256"] == hashlib.sha256(content).hexdigest()
    assert (done["tries"], done["baudrate"], done["flash_bytes"]) == (1, 460800, 8 << 20)
    assert "writing 100 %" in told.err and chip.mode == "app"


def test_flash_keep_files_leaves_the_file_system_alone(flash, firmware):
    chip = used()
    with Wire(chip) as wire:
        assert flash(wire, "esp32-devkitc", "--image", firmware, "--keep-files").code == 0
    assert chip.flash[0x1000 : 0x1000 + len(image())] == image()
    assert not any(chip.flash[0x200000:])


def test_flash_another_chip_is_refused_before_anything_is_changed(flash, firmware):
    chip = used("esp32s3")
    with Wire(chip) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 2
    assert "has an ESP32-S3, and esp32-devkitc has an ESP32" in told.error and UNTOUCHED in told.error
    assert not any(chip.flash)


def test_flash_too_small_a_chip_is_refused_before_anything_is_changed(flash, firmware):
    chip = EspChip("esp32", 2 << 20)
    with Wire(chip) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 2 and "has 2 MiB of flash" in told.error and UNTOUCHED in told.error


def test_flash_a_chip_that_the_tool_does_not_know_gives_the_tools_own_words(flash, firmware):
    chip = used()
    chip._magic = 0x12345678
    with Wire(chip) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 1
    assert "Unexpected chip magic value 0x12345678" in told.error and UNTOUCHED in told.error


def test_flash_a_lost_byte_is_mended_at_a_lower_speed(flash, firmware, impatient):
    chip = used()
    with Wire(chip, drop=[MIDDLE]) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware, "--json")
    assert told.code == 0, told.err
    assert re.search(r"trying again at 115200 baud, since at 460800 it failed while writing, at \d+ %", told.err)
    assert json.loads(told.out)["baudrate"] == 115200
    assert_holds(chip, image(), 0x1000)


@pytest.mark.soak
def test_flash_a_line_too_bad_for_its_speed_is_used_at_a_lower_one(flash, firmware):
    chip = used()
    with Wire(chip, clean_baudrate=115200) as wire:
        assert flash(wire, "esp32-devkitc", "--image", firmware).code == 0
    assert_holds(chip, image(), 0x1000)


def test_flash_a_worn_cell_fails_verification(flash, firmware):
    chip = used(stuck={0x11000 + i: 0xFF for i in range(8)})
    with Wire(chip) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware, "--baudrate", 115200)
    assert told.code == 5
    assert "does not hold what was written" in told.error and "no whole MicroPython" in told.error


def test_flash_a_pulled_cable_says_what_is_left_and_the_next_run_mends_it(flash, firmware, impatient):
    chip = used()
    with Wire(chip, at={MIDDLE: Wire.pull}) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 1
    assert re.search(r"was lost while writing, at \d+ %; the board holds no whole MicroPython now", told.error)
    assert "run the same command again" in told.error
    with Wire(chip) as wire:
        assert flash(wire, "esp32-devkitc", "--image", firmware).code == 0
    assert_holds(chip, image(), 0x1000)


def test_flash_interrupted_says_what_is_left(firmware):
    chip = used()
    holder = []
    with Wire(chip, at={MIDDLE: lambda wire: holder[0].send_signal(signal.SIGINT)}) as wire:
        # This process has the pty open: hide that it is held.
        script = (
            "import sys; from kittiwake.cli import app; from kittiwake.ports import serial; "
            "serial.holder = lambda path: ''; sys.exit(app.run())"
        )
        arguments = ["flash", "esp32-devkitc", "--port", wire.port, "--image", str(firmware)]
        process = subprocess.Popen(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, **wire.environment},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored below a shell's background job
        )
        holder.append(process)
        _, said = process.communicate(timeout=100)
    assert process.returncode == 130, said
    assert re.search(r"interrupted while (writing|verifying).*no whole MicroPython now.*run the same command", said)
    assert chip.flash[0x1000 : 0x1000 + len(image())] != image()


def test_flash_a_port_in_use_is_refused_with_its_holder(flash, firmware):
    chip = used()
    with Wire(chip) as wire:
        reader = other_program(wire)
        told = flash(wire, "esp32-devkitc", "--image", firmware)
        end(reader)
    assert told.code == 4
    assert f"is in use by {name_of(reader)}" in told.error and UNTOUCHED in told.error
    assert not any(chip.flash)


def test_flash_a_port_stolen_meanwhile_is_named_with_the_thief(firmware, monkeypatch, impatient):
    chip = used()
    thieves = []

    def steal(wire):
        thieves.append(other_program(wire))

    with Wire(chip, at={MIDDLE: steal}, drop=[MIDDLE + 1]) as wire:
        for name, value in wire.environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(flashing.PortBusyError) as caught:
            flashing.flash(flashing.Flashing("esp32-devkitc", wire.port, firmware), lambda line: None)
        end(thieves[0])
    assert f"was taken by {name_of(thieves[0])} while writing" in str(caught.value)
    assert "no whole MicroPython now" in str(caught.value)


def test_flash_a_chip_that_does_not_answer_is_told_how_to_be_woken(flash, firmware, impatient):
    class Deaf(EspChip):
        def feed(self, data, baudrate):
            return b""

    with Wire(Deaf()) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 3
    assert "no ROM loader answers" in told.error and "hold BOOT" in told.error and UNTOUCHED in told.error


def test_flash_a_port_that_is_not_there_is_no_device(flash, firmware):
    wire = type("NoWire", (), {"port": "/dev/ttyUSB77", "environment": {}})
    told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 3 and "is not there" in told.error and UNTOUCHED in told.error


def test_flash_without_the_tool_names_the_package(flash, firmware, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with Wire(used()) as wire:
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 1
    assert "esptool is not installed" in told.error and "pip install 'kittiwake[flash]'" in told.error


def other_program(wire):
    reader = subprocess.Popen([sys.executable, "-c", READER, wire.port], stdout=subprocess.PIPE)
    assert reader.stdout.readline() == b"\n"
    reader.name = Path(f"/proc/{reader.pid}/comm").read_text().strip()
    return reader


def name_of(process):
    return f"{process.name} (process {process.pid})"


def end(process):
    process.kill()
    process.communicate(timeout=60)


def test_flash_without_permission_names_the_group(flash, firmware, monkeypatch):
    def refuse(path, *_):
        raise serial.explain(path, PermissionError(errno.EACCES, "Permission denied"))

    monkeypatch.setattr(serial, "open_blocking", refuse)
    with Wire(used()) as wire:
        group = grp.getgrgid(os.stat(wire.port).st_gid).gr_name
        told = flash(wire, "esp32-devkitc", "--image", firmware)
    assert told.code == 1
    assert f"no permission to open {wire.port}; {UNTOUCHED}; sudo usermod -aG {group} $USER" in told.error
