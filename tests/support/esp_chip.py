"""A stand-in for an ESP32, -S3 or -C3 on a serial port: the ROM's loader, esptool's stub, flash and reset lines.

What it answers is taken from Espressif's documents, which are cited at each exchange: [SP] "Serial Protocol" and [BM]
"Boot Mode Selection", both in esptool's documentation, version 5.6.

Left out: the processor (the stub is taken, checksummed and not run: its behaviour is written here), eFuses (all zero),
flash encryption, secure boot and secure download, SPI flash but for its JEDEC id and size, the ROM's READ_FLASH, time
(erasing takes none), and USB serial and JTAG.
"""

import hashlib
import struct
import zlib

from tests.support.slip import SlipReader, slip

_SECTOR = 4096
_CHECKSUM_SEED = 0xEF  # [SP] Checksum
_UNKNOWN, _BAD_CHECKSUM, _FAILED = 0x05, 0x07, 0x06  # [SP] ROM Loader Errors
_STUB_BAD_CHECKSUM = 0xC1  # [SP] FLASH_DEFL_DATA
# The stub's other codes are its own: "0xC*, or 0xFF for unimplemented" ([SP] Stub Loader Status & Error).
_STUB_UNKNOWN, _STUB_FAILED = 0xFF, 0xC9

# name -> magic word at 0x40001000 (esptool's targets), chip id of GET_SECURITY_INFO (None: not in that ROM),
# SPI1 registers and their W0 ([SP] 32-bit Read/Write: the JEDEC id is asked for through them).
CHIPS = {
    "esp32": (0x00F01D83, None, 0x3FF42000, 0x80),
    "esp32s3": (0x9, 9, 0x60002000, 0x58),
    "esp32c3": (0x1B31506F, 5, 0x60002000, 0x58),
}
_MAGIC_ADDRESS = 0x40001000


