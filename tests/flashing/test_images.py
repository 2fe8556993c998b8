"""Image files: recognised by their content, refused when they are not for the board, damaged, or cut off anywhere."""

import hashlib
import random
import struct
import zlib

import pytest

from kittiwake.boards import catalog
from kittiwake.errors import ConfigError, UsageError, VerificationError
from kittiwake.flash import formats, image
from tests.support import esp_images, stm32_images

ESP, STM = "esp32-devkitc", "pyboard-v1.1"


def read(tmp_path, board, content, name="firmware.bin", **more):
    path = tmp_path / name
    path.write_bytes(content)
    return image.read(path, catalog.find(board), **more)


@pytest.mark.parametrize("make", [stm32_images.dfu, stm32_images.hex_], ids=["dfu", "hex"])
def test_image_stm32_formats_give_the_pieces_they_were_made_of(tmp_path, make):
    pieces = stm32_images.pieces()
    found = read(tmp_path, STM, make(pieces))
    assert {piece.address: piece.data for piece in found.pieces} == pieces
    assert found.size == sum(len(data) for data in pieces.values())


def test_image_esp32_of_each_chip_fits_its_board(tmp_path):
    for chip, board in (("esp32", ESP), ("esp32s3", "esp32-s3-devkitc-1"), ("esp32c3", "esp32-c3-devkitm-1")):
        (piece,) = read(tmp_path, board, esp_images.image(chip)).pieces
        assert (piece.address, piece.data) == (esp_images.BOOT_AT[chip], esp_images.image(chip))


REFUSED = [
    (ESP, esp_images.image("esp32c3"), {}, "is for ESP32-C3, and esp32-devkitc has ESP32"),
    ("esp32-s3-devkitc-1", esp_images.image("esp32"), {}, "is for ESP32, and esp32-s3-devkitc-1 has ESP32-S3"),
    (ESP, esp_images.image(), {"offset": 0}, "would have no bootloader at 0x1000"),
    ("esp32-c3-devkitm-1", esp_images.image("esp32c3"), {"offset": 0x1000}, "would have no bootloader at 0x0"),
    (ESP, esp_images.part("esp32", 60000, 1), {}, "an application alone"),
    (ESP, stm32_images.dfu(stm32_images.pieces()), {}, "is a .dfu file, and esp32-devkitc takes bin"),
    (ESP, bytes(70000), {}, "it is not an ESP32 image"),
    (STM, esp_images.image(), {}, "does not start with an STM32's vector table"),
    (STM, stm32_images.dfu(stm32_images.pieces()), {"offset": 0}, None),
    (STM, stm32_images.flat(), {"offset": 0x08004000}, "has nothing at 0x08000000"),
    (STM, stm32_images.flat(), {"offset": 0x20000000}, "the flash of pyboard-v1.1 is 0x08000000 to 0x08100000"),
    ("nucleo-f446re", stm32_images.dfu({0x08000000: stm32_images.pieces()[0x08000000], 0x08080000: b"x" * 16}), {},
     "the flash of nucleo-f446re is 0x08000000 to 0x08080000"),
    (STM, b"UF2\n" + struct.pack("<IIIIIII", 0x9E5D5157, 0x2000, 0, 256, 0, 1, 0x57755A57) + bytes(480), {},
     "a UF2 file for STM32F4"),
    (STM, b"\x7fELF" + bytes(100), {}, "an ELF file"),
    (ESP, b"<!doctype html><html>", {}, "a web page"),
    (ESP, b"PK\x03\x04" + bytes(50), {}, "a zip archive"),
]  # fmt: skip


@pytest.mark.parametrize(("board", "content", "more", "said"), REFUSED, ids=range(len(REFUSED)))
def test_image_of_another_kind_chip_or_offset_is_refused(tmp_path, board, content, more, said):
    if said is None:  # a DFU file says itself where it belongs
        assert read(tmp_path, board, content, **more).kind == "dfu"
        return
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, board, content, **more)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2 and caught.value.mend


@pytest.mark.parametrize(
    ("board", "content"),
    [
        (ESP, esp_images.image(code_bytes=20000)),
        (STM, stm32_images.dfu(stm32_images.pieces())),
        (STM, stm32_images.hex_(stm32_images.pieces())),
    ],
    ids=["bin", "dfu", "hex"],
)
def test_image_cut_off_anywhere_is_refused(tmp_path, board, content):
    rng = random.Random(7)
    cuts = {0, 1, 7, 8, len(content) - 1, len(content) - 16, *(rng.randrange(len(content)) for _ in range(60))}
    for cut in sorted(cuts):
        if board == STM and content[cut:].strip() == b"":
            continue  # nothing but the last line's end is missing
        with pytest.raises((VerificationError, ConfigError)) as caught:
            read(tmp_path, board, content[:cut])
        if cut > 600:
            assert caught.value.exit_code == 5, (cut, str(caught.value))


