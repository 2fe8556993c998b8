"""The stand-in for an ESP32 held against the unmodified esptool: it takes each for what it pretends to be."""

import struct

import pytest

from tests.support.esp_chip import CHIPS, EspChip
from tests.support.esp_images import BOOT_AT, image, part
from tests.support.slip import slip
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


def in_loader(name, mode):
    """A chip in its ROM's loader, or in the stub; it has found the line's speed."""
    chip = EspChip(name)
    chip._start(mode)
    chip.feed(bytes.fromhex("c0000824000000000007071220" + "55" * 32 + "c0"), 115200)
    return chip


def test_stand_in_answers_the_documents_own_trace():
    # "Serial Protocol", "Tracing Esptool Serial Communications": what is written and read there, byte for byte.
    rom = EspChip("esp32s3")
    rom._start("rom")
    sync = rom.feed(bytes.fromhex("c0000824000000000007071220" + "55" * 32 + "c0"), 115200)
    assert sync == bytes.fromhex("c0010804000707122000000000c0") * 8
    stub = in_loader("esp32s3", "stub")
    assert stub.feed(bytes.fromhex("c0000a04000000000000100040c0"), 115200) == bytes.fromhex("c0010a0200090000000000c0")


def test_stand_in_refuses_a_wrong_checksum_and_commands_of_the_stub():
    rom = in_loader("esp32", "rom")
    begin = struct.pack("<BBHIIIII", 0, 0x02, 16, 0, 4096, 1, 16, 0)
    assert rom.feed(slip(begin), 115200) == slip(bytes.fromhex("0102040000000000" + "00000000"))
    data = struct.pack("<IIII", 4, 0, 0, 0) + b"\x01\x02\x04\x08"
    # By hand: 0xEF ^ 0x01 ^ 0x02 ^ 0x04 ^ 0x08 = 0xE0.
    for checksum, status in ((0xE1, "01070000"), (0xE0, "00000000")):
        answer = rom.feed(slip(struct.pack("<BBHI", 0, 0x03, 20, checksum) + data), 115200)
        assert answer == slip(bytes.fromhex("0103040000000000" + status))
    assert rom.flash[:5] == b"\x01\x02\x04\x08\xff"
    erase = struct.pack("<BBHI", 0, 0xD0, 0, 0)
    assert rom.feed(slip(erase), 115200) == slip(bytes.fromhex("01d0040000000000" + "01050000"))


def test_stand_in_hears_nothing_at_another_speed_and_runs_its_application_after_a_reset():
    rom = in_loader("esp32", "rom")
    assert rom.feed(bytes.fromhex("c0000a04000000000000100040c0"), 9600) == b""
    rom.set_lines(False, True)  # EN low
    assert b"MicroPython" in rom.set_lines(False, False) and rom.mode == "app"
    # esptool's order, through both lines set, as the two transistors of [BM] let it be.
    said = b"".join(
        rom.set_lines(dtr, rts) for dtr, rts in ((False, True), (True, True), (True, False), (False, False))
    )
    assert said == b"waiting for download\r\n" and rom.mode == "rom"
