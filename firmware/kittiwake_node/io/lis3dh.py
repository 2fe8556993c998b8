"""The accelerometer LIS3DH on an I2C bus that it is given: one axis, through its FIFO.

Knows the chip's registers. Source: STMicroelectronics DocID17530 Rev 2, sections in brackets; AN3308.
"""

import errno

ADDRESSES = (0x18, 0x19)  # by its pin SDO [6.1.1]
RATES_HZ = {1: 1, 10: 2, 25: 3, 50: 4, 100: 5, 200: 6, 400: 7, 1344: 9}  # to ODR [8.8]
RANGES_G = {2: 0, 4: 1, 8: 2, 16: 3}  # to FS [8.11]
MILLI_G = {2: 1, 4: 2, 8: 4, 16: 12}  # an LSB of 12 bits [2.1, table 4]

_WHO_AM_I = 0x0F
_NAME = 0x33  # [8.5]
_CTRL_REG1 = 0x20
_ALL_AXES = 0x07
_CTRL_REG4 = 0x23
_BLOCK_UPDATE = 0x80
_HIGH_RESOLUTION = 0x08
_CTRL_REG5 = 0x24
_FIFO_EN = 0x40
_OUT_X_L = 0x28
_MANY = 0x80  # in the register's number: go on to the next one [6.1.1]; from 2Dh it goes back to 28h (AN3308, 9.6)
_FIFO_CTRL = 0x2E
_BYPASS = 0x00
_STREAM = 0x80  # [5.1.3]
_FIFO_SRC = 0x2F
_OVERRUN = 0x40
_UNREAD = 0x1F
_SAMPLE_BYTES = 6


class Lis3dh:
    """One sensor, 12 bits.

    Args:
        bus: a Bus.
        address: one of ADDRESSES.
        rate_hz: one of RATES_HZ.
        range_g: one of RANGES_G.
        axis: 0, 1, 2 for x, y, z.

    Attributes:
        depth, burst, keeps_when_full, low, high: see fifo.Fifo.
    """

    depth = 32
    burst = 32
    keeps_when_full = True  # it overwrites whole samples, the oldest first
    low = -2048
    high = 2047

    def __init__(self, bus, address, rate_hz, range_g, axis):
        self.bus = bus
        self._address = address
        self._ctrl1 = RATES_HZ[rate_hz] << 4 | _ALL_AXES
        self._ctrl4 = _BLOCK_UPDATE | RANGES_G[range_g] << 4 | _HIGH_RESOLUTION
        self._at = 2 * axis
        self._raw = bytearray(self.burst * _SAMPLE_BYTES)
        # Made once: a slice of a memoryview would be an allocation a look.
        self._views = [memoryview(self._raw)[: n * _SAMPLE_BYTES] for n in range(self.burst + 1)]

    def begin(self):
        """Set it up, its FIFO empty.

        Raises:
            OSError: it does not answer (ENODEV, EIO), or something else does (EINVAL).
        """
        bus, address = self.bus, self._address
        if bus.read(address, _WHO_AM_I) != _NAME:
            raise OSError(errno.EINVAL)
        bus.write(address, _CTRL_REG1, self._ctrl1)
        bus.write(address, _CTRL_REG4, self._ctrl4)
        bus.write(address, _CTRL_REG5, _FIFO_EN)
        bus.write(address, _FIFO_CTRL, _BYPASS)  # empties it [5.1.1]
        bus.write(address, _FIFO_CTRL, _STREAM)

    def waiting(self):
        """Samples in its FIFO, -1 when it is full and has overwritten some."""
        state = self.bus.read(self._address, _FIFO_SRC)
        return -1 if state & _OVERRUN else state & _UNREAD

    def read_into(self, buf, count):
        """Put the oldest `count` samples of the axis into `buf` (array of int16). Does not allocate."""
        self.bus.read_into(self._address, _OUT_X_L | _MANY, self._views[count])
        raw, at = self._raw, self._at
        for i in range(count):
            x = raw[at] | raw[at + 1] << 8
            buf[i] = (x - 65536 if x & 0x8000 else x) >> 4  # left-justified [2.7.3]
            at += _SAMPLE_BYTES
