"""Images for ESP32s as MicroPython's look: bootloader, partition table and application in one file, of random code.

Written from Espressif's "Firmware Image Format" and "Partition Tables", not from what is tested; a test has esptool's
image-info judge them.
"""

import hashlib
import random
import struct

CHIP_IDS = {"esp32": 0, "esp32s3": 9, "esp32c3": 5}
BOOT_AT = {"esp32": 0x1000, "esp32s3": 0, "esp32c3": 0}


def part(chip, code_bytes, seed, begins=b""):
    """One bootable image: header, extended header, two segments, the first of which begins so, checksum, SHA-256."""
    rng = random.Random(seed)
    segments = [(0x40080000, begins + rng.randbytes(code_bytes // 4 * 4)), (0x3FFF0000, rng.randbytes(64))]
    out = struct.pack("<BBBBI", 0xE9, len(segments), 2, 0x20, segments[0][0])
    out += struct.pack("<BHBHBHHIB", 0xEE, 0, 0, CHIP_IDS[chip], 0, 0, 0xFFFF, 0, 1)
    checksum = 0xEF
    for address, data in segments:
        out += struct.pack("<II", address, len(data)) + data
        for byte in data:
            checksum ^= byte
    out += bytes(15 - len(out) % 16) + bytes([checksum])
    return out + hashlib.sha256(out).digest()


def application(chip="esp32", version="1.28.0", code_bytes=20000, seed=1):
    """The application alone, as updates over the air have it: described, and MicroPython by its banner."""
    banner = f"MicroPython v{version} on 2026-10-01".encode() if version else b""
    return part(chip, code_bytes, seed, struct.pack("<I", 0xABCD5432) + bytes(252) + banner.ljust(64, b"\0"))


def partitions():
    """MicroPython's table for 4 MiB and more: nvs, phy_init, factory."""
    rows = [(1, 2, 0x9000, 0x6000, b"nvs"), (1, 1, 0xF000, 0x1000, b"phy_init"), (0, 0, 0x10000, 0x1F0000, b"factory")]
    table = b"".join(struct.pack("<2sBBII16sI", b"\xaa\x50", *row, 0) for row in rows)
    return table + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(table).digest()


def image(chip="esp32", code_bytes=60000, seed=1):
    """The file as micropython.org gives it: from the bootloader's place to the end of the application."""
    base = BOOT_AT[chip]
    out = bytearray(b"\xff" * (0x10000 - base))
    boot, table = part(chip, 16000, seed + 1), partitions()
    out[: len(boot)] = boot
    out[0x8000 - base : 0x8000 - base + len(table)] = table
    return bytes(out) + part(chip, code_bytes, seed)
