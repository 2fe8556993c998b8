"""Images for STM32s as MicroPython's look: vectors at the start of the flash, the rest behind the file system.

Written from ST's UM0391 (DfuSe) and Intel's hexadecimal format, not from what is tested.
"""

import random
import struct
import zlib

START, REST = 0x08000000, 0x08020000


def pieces(vector_bytes=1200, code_bytes=3000, seed=1):
    """Address -> bytes: stack pointer at the end of the RAM, reset vector into the second piece (Thumb)."""
    rng = random.Random(seed)
    vectors = struct.pack("<II", 0x20020000, REST + 0x100 | 1) + rng.randbytes(vector_bytes - 8)
    return {START: vectors, REST: rng.randbytes(code_bytes)}


def flat(seed=1):
    """A .bin in one piece: the reset vector points into it."""
    return struct.pack("<II", 0x20020000, START + 0x201) + random.Random(seed).randbytes(2000)


def dfu(parts):
    """A DfuSe file: prefix, one target, an element for each piece, suffix with its CRC."""
    elements = b"".join(struct.pack("<II", address, len(data)) + data for address, data in parts.items())
    target = struct.pack("<6sBI255sII", b"Target", 0, 1, b"ST...", len(elements), len(parts)) + elements
    body = struct.pack("<5sBIB", b"DfuSe", 1, 11 + len(target), 1) + target
    body += struct.pack("<HHHH3sB", 0xFFFF, 0xDF11, 0x0483, 0x011A, b"UFD", 16)
    return body + struct.pack("<I", zlib.crc32(body) ^ 0xFFFFFFFF)


def hex_(parts):
    """An Intel HEX file, 16 bytes a record."""
    lines = []
    for address, data in parts.items():
        for at in range(0, len(data), 16):
            if at == 0 or (address + at) % 0x10000 < 16:
                lines.append(_record(0, 4, struct.pack(">H", (address + at) >> 16)))
            lines.append(_record((address + at) & 0xFFFF, 0, data[at : at + 16]))
    return "\n".join([*lines, _record(0, 1, b""), ""]).encode()


def _record(address, kind, data):
    record = struct.pack(">BHB", len(data), address, kind) + data
    return ":" + (record + bytes([-sum(record) & 0xFF])).hex().upper()
