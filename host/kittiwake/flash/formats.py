"""File formats of firmware: what a file is, and which bytes it puts at which address.

Knows bin, DfuSe, Intel HEX, and how to tell others; not chips or boards.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from kittiwake.errors import ConfigError, VerificationError

_UF2_BLOCK = 512
_UF2_FAMILIES = {0xC47E5767: "ESP32-S3", 0x57755A57: "STM32F4", 0xE48BFF56: "RP2040", 0xBFDD4EEE: "ESP32-S2"}
# First bytes of what people name by mistake.
_OTHERS = (
    (b"\x7fELF", "an ELF file, for debuggers"),
    (b"PK\x03\x04", "a zip archive: unpack it"),
    (b"\x1f\x8b", "compressed: unpack it"),
    (b"<!DOCTYPE", "a web page, not the file behind its link"),
    (b"<html", "a web page, not the file behind its link"),
)
_AGAIN = "download it again"


@dataclass(frozen=True)
class Piece:
    """Bytes that belong at an address of the flash."""

    address: int
    data: bytes

    @property
    def end(self) -> int:
        """The address behind the last byte."""
        return self.address + len(self.data)


def kind(content: bytes, name: str) -> str:
    """Tell a file's format by its first bytes.

    Args:
        content: the whole file.
        name: for messages.

    Returns:
        "bin", "dfu", "hex" or "uf2".

    Raises:
        ConfigError: it is none of them.
        VerificationError: it is empty.
    """
    if not content:
        raise VerificationError(f"{name} is empty", _AGAIN)
    for start, form in _OTHERS:
        if content[: len(start)].lower() == start.lower():
            raise ConfigError(f"{name} is {form}", "name the .bin, .dfu or .hex")
    if content.startswith(b"DfuSe"):
        return "dfu"
    if content.startswith(b"UF2\n"):
        return "uf2"
    first = content.split(b"\n", 1)[0].strip()
    if first.startswith(b":") and len(first) >= 11 and all(byte in b"0123456789abcdefABCDEF" for byte in first[1:]):
        return "hex"
    return "bin"


def pieces(content: bytes, name: str, bin_address: int) -> tuple[str, list[Piece]]:
    """Take a file apart.

    Args:
        content: the whole file.
        name: for messages.
        bin_address: where a .bin, which does not say it, belongs.

    Returns:
        Its format, and what it puts where, by address; neighbours are joined.

    Raises:
        ConfigError: it is of no format that puts bytes at addresses of a flash.
        VerificationError: it is damaged or cut off.
    """
    form = kind(content, name)
    if form == "uf2":
        raise ConfigError(
            f"{name} is a UF2 file{_uf2_family(content)}, for boards with a UF2 bootloader", "take another"
        )
    if form == "bin":
        return form, [Piece(bin_address, content)]
    pieces = _dfu(content, name) if form == "dfu" else _hex(content, name)
    return form, _joined(sorted(pieces, key=lambda piece: piece.address), name)


def _uf2_family(content: bytes) -> str:
    # Microsoft, UF2 specification: 32 bytes of header; flag 0x2000 says that the last word is the family.
    if len(content) < _UF2_BLOCK:
        return ""
    flags, family = struct.unpack_from("<I16xI", content, 8)
    return f" for {_UF2_FAMILIES[family]}" if flags & 0x2000 and family in _UF2_FAMILIES else ""


def _dfu(content: bytes, name: str) -> list[Piece]:
    """Source: ST, UM0391, "DfuSe file format specification"; the suffix's CRC: USB DFU 1.1, appendix B."""
    if content[-8:-5] != b"UFD" or content[-5] != 16:
        raise VerificationError(f"{name} is cut off: the DFU suffix at its end is missing", _AGAIN)
    (stated,) = struct.unpack("<I", content[-4:])
    if zlib.crc32(content[:-4]) ^ 0xFFFFFFFF != stated:
        raise VerificationError(f"{name} is damaged: its CRC does not fit", _AGAIN)
    pieces = []
    try:
        targets, at = content[10], 11
        for _ in range(targets):
            signature, elements = struct.unpack_from("<6s264xI", content, at)
            if signature != b"Target":
                raise VerificationError(f"{name} is damaged: no target at byte {at}", _AGAIN)
            at += 274
            for _ in range(elements):
                address, size = struct.unpack_from("<II", content, at)
                at += 8
                if at + size > len(content) - 16:
                    raise VerificationError(f"{name} is cut off in the piece for 0x{address:08x}", _AGAIN)
                pieces.append(Piece(address, content[at : at + size]))
                at += size
    except (struct.error, IndexError) as error:
        raise VerificationError(f"{name} is damaged: its parts do not fit", _AGAIN) from error
    return pieces


def _hex(content: bytes, name: str) -> list[Piece]:
    """Source: Intel, "Hexadecimal Object File Format Specification", revision A."""
    pieces: list[Piece] = []
    base = 0
    start, run = 0, bytearray()
    for number, line in enumerate(content.split(b"\n"), 1):
        line = line.strip()
        if not line:
            continue
        try:
            record = bytes.fromhex(line[1:].decode("ascii"))
            size, address, kind_ = struct.unpack_from(">BHB", record)
        except (ValueError, struct.error) as error:
            raise VerificationError(f"{name} is damaged: line {number} is no record", _AGAIN) from error
        if line[:1] != b":" or len(record) != size + 5 or sum(record) & 0xFF:
            raise VerificationError(f"{name} is damaged: line {number} does not fit its checksum", _AGAIN)
        data = record[4:-1]
        if kind_ == 1:
            return [*pieces, Piece(start, bytes(run))] if run else pieces
        if kind_ in (2, 4):
            base = int.from_bytes(data, "big") << (4 if kind_ == 2 else 16)
        elif kind_ == 0:
            if base + address != start + len(run):
                if run:
                    pieces.append(Piece(start, bytes(run)))
                start, run = base + address, bytearray()
            run += data
    raise VerificationError(f"{name} is cut off: its last record is missing", _AGAIN)


def _joined(pieces: list[Piece], name: str) -> list[Piece]:
    joined: list[Piece] = []
    for piece in pieces:
        if joined and piece.address < joined[-1].end:
            raise VerificationError(f"{name} is damaged: two parts claim 0x{piece.address:08x}", _AGAIN)
        if joined and piece.address == joined[-1].end:
            joined[-1] = Piece(joined[-1].address, joined[-1].data + piece.data)
        elif piece.data:
            joined.append(piece)
    return joined
