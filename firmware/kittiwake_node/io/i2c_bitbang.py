"""An I2C controller in software, over two open-drain lines, for boards whose MicroPython has none.

Knows the bus's protocol and nothing of what answers there. Has the methods of machine.I2C that drivers here use, and
raises OSError as that does. Source: NXP UM10204, section 3.1.
"""

import errno


class Sbcon:
    """The lines of Arm's serial bus interface: one register sets them, the next clears them.

    Args:
        base: address of the registers, e.g. 0x4002A000 on MPS2. Source: Arm DAI 0385, "SBCon".
    """

    _SCL = 1
    _SDA = 2

    def __init__(self, base):
        from machine import mem32

        self._mem32 = mem32
        self._set = base
        self._clear = base + 4

    def scl(self, level):
        """Let the clock line go (1) or pull it down (0)."""
        self._mem32[self._set if level else self._clear] = self._SCL

    def sda(self, level):
        """Let the data line go (1) or pull it down (0)."""
        self._mem32[self._set if level else self._clear] = self._SDA

    def read_sda(self):
        """Level of the data line, whoever pulls it."""
        return self._mem32[self._set] >> 1 & 1


class SoftI2C:
    """Controller of one bus. Not for interrupts; a transfer of a byte is some hundred line changes at full speed.

    Args:
        lines: has scl(level), sda(level) and read_sda().
    """

    def __init__(self, lines):
        self._lines = lines
        lines.sda(1)
        lines.scl(1)

    def readfrom_mem(self, address, register, count):
        """Read `count` bytes, beginning at a register.

        Args:
            address: of the device, 7 bits.
            register: 8 bits.
            count: bytes.

        Raises:
            OSError: ENODEV when no device answers, EIO when it does not take the register's number.
        """
        data = bytearray(count)
        self.readfrom_mem_into(address, register, data)
        return bytes(data)

    def readfrom_mem_into(self, address, register, buf):
        """Fill `buf`, beginning at a register. Arguments and errors as of `readfrom_mem`. Does not allocate."""
        try:
            self._address(address, register)
            self._start()
            self._call(address << 1 | 1)
            last = len(buf) - 1
            for i in range(len(buf)):
                buf[i] = self._read(i < last)
        finally:
            self._stop()

    def writeto_mem(self, address, register, data):
        """Write bytes, beginning at a register.

        Args:
            address: of the device, 7 bits.
            register: 8 bits.
            data: bytes.

        Raises:
            OSError: ENODEV when no device answers, EIO when it refuses a byte.
        """
        try:
            self._address(address, register)
            for byte in data:
                if not self._write(byte):
                    raise OSError(errno.EIO)
        finally:
            self._stop()

    def _address(self, address, register):
        self._start()
        self._call(address << 1)
        if not self._write(register):
            raise OSError(errno.EIO)

    def _call(self, first):
        if not self._write(first):
            raise OSError(errno.ENODEV)

    def _start(self):
        lines = self._lines
        lines.sda(1)
        lines.scl(1)
        lines.sda(0)
        lines.scl(0)

    def _stop(self):
        lines = self._lines
        lines.sda(0)
        lines.scl(1)
        lines.sda(1)

    def _write(self, byte):
        for i in range(7, -1, -1):
            self._bit(byte >> i & 1)
        return self._bit(1) == 0  # the device pulls the line down to acknowledge

    def _read(self, is_more):
        byte = 0
        for _ in range(8):
            byte = byte << 1 | self._bit(1)
        self._bit(0 if is_more else 1)
        return byte

    def _bit(self, level):
        lines = self._lines
        lines.sda(level)
        lines.scl(1)
        seen = lines.read_sda()
        lines.scl(0)
        return seen
