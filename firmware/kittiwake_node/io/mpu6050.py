"""The accelerometer of an MPU-6050 on an I2C bus that it is given: one axis, through its FIFO.

Knows the chip's registers. Source: InvenSense RM-MPU-6000A-00 revision 4.2, sections in brackets.
"""

import errno

ADDRESSES = (0x68, 0x69)  # by its pin AD0 [4.32]
RANGES_G = {2: 0, 4: 1, 8: 2, 16: 3}  # to AFS_SEL [4.5]
LSB_A_G = {2: 16384, 4: 8192, 8: 4096, 16: 2048}  # [4.17]
CLOCK_HZ = 1000  # with the low-pass filter on, divided by 1 to 256 [4.2]

_SMPLRT_DIV = 0x19
_CONFIG = 0x1A
_ACCEL_CONFIG = 0x1C
_FIFO_EN = 0x23
_ACCEL_INTO_FIFO = 0x08  # [4.6]
_USER_CTRL = 0x6A
_FIFO_RESET = 0x04  # while its FIFO_EN is 0 [4.27]
_USE_FIFO = 0x40
_PWR_MGMT_1 = 0x6B
_AWAKE = 0x01  # its own oscillator by the gyroscope's, which is steadier [4.28]
_FIFO_COUNT = 0x72  # high byte first, which latches the low one [4.30]
_FIFO_R_W = 0x74
_WHO_AM_I = 0x75
_NAME = 0x68
_FIFO_BYTES = 1024
_SAMPLE_BYTES = 6
_BANDS_HZ = (184, 94, 44, 21, 10, 5)  # of DLPF_CFG 1 to 6 [4.3]


class Mpu6050:
    """One sensor, 16 bits.

    Args:
        bus: a Bus.
        address: one of ADDRESSES.
        rate_hz: 1000 divided by 1 to 256.
        range_g: one of RANGES_G.
        axis: 0, 1, 2 for x, y, z.

    Attributes:
        depth, burst, keeps_when_full, low, high: see fifo.Fifo.
    """

    depth = _FIFO_BYTES // _SAMPLE_BYTES
    burst = 32
    keeps_when_full = False  # it overwrites byte by byte, and 1024 is no multiple of 6: where a sample begins is lost
    low = -32768
    high = 32767

    def __init__(self, bus, address, rate_hz, range_g, axis):
        self.bus = bus
        self._address = address
        self._divider = CLOCK_HZ // rate_hz - 1
        self._filter = filter_of(rate_hz)
        self._range = RANGES_G[range_g] << 3
        self._at = 2 * axis
        self._count = bytearray(2)
        self._raw = bytearray(self.burst * _SAMPLE_BYTES)
        self._views = [memoryview(self._raw)[: n * _SAMPLE_BYTES] for n in range(self.burst + 1)]

    def begin(self):
        """Wake it and set it up, its FIFO empty.

        Raises:
            OSError: it does not answer (ENODEV, EIO), or something else does (EINVAL).
        """
        bus, address = self.bus, self._address
        if bus.read(address, _WHO_AM_I) != _NAME:
            raise OSError(errno.EINVAL)
        bus.write(address, _PWR_MGMT_1, _AWAKE)
        bus.write(address, _FIFO_EN, 0)
        bus.write(address, _CONFIG, self._filter)
        bus.write(address, _SMPLRT_DIV, self._divider)
        bus.write(address, _ACCEL_CONFIG, self._range)
        bus.write(address, _USER_CTRL, _FIFO_RESET)
        bus.write(address, _USER_CTRL, _USE_FIFO)
        bus.write(address, _FIFO_EN, _ACCEL_INTO_FIFO)

    def waiting(self):
        """Samples in its FIFO, -1 when it is full, and has overwritten some or is about to."""
        self.bus.read_into(self._address, _FIFO_COUNT, self._count)
        held = self._count[0] << 8 | self._count[1]
        return -1 if held > _FIFO_BYTES - _SAMPLE_BYTES else held // _SAMPLE_BYTES

    def read_into(self, buf, count):
        """Put the oldest `count` samples of the axis into `buf` (array of int16). Does not allocate."""
        self.bus.read_into(self._address, _FIFO_R_W, self._views[count])
        raw, at = self._raw, self._at
        for i in range(count):
            x = raw[at] << 8 | raw[at + 1]
            buf[i] = x - 65536 if x & 0x8000 else x
            at += _SAMPLE_BYTES


def filter_of(rate_hz):
    """DLPF_CFG with the widest band below half the rate, or the narrowest there is."""
    for number, band_hz in enumerate(_BANDS_HZ):
        if 2 * band_hz < rate_hz:
            return number + 1
    return len(_BANDS_HZ)