@pytest.mark.parametrize(
    ("board", "content"),
    [(ESP, esp_images.image(code_bytes=4000)), (STM, stm32_images.dfu(stm32_images.pieces()))],
    ids=["bin", "dfu"],
)
def test_image_with_a_flipped_bit_in_its_code_is_refused(tmp_path, board, content):
    rng = random.Random(8)
    ends = (0x10000 - 0x1000 + 100, len(content) - 33) if board == ESP else (400, len(content) - 20)
    for _ in range(40):
        spoiled = bytearray(content)
        spoiled[rng.randrange(*ends)] ^= 1 << rng.randrange(8)
        with pytest.raises(VerificationError):
            read(tmp_path, board, bytes(spoiled))


def test_image_half_of_a_firmware_in_two_pieces_is_refused(tmp_path):
    # MicroPython's build has firmware0.bin and firmware1.bin; the first alone would start into nothing.
    with pytest.raises(VerificationError, match="starts at 0x0802"):
        read(tmp_path, STM, stm32_images.pieces()[0x08000000])


def test_image_random_bytes_never_raise_anything_unplanned(tmp_path):
    rng = random.Random(9)
    starts = [b"", b"DfuSe", b":10", b"UF2\n", b"\xe9", esp_images.image()[:0x7100], stm32_images.dfu({})[:20]]
    for number in range(200):
        content = starts[number % len(starts)] + rng.randbytes(rng.randrange(600))
        for board in (ESP, STM):
            with pytest.raises((ConfigError, VerificationError)):
                read(tmp_path, board, content)


def test_image_manifest_beside_it_is_held_against_it(tmp_path):
    content = esp_images.image()
    right, wrong = hashlib.sha256(content).hexdigest(), "0" * 64
    assert read(tmp_path, ESP, content).listed_in is None
    for name, line in (("SHA256SUMS", f"{wrong}  other.bin\n{right} *firmware.bin\n"), ("firmware.bin.sha256", right)):
        (tmp_path / name).write_text(line)
        assert read(tmp_path, ESP, content).listed_in == tmp_path / name
        (tmp_path / name).write_text(line.replace(right, wrong))
        with pytest.raises(VerificationError, match=f"and {name} says 0000"):
            read(tmp_path, ESP, content)
        (tmp_path / name).unlink()


def test_image_manifest_that_is_named_must_list_it(tmp_path):
    manifest = tmp_path / "sums"
    manifest.write_text(f"SHA256 (other.bin) = {'0' * 64}\n")
    with pytest.raises(UsageError, match="does not list"):
        read(tmp_path, ESP, esp_images.image(), manifest=manifest)
    manifest.write_text(f"SHA256 (firmware.bin) = {hashlib.sha256(esp_images.image()).hexdigest()}\n")
    assert read(tmp_path, ESP, esp_images.image(), manifest=manifest).listed_in == manifest


def test_formats_hex_records_are_read_as_the_specification_writes_them():
    # By hand: base 0x0800_0000 (type 4), four bytes at 0, two more at 8, segment base 0x1000 (type 2), end.
    text = b":020000040800F2\r\n:0400000001020304F2\r\n:02000800AABB91\r\n:020000021000EC\r\n"
    text += b":01000000CC33\r\n:00000001FF\r\n"
    kind, pieces = formats.pieces(text, "x.hex", 0)
    assert kind == "hex"
    assert [(piece.address, piece.data) for piece in pieces] == [
        (0x10000, b"\xcc"),
        (0x08000000, b"\x01\x02\x03\x04"),
        (0x08000008, b"\xaa\xbb"),
    ]


def test_formats_dfu_crc_is_that_of_the_usb_specification():
    # USB DFU 1.1, appendix B: the CRC's register is not complemented at the end, unlike zlib's.
    content = stm32_images.dfu(stm32_images.pieces())
    assert struct.unpack("<I", content[-4:])[0] == zlib.crc32(content[:-4]) ^ 0xFFFFFFFF
    spoiled = content[:-4] + struct.pack("<I", zlib.crc32(content[:-4]))
    with pytest.raises(VerificationError, match="CRC"):
        formats.pieces(spoiled, "x.dfu", 0)
