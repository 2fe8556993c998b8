"""Whether an image is for this STM32, whole, and where it belongs: vector table and memory limits.

Knows ARMv7-M's vector table; not files, tools or ports. Source: Arm, ARMv7-M Architecture Reference Manual, B1.5.3.
"""

from __future__ import annotations

import struct

from kittiwake.boards.description import FlashedBoard
from kittiwake.errors import ConfigError, VerificationError
from kittiwake.flash.formats import Piece

_SRAM = 0x20000000
_CCM, _CCM_BYTES = 0x10000000, 0x10000  # core-coupled memory of the STM32F405 (RM0090, 2.3)


def check(pieces: list[Piece], board: FlashedBoard, name: str) -> None:
    """Refuse an image that would not start on the board.

    Args:
        pieces: the image, by address.
        board: with [flash] of an STM32.
        name: of the file, for messages.

    Raises:
        ConfigError: it is for another chip or address.
        VerificationError: it is cut off.
    """
    start, end = board.flash.offset, board.flash.offset + board.memory.flash_bytes
    for piece in pieces:
        if piece.address < start or piece.end > end:
            where = f"0x{piece.address:08x} to 0x{piece.end:08x}"
            raise ConfigError(
                f"{name} writes {where}; the flash of {board.name} is 0x{start:08x} to 0x{end:08x}",
                f"take an image of {board.download_url}",
            )
    first = next((piece for piece in pieces if piece.address == start), None)
    if first is None:
        raise ConfigError(f"{name} has nothing at 0x{start:08x}, where {board.chip} starts", "leave --offset out")
    if len(first.data) < 8:
        raise VerificationError(f"{name} is cut off in its vector table", "download it again")
    stack, reset = struct.unpack_from("<II", first.data)
    in_ram = _SRAM < stack <= _SRAM + board.memory.ram_bytes or _CCM < stack <= _CCM + _CCM_BYTES
    if not in_ram or stack % 4 or not reset & 1 or not start <= reset < end:
        raise ConfigError(
            f"{name} does not start with an STM32's vector table (stack 0x{stack:08x}, reset 0x{reset:08x})",
            f"take an image of {board.download_url}",
        )
    if not any(piece.address <= reset - 1 < piece.end for piece in pieces):
        raise VerificationError(
            f"{name} is cut off: it starts at 0x{reset - 1:08x}, which it does not bring", "take the whole .dfu or .hex"
        )