class EspChip:
    """One chip and its flash.

    Args:
        name: of CHIPS.
        flash_bytes: a power of two.
        stuck: address -> mask of bits that cannot be programmed any more: a worn cell.
        greeting: what the application prints when it starts.

    Attributes:
        flash: its content.
        mode: "app", "rom" or "stub".
        resets: how often EN was pulled low.
        commands: how often each command was heard.
        stubs: how many stubs were loaded.
        parity: of the line, as the host has set it: there is none.
    """

    def __init__(
        self, name="esp32", flash_bytes=4 << 20, stuck=None, greeting=b"ets Jul 29 2019\r\nMicroPython\r\n>>> "
    ):
        self._magic, self._chip_id, self._spi, self._w0 = CHIPS[name]
        self.flash = bytearray(b"\xff" * flash_bytes)
        self._stuck = stuck or {}
        self._greeting = greeting
        self.mode = "app"
        self.resets = self.stubs = 0
        self.commands = {}
        self.parity = "none"
        self._baudrate = 0
        self._in_reset = self._boot_low = False
        self._packets = SlipReader()  # [SP] Low Level Protocol
        self._start("app")

    def _start(self, mode):
        self.mode = mode
        self._baudrate = 0  # the ROM finds it by the first SYNC ([SP] Initialization)
        self._packets.reset()
        self._write_at = self._write_end = 0
        self._inflate = None
        self._memory = bytearray()
        self._stream = None

    def set_lines(self, dtr, rts):
        """EN is low while RTS alone is set, GPIO 0 while DTR alone is ([BM] Automatic Bootloader)."""
        in_reset, self._boot_low = rts and not dtr, dtr and not rts
        answer = b""
        if in_reset and not self._in_reset:
            self.resets += 1
        if self._in_reset and not in_reset:
            self._start("rom" if self._boot_low or (dtr and rts) else "app")
            answer = b"waiting for download\r\n" if self.mode == "rom" else self._greeting
        elif self._boot_low and self.mode == "app" and not self._in_reset and self._just_started:
            # GPIO 0 falls as EN rises: the capacitor at EN lets the chip see it low ([BM]).
            self._start("rom")
            answer = b"waiting for download\r\n"
        self._just_started = self._in_reset and not in_reset
        self._in_reset = in_reset
        return answer

    _just_started = False

    def feed(self, data, baudrate):
        """Take bytes from the line; give what is answered."""
        if self.mode == "app" or self._in_reset or self.parity != "none":
            return b""
        if self._baudrate and baudrate != self._baudrate:
            data = bytes(byte ^ 0xA5 for byte in data)  # another speed: framing errors
        answer = bytearray()
        for packet in self._packets.feed(data):
            answer += self._heard(packet, baudrate)
        return bytes(answer)

    def _heard(self, packet, baudrate):
        if self._stream is not None:
            return self._stream_on(packet)
        if len(packet) < 8:
            return b""
        direction, command, size, checksum = struct.unpack_from("<BBHI", packet)  # [SP] Command Packet
        body = packet[8:]
        if direction != 0 or size != len(body):
            return b""
        self.commands[command] = self.commands.get(command, 0) + 1
        if command == 0x08 and body == b"\x07\x07\x12\x20" + b"\x55" * 32:  # [SP] SYNC
            self._baudrate = baudrate
            # The ROM's value is not zero, which tells it from the stub; it answers eight times (esptool, sync()).
            return self._reply(command, value=0x20120707) * 8 if self.mode == "rom" else self._reply(command)
        done = getattr(self, f"_do_{command:02x}", None)
        if done is None or (command >= 0xD0 and self.mode == "rom"):
            return self._reply(command, error=_UNKNOWN if self.mode == "rom" else _STUB_UNKNOWN)
        return done(command, body, checksum)

    def _reply(self, command, data=b"", value=0, error=0):
        # [SP] Status Bytes: four of the ROM's, two of the stub's.
        status = bytes([1 if error else 0, error]) + (b"\0\0" if self.mode == "rom" else b"")
        return slip(struct.pack("<BBHI", 1, command, len(data) + len(status), value) + data + status)

    def _fail(self, command):
        return self._reply(command, error=_FAILED if self.mode == "rom" else _STUB_FAILED)

    def _payload(self, command, body, checksum):
        """The data of a _DATA command, or the refusal ([SP] Checksum)."""
        size = struct.unpack_from("<I", body)[0]
        data = body[16:]
        sum_ = _CHECKSUM_SEED
        for byte in data:
            sum_ ^= byte
        if len(data) != size or sum_ != checksum & 0xFF:
            return None, self._reply(command, error=_BAD_CHECKSUM if self.mode == "rom" else _STUB_BAD_CHECKSUM)
        return data, b""

    # Registers: [SP] 32-bit Read/Write.

    def _do_0a(self, command, body, _):
        (address,) = struct.unpack("<I", body)
        value = 0
        if address == _MAGIC_ADDRESS:
            value = self._magic
        elif address == self._spi + self._w0:
            # JEDEC id: manufacturer, type, and the logarithm of the size.
            value = 0x20 | 0x40 << 8 | (len(self.flash).bit_length() - 1) << 16
        return self._reply(command, value=value)

    def _do_09(self, command, body, _):
        return self._reply(command)

    def _do_14(self, command, body, _):  # [SP] GET_SECURITY_INFO
        if self._chip_id is None:
            return self._reply(command, error=_UNKNOWN if self.mode == "rom" else _STUB_UNKNOWN)
        return self._reply(command, struct.pack("<IB7sII", 0, 0, bytes(7), self._chip_id, 0))

    # RAM download: [SP] Writing Data.

    def _do_05(self, command, body, _):
        self._memory = bytearray()
        return self._reply(command)

    def _do_07(self, command, body, checksum):
        data, refusal = self._payload(command, body, checksum)
        if data is not None:
            self._memory += data
        return refusal or self._reply(command)

    def _do_06(self, command, body, _):
        _stay, entry = struct.unpack("<II", body)
        answer = self._reply(command)
        if entry:
            self.stubs += 1
            baudrate = self._baudrate
            self._start("stub")
            self._baudrate = baudrate
            answer += slip(b"OHAI")  # [SP] Initialization
        return answer

    # SPI flash: [SP] SPI Configuration Commands, Writing Data, Verifying Uploaded Data.

    def _do_0d(self, command, body, _):
        return self._reply(command) if len(body) == (8 if self.mode == "rom" else 4) else self._fail(command)

    def _do_0b(self, command, body, _):
        return self._reply(command)

    def _do_0f(self, command, body, _):  # [SP] CHANGE_BAUDRATE
        answer = self._reply(command)
        self._baudrate = struct.unpack("<II", body)[0]
        return answer

    def _do_02(self, command, body, _):
        size, _packets, _packet_size, self._write_at = struct.unpack_from("<IIII", body)
        return self._begin(command, size)

    def _do_10(self, command, body, _):
        self._inflate = zlib.decompressobj()
        return self._do_02(command, body, _)

    def _begin(self, command, size):
        self._write_end = self._write_at + size
        if self._write_end > len(self.flash):
            return self._fail(command)
        first, last = self._write_at // _SECTOR * _SECTOR, -(-self._write_end // _SECTOR) * _SECTOR
        # The ROM erases at once; the stub sector by sector as it writes, which comes to the same once all is written.
        if self.mode == "rom":
            self._erase(first, last)
        self._erased_to = first
        return self._reply(command)

    def _do_03(self, command, body, checksum):
        data, refusal = self._payload(command, body, checksum)
        return refusal or self._program(command, data)

    def _do_11(self, command, body, checksum):
        data, refusal = self._payload(command, body, checksum)
        if data is None:
            return refusal
        try:
            return self._program(command, self._inflate.decompress(data))
        except zlib.error:
            return self._fail(command)

    def _program(self, command, data):
        data = data[: max(0, self._write_end - self._write_at)]
        while self.mode == "stub" and self._erased_to < self._write_at + len(data):
            self._erase(self._erased_to, self._erased_to + _SECTOR)
            self._erased_to += _SECTOR
        for number, byte in enumerate(data, self._write_at):
            # NOR flash: programming clears bits, and never sets them.
            self.flash[number] &= byte | self._stuck.get(number, 0)
        self._write_at += len(data)
        return self._reply(command)

    def _do_04(self, command, body, _):
        return self._reply(command)

    _do_12 = _do_04

    def _do_13(self, command, body, _):
        address, size = struct.unpack_from("<II", body)
        digest = hashlib.md5(self.flash[address : address + size]).digest()
        return self._reply(command, digest.hex().encode() if self.mode == "rom" else digest)

    def _erase(self, first, last):
        self.flash[first:last] = b"\xff" * (min(last, len(self.flash)) - first)

    # Of the stub alone: [SP] Supported by Stub Loader Only.

    def _do_d0(self, command, body, _):
        self._erase(0, len(self.flash))
        return self._reply(command)

    def _do_d1(self, command, body, _):
        address, size = struct.unpack("<II", body)
        if address % _SECTOR or size % _SECTOR:
            return self._fail(command)
        self._erase(address, address + size)
        return self._reply(command)

    def _do_d2(self, command, body, _):  # [SP] Reading Flash
        address, size, packet, in_flight = struct.unpack("<IIII", body)
        self._stream = [self.flash[address : address + size], packet, 0, in_flight]
        return self._reply(command) + self._stream_on(struct.pack("<I", 0))

    def _stream_on(self, acknowledgement):
        data, packet, sent, in_flight = self._stream
        (received,) = struct.unpack("<I", acknowledgement)
        answer = b""
        while sent < len(data) and sent - received < packet * in_flight:
            answer += slip(data[sent : sent + packet])
            sent += packet
        self._stream[2] = sent
        if received >= len(data):
            self._stream = None
            answer += slip(hashlib.md5(data).digest())
        return answer

    def _do_d3(self, command, body, _):
        answer = self._reply(command)
        self._start("app")
        return answer + self._greeting
