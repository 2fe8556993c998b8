"""A stand-in for an STM32F4's ROM bootloader on a serial port, with its flash and its reset wiring.

What it answers is taken from ST's documents, which are cited at each exchange: [AN3155] "USART protocol used in the
STM32 bootloader", [AN2606] "STM32 system memory boot mode", [RM0090] (flash, unique id); sections in quotation marks.

Left out: Readout and Write Protect and their opposites, Go (it is acknowledged, nothing runs),
special commands, option bytes, time (erasing takes none), and the other interfaces: CAN, I2C, SPI, USB.
"""

import struct

ACK, NACK = b"\x79", b"\x1f"  # [AN3155] "Bootloader command set"
FLASH = 0x08000000
_SYSTEM, _UNIQUE_ID, _FLASH_SIZE = 0x1FFF7A00, 0x10, 0x22  # [RM0090] "Device electronic signature"
_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE = 0x00, 0x01, 0x02, 0x11, 0x21, 0x31, 0x44
_COMMANDS = bytes([_GET, _VERSION, _ID, _READ, _GO, _WRITE, _ERASE])
_BOOTLOADER = 0x31  # [AN2606]: V3.1 for the STM32F40x


class Stm32Chip:
    """One chip and its flash.

    Args:
        product_id: what it answers to Get ID ([AN2606], e.g. 0x413 for the STM32F40x).
        flash_bytes: of its flash.
        stuck: address -> mask of bits that cannot be programmed any more.
        is_wired: DTR drives NRST and RTS drives BOOT0, as stm32loader expects; else the chip is in its bootloader.
        is_protected: readout protection is active.

    Attributes:
        flash: its content.
        mode: "app" or "rom".
        resets: how often NRST was pulled low.
        heard: how often each command was heard.
        parity: of the line, as the host has set it.
    """

    def __init__(self, product_id=0x413, flash_bytes=1 << 20, stuck=None, is_wired=True, is_protected=False):
        self._product_id = product_id
        self.flash = bytearray(b"\xff" * flash_bytes)
        self._stuck = stuck or {}
        self._is_wired = is_wired
        self._is_protected = is_protected
        self.resets = 0
        self.heard = {}
        self.parity = "none"
        self._nrst_low = False
        self._start("app" if is_wired else "rom")

    def _start(self, mode):
        self.mode = mode
        self._task = None
        self._wanted = 0
        self._input = bytearray()
        self._is_awake = False

    def set_lines(self, dtr, rts):
        """NRST is low while DTR is set; BOOT0, looked at when NRST rises, is high while RTS is not (so stm32loader)."""
        if self._is_wired:
            if dtr and not self._nrst_low:
                self.resets += 1
            if self._nrst_low and not dtr:
                self._start("app" if rts else "rom")
            self._nrst_low = dtr
        return b""

    def feed(self, data, baudrate):
        """Take bytes from the line; give what is answered."""
        answer = bytearray()
        # [AN3155] "USART bootloader code sequence": even parity.
        if self.mode == "app" or self._nrst_low or self.parity != "even":
            return b""
        for byte in data:
            if not self._is_awake:
                # [AN3155] "USART bootloader code sequence": 0x7F tells the speed, and is acknowledged.
                if byte == 0x7F:
                    self._is_awake = True
                    self._begin()
                    answer += ACK
                continue
            self._input.append(byte)
            while len(self._input) >= self._wanted and self._wanted:
                taken, self._input[:] = bytes(self._input[: self._wanted]), self._input[self._wanted :]
                answer += self._go_on(taken)
        return bytes(answer)

    def _begin(self):
        self._task = self._commands()
        self._wanted = next(self._task)[1]

    def _go_on(self, taken):
        answer, self._wanted = self._task.send(taken)
        return answer

    def _commands(self):
        """Each yield: (what is answered, how many bytes are awaited then)."""
        answer = b""
        while True:
            code, complement = yield answer, 2
            # [AN3155] "Communication safety": a command and its complement.
            if code ^ complement != 0xFF or code not in _COMMANDS:
                answer = NACK
                continue
            self.heard[code] = self.heard.get(code, 0) + 1
            if self._is_protected and code not in (_GET, _VERSION, _ID):
                answer = NACK
                continue
            answer = yield from {
                _GET: self._get, _VERSION: self._version, _ID: self._id, _READ: self._read, _GO: self._go,
                _WRITE: self._write, _ERASE: self._erase,
            }[code]()  # fmt: skip

    def _get(self):  # [AN3155] "Get command"
        return ACK + bytes([len(_COMMANDS), _BOOTLOADER]) + _COMMANDS + ACK
        yield

    def _version(self):  # [AN3155] "Get Version & Read Protection Status"
        return ACK + bytes([_BOOTLOADER, 0, 0]) + ACK
        yield

    def _id(self):  # [AN3155] "Get ID command": N = 1, two bytes
        return ACK + b"\x01" + struct.pack(">H", self._product_id) + ACK
        yield

    def _address(self):
        """The four bytes of an address and their checksum, or None."""
        given = yield ACK, 5
        return struct.unpack(">I", given[:4])[0] if _xor(given) == 0 else None

    def _memory(self, address, size):
        if address >= FLASH and address + size <= FLASH + len(self.flash):
            return self.flash, address - FLASH
        if address >= _SYSTEM and address + size <= _SYSTEM + 256:
            signature = bytearray(256)
            signature[_UNIQUE_ID : _UNIQUE_ID + 12] = bytes(range(1, 13))
            signature[_FLASH_SIZE : _FLASH_SIZE + 2] = struct.pack("<H", len(self.flash) >> 10)
            return signature, address - _SYSTEM
        return None

    def _read(self):  # [AN3155] "Read Memory command"
        address = yield from self._address()
        if address is None or self._memory(address, 1) is None:
            return NACK
        given = yield ACK, 2
        place = self._memory(address, given[0] + 1)
        if given[0] ^ given[1] != 0xFF or place is None:
            return NACK
        memory, at = place
        return ACK + bytes(memory[at : at + given[0] + 1])

    def _go(self):  # [AN3155] "Go command"
        address = yield from self._address()
        return NACK if address is None else ACK

    def _write(self):  # [AN3155] "Write Memory command"
        address = yield from self._address()
        if address is None or address % 4 or not FLASH <= address < FLASH + len(self.flash):
            return NACK
        (size,) = yield ACK, 1
        given = yield b"", size + 2
        if _xor(given) ^ size or address + size + 1 > FLASH + len(self.flash):
            return NACK
        for at, byte in enumerate(given[:-1], address - FLASH):
            # [RM0090] "Programming": bits are cleared, and set by erasing only.
            self.flash[at] &= byte | self._stuck.get(FLASH + at, 0)
        return ACK

    def _erase(self):  # [AN3155] "Extended Erase Memory command"
        given = yield ACK, 2
        (number,) = struct.unpack(">H", given)
        if number >= 0xFFF0:
            (checksum,) = yield b"", 1
            if number != 0xFFFF or _xor(given) != checksum:
                return NACK
            self.flash[:] = b"\xff" * len(self.flash)
            return ACK
        more = yield b"", 2 * (number + 1) + 1
        sectors = struct.unpack(f">{number + 1}H", more[:-1])
        bounds = self._sectors()
        if _xor(given + more) or any(sector >= len(bounds) - 1 for sector in sectors):
            return NACK
        for sector in sectors:
            self.flash[bounds[sector] : bounds[sector + 1]] = b"\xff" * (bounds[sector + 1] - bounds[sector])
        return ACK

    def _sectors(self):
        """Where sectors start and the last ends ([RM0090] "Flash module organization")."""
        bounds = [kib << 10 for kib in (0, 16, 32, 48, 64, 128)]
        while bounds[-1] < len(self.flash):
            bounds.append(bounds[-1] + (128 << 10))
        return bounds


def _xor(data):
    value = 0
    for byte in data:
        value ^= byte
    return value
