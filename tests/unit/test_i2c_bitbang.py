"""The I2C controller in software and the TMP105's driver, against a device that only looks at the two lines."""

import errno

import pytest

from kittiwake_node.io.i2c_bitbang import SoftI2C
from kittiwake_node.io.tmp105 import Tmp105


class Device:
    """An I2C device with registers: wired to the lines, it follows their edges as UM10204 draws them.

    Args:
        address: 7 bits.
        registers: number -> bytes; a write replaces them.
        limit: bytes that a write may have before they are refused.
    """

    def __init__(self, address, registers, limit=99):
        self.address, self.registers, self.limit = address, registers, limit
        self.starts = self.stops = 0
        self._scl = self._sda = self._pull = 1
        self._state, self._bits, self._register, self._reads = "idle", [], None, False
        self._out = []

    def scl(self, level):
        if level and not self._scl:
            self._rise()
        if self._scl and not level:
            self._fall()
        self._scl = level

    def sda(self, level):
        if self._scl and self._sda and not level:
            self.starts += 1
            self._state, self._bits, self._pull = "address", [], 1
        elif self._scl and not self._sda and level:
            self.stops += 1
            self._state, self._pull = "idle", 1
        self._sda = level

    def read_sda(self):
        return self._sda & self._pull

    def _rise(self):
        if self._state in ("address", "register", "data"):
            self._bits.append(self._sda)
        elif self._state == "acknowledged" and self._sda:
            self._state = "idle"  # the controller wants no more

    def _fall(self):
        if self._state == "ack":
            self._pull = 1
            self._state = self._next
            if self._state == "out":
                self._give()
        elif self._state == "out":
            self._give()
        elif self._state == "acknowledged":
            self._load()
        elif len(self._bits) == 8:
            self._byte(int("".join(map(str, self._bits)), 2))
            self._bits = []

    def _byte(self, byte):
        if self._state == "address":
            if byte >> 1 != self.address:
                self._state = "idle"
                return
            self._accept("out" if byte & 1 else "register")
            if byte & 1:
                self._queue = list(self.registers[self._register])
                self._next_byte()
        elif self._state == "register":
            self._register = byte
            self.registers[byte] = self.registers.get(byte, b"")
            self._accept("data")
            self._written = b""
        elif len(self._written) < self.limit:
            self._written += bytes([byte])
            self.registers[self._register] = self._written
            self._accept("data")
        else:
            self._state = "idle"

    def _accept(self, then):
        self._pull, self._state, self._next = 0, "ack", then

    def _next_byte(self):
        byte = self._queue.pop(0) if self._queue else 0xFF
        self._out = [byte >> i & 1 for i in range(7, -1, -1)]

    def _load(self):
        self._next_byte()
        self._state = "out"
        self._give()

    def _give(self):
        if self._out:
            self._pull = self._out.pop(0)
        else:
            self._pull, self._state = 1, "acknowledged"


@pytest.mark.parametrize("data", [b"\x5a", b"\x00\xff", bytes(range(0, 256, 17))])
def test_i2c_reads_what_the_device_has(data):
    device = Device(0x48, {7: data})
    assert SoftI2C(device).readfrom_mem(0x48, 7, len(data)) == data
    assert (device.starts, device.stops) == (2, 1)
    assert device.read_sda() == 1


def test_i2c_writes_what_it_is_given():
    device = Device(0x11, {})
    SoftI2C(device).writeto_mem(0x11, 9, b"\xa5\x01")
    assert device.registers[9] == b"\xa5\x01"


def test_i2c_device_that_does_not_answer_is_enodev_and_the_bus_is_let_go():
    device = Device(0x48, {})
    bus = SoftI2C(device)
    for attempt in (lambda: bus.readfrom_mem(0x49, 0, 1), lambda: bus.writeto_mem(0x49, 0, b"x")):
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.args[0] == errno.ENODEV
        assert device.read_sda() == 1
    assert device.stops == 2


def test_i2c_refused_byte_is_eio():
    with pytest.raises(OSError) as caught:
        SoftI2C(Device(0x48, {}, limit=1)).writeto_mem(0x48, 1, b"ab")
    assert caught.value.args[0] == errno.EIO


@pytest.mark.parametrize(
    ("raw", "count"),  # from the table in SBOS648, section 7.3: 127.94, 80, 25, 0.25, 0, -0.25, -25, -55, -128 °C
    [
        (b"\x7f\xf0", 2047),
        (b"\x50\x00", 1280),
        (b"\x19\x00", 400),
        (b"\x00\x40", 4),
        (b"\x00\x00", 0),
        (b"\xff\xc0", -4),
        (b"\xe7\x00", -400),
        (b"\xc9\x00", -880),
        (b"\x80\x00", -2048),
    ],
)
def test_tmp105_reads_sixteenths_of_a_degree(raw, count):
    device = Device(0x48, {0: raw})
    assert Tmp105(SoftI2C(device)).read() == count
    assert device.registers[1] == b"\x60"


def test_tmp105_absent_is_enodev():
    with pytest.raises(OSError):
        Tmp105(SoftI2C(Device(0x4A, {})), 0x48)
