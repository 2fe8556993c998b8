"""Whether an image is for this ESP32, whole, and where it belongs: bootloader, partition table, application.

Knows Espressif's formats; not files, tools or ports. Source: Espressif, "Firmware Image Format" (documentation of
esptool) and "Partition Tables" (ESP-IDF).
"""

from __future__ import annotations

import hashlib
import re
import struct

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import ConfigError, VerificationError
from kittiwake.flash.formats import Piece

_MAGIC = 0xE9
_CHECKSUM_SEED = 0xEF
_PARTITIONS_AT = 0x8000
_PARTITION = struct.Struct("<2sBBII16sI")
_APPLICATION = 0
# Behind an application's header and the head of its first segment (ESP-IDF, esp_app_desc_t); a bootloader has another.
_DESCRIBED_AT, _DESCRIBED = 32, struct.pack("<I", 0xABCD5432)
_BANNER = re.compile(rb"MicroPython v(\d+)\.(\d+)(\.\d+)?([-\w.]*) on \d{4}-\d\d-\d\d")
# ESP-IDF, esp_chip_id_t.
_CHIPS = {
    0: "ESP32", 2: "ESP32-S2", 5: "ESP32-C3", 9: "ESP32-S3", 12: "ESP32-C2", 13: "ESP32-C6", 16: "ESP32-H2",
    18: "ESP32-P4", 20: "ESP32-C61", 23: "ESP32-C5",
}  # fmt: skip
_AGAIN = "download it again"


def check(piece: Piece, board: FlashedBoard, name: str) -> None:
    """Refuse an image that would not start on the board.

    Args:
        piece: the image, at the address it would be written to.
        board: with [flash] of the ESP32 family.
        name: of the file, for messages.

    Raises:
        ConfigError: it is for another chip, for another offset, or no whole image.
        VerificationError: it is cut off or damaged.
    """
    data, boot_at = piece.data, board.flash.offset - piece.address
    if boot_at < 0 or data[boot_at : boot_at + 1] != bytes([_MAGIC]):
        raise _no_bootloader(piece, board, name)
    _check_chip(data, boot_at, board, name)
    table_at = _PARTITIONS_AT - piece.address
    entries = _partitions(data, table_at)
    if not entries:
        if len(data) <= table_at:
            raise VerificationError(f"{name} is cut off before its partition table", _AGAIN)
        raise ConfigError(f"{name} is an application alone, for updates over the air", f"take {_whole(board)}")
    _check_whole(data, boot_at, name, "bootloader")
    for offset, size, label in entries:
        at = offset - piece.address
        if len(data) <= at + 24:
            raise VerificationError(f"{name} is cut off before its application ({label} at 0x{offset:x})", _AGAIN)
        if data[at] != _MAGIC:
            raise VerificationError(f"{name} is damaged: no application at 0x{offset:x} ({label})", _AGAIN)
        _check_chip(data, at, board, name)
        if _check_whole(data, at, name, "application") > size:
            raise VerificationError(f"{name} is damaged: its application does not fit the partition {label}", _AGAIN)
        break  # of several (OTA), the first is the one that the image brings
    if piece.end > board.memory.flash_bytes:
        raise ConfigError(f"{name} ends at 0x{piece.end:x}, behind the flash of {board.name}", "take a smaller image")


def check_application(data: bytes, board: FlashedBoard, name: str) -> tuple[int, int]:
    """Refuse what would not start from a partition of the board: all but whole images of MicroPython for its chip.

    Args:
        data: the application alone, as an update over the air has it.
        board: with [flash] of the ESP32 family.
        name: of the file, for messages.

    Returns:
        MicroPython's (major, minor).

    Raises:
        ConfigError: it is for another chip, or no image of MicroPython alone.
        VerificationError: it is cut off or damaged.
    """
    mend = f"take the .app-bin of {board.download_url}, of a build with OTA"
    if data[:1] != bytes([_MAGIC]):
        raise ConfigError(f"{name} is no application for an ESP32", mend)
    _check_chip(data, 0, board, name)
    if data[_DESCRIBED_AT : _DESCRIBED_AT + 4] != _DESCRIBED:
        raise ConfigError(f"{name} begins with a bootloader: it is the whole of a flash", mend)
    end = _check_whole(data, 0, name, "application")
    if end != len(data):
        raise ConfigError(f"{name} has {len(data) - end} bytes behind its application", mend)
    banner = _BANNER.search(data)
    if banner is None:
        raise ConfigError(f"{name} is no MicroPython", mend)
    return int(banner[1]), int(banner[2])


