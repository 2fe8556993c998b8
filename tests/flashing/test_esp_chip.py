"""The stand-in for an ESP32 held against the unmodified esptool: it takes each for what it pretends to be."""

import pytest

from tests.support.esp_chip import CHIPS, EspChip
from tests.support.esp_images import BOOT_AT, image, part
from tests.support.wire import Wire

NAMES = {"esp32": "ESP32", "esp32s3": "ESP32-S3", "esp32c3": "ESP32-C3"}
ERASE_FLASH, FLASH_DATA = 0xD0, 0x03


@pytest.mark.parametrize("name", CHIPS)
def test_esptool_takes_the_stand_in_for_the_chip_and_its_flash(run_tool, name):
    chip = EspChip(name, 8 << 20)
    with Wire(chip) as wire:
        told = run_tool(wire, "esptool", "--port", wire.port, "--baud", 460800, "flash-id")
    assert told.code == 0, told.lines
    assert told.has(f"Connected to {NAMES[name]} on") and told.has("Detected flash size: 8MB") and told.has("Changed.")
    assert chip.stubs == 1 and chip.resets == 2 and chip.mode == "app"


def test_esptool_images_of_the_tests_are_valid(run_tool, tmp_path):
    for name in CHIPS:
        (tmp_path / name).write_bytes(part(name, 20000, 3))
        with Wire(EspChip()) as wire:
            told = run_tool(wire, "esptool", "image-info", tmp_path / name)
        assert told.code == 0 and told.has(f"Chip ID: {image(name)[12]} ({NAMES[name]})"), told.lines
        assert told.has("(valid)") and not told.has("invalid")


def test_esptool_writes_by_the_rom_alone_what_the_file_holds(run_tool, tmp_path):
    content = image("esp32")
    (tmp_path / "image.bin").write_bytes(content)
    chip = EspChip()
    chip.flash[:] = bytes(len(chip.flash))  # all programmed: what is not erased shows
    with Wire(chip) as wire:
        told = run_tool(
            wire, "esptool", "--port", wire.port, "--no-stub", "write-flash", "0x1000", tmp_path / "image.bin"
        )
    assert told.code == 0 and told.has("Hash of data verified"), told.lines
    assert chip.stubs == 0 and chip.commands[FLASH_DATA] > 10 and ERASE_FLASH not in chip.commands
    assert chip.flash[0x1000 : 0x1000 + len(content)] == content
    assert not any(chip.flash[:0x1000])


def test_esptool_reads_back_by_the_stub_what_was_written(run_tool, tmp_path):
    chip = EspChip("esp32c3")
    content = image("esp32c3")
    chip.flash[BOOT_AT["esp32c3"] : len(content)] = content
    with Wire(chip) as wire:
        told = run_tool(
            wire, "esptool", "--port", wire.port, "read-flash", "0", str(len(content)), tmp_path / "back.bin"
        )
    assert told.code == 0, told.lines
    assert (tmp_path / "back.bin").read_bytes() == content