def _no_bootloader(piece: Piece, board: FlashedBoard, name: str) -> ConfigError:
    where = f"0x{board.flash.offset:x}, where {_chip(board)} starts"
    if piece.address != board.flash.offset and piece.data[:1] == bytes([_MAGIC]):
        return ConfigError(
            f"written at 0x{piece.address:x}, {name} would have no bootloader at {where}",
            f"its offset is 0x{board.flash.offset:x}; leave --offset out",
        )
    return ConfigError(f"{name} has no bootloader at {where}: it is not an ESP32 image", f"take {_whole(board)}")


def _whole(board: FlashedBoard) -> str:
    return f"the .bin of {board.download_url}"


def _chip(board: FlashedBoard) -> str:
    return _CHIPS.get(board.flash.chip_id, board.chip)


def _check_chip(data: bytes, at: int, board: FlashedBoard, name: str) -> None:
    chip_id = struct.unpack_from("<H", data.ljust(at + 14, b"\0"), at + 12)[0]
    if chip_id != board.flash.chip_id:
        other = _CHIPS.get(chip_id, f"chip {chip_id}")
        raise ConfigError(f"{name} is for {other}, and {board.name} has {_chip(board)}", f"take {_whole(board)}")


def _check_whole(data: bytes, at: int, name: str, part: str) -> int:
    """Walk the segments and check what is appended. Returns the length in bytes."""
    segments, has_digest = data[at + 1], data[at + 23] == 1
    end, checksum = at + 24, _CHECKSUM_SEED
    for _ in range(segments):
        if end + 8 > len(data):
            raise VerificationError(f"{name} is cut off in its {part}", _AGAIN)
        (size,) = struct.unpack_from("<I", data, end + 4)
        end += 8
        if end + size > len(data):
            raise VerificationError(f"{name} is cut off in its {part}", _AGAIN)
        checksum ^= _xor(data[end : end + size])
        end += size
    end = at + (end - at) // 16 * 16 + 16  # the checksum is the last byte of the 16 it falls into
    if end + (32 if has_digest else 0) > len(data):
        raise VerificationError(f"{name} is cut off in its {part}", _AGAIN)
    if data[end - 1] != checksum:
        raise VerificationError(f"{name} is damaged: its {part} does not fit its checksum", _AGAIN)
    if has_digest:
        if hashlib.sha256(data[at:end]).digest() != data[end : end + 32]:
            raise VerificationError(f"{name} is damaged: its {part} does not fit its SHA-256", _AGAIN)
        end += 32
    return end - at


def _xor(body: bytes) -> int:
    """The exclusive or of all bytes: half onto half, since a loop over a megabyte in Python takes its time."""
    while len(body) > 1:
        half = (len(body) + 1) // 2
        folded = int.from_bytes(body[:half], "little") ^ int.from_bytes(body[half:], "little")
        body = folded.to_bytes(half, "little")
    return body[0] if body else 0


def _partitions(data: bytes, at: int) -> list[tuple[int, int, str]]:
    """The applications of a partition table: (offset, bytes, label)."""
    applications = []
    while 0 <= at <= len(data) - _PARTITION.size:
        magic, kind, _, offset, size, label, _ = _PARTITION.unpack_from(data, at)
        if magic != b"\xaa\x50":
            break
        if kind == _APPLICATION:
            applications.append((offset, size, label.rstrip(b"\0").decode("ascii", "replace")))
        at += _PARTITION.size
    return applications
