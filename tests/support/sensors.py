"""Sensors that exist only here: the registers of a LIS3DH and an MPU-6050 behind an I2C bus, paced by a clock.

Written from the datasheets (STMicroelectronics DocID17530 Rev 2 and AN3308; InvenSense RM-MPU-6000A-00 rev. 4.2), not
from the drivers. They leave out interrupts, ranges, low-power and self-test modes, the gyroscope, and noise. A sample's
number is in its axes, so that a lost, repeated or shifted one shows. A register that nobody may touch raises.
"""

ENODEV, EIO = 19, 5


class I2C:
    """A bus with devices on it; `fail` transfers to come answer with an error."""

    def __init__(self, *devices):
        self.devices = {device.address: device for device in devices}
        self.fail = 0
        self.transfers = 0

    def _device(self, address):
        self.transfers += 1
        if self.fail:
            self.fail -= 1
            raise OSError(EIO)
        device = self.devices.get(address)
        if device is None or not device.is_there:
            raise OSError(ENODEV)
        return device

    def readfrom_mem_into(self, address, register, buf):
        self._device(address).read(register, buf)

    def writeto_mem(self, address, register, data):
        device = self._device(address)
        for i, value in enumerate(data):
            device.write(register + i, value)


class Device:
    """What both have in common: registers, a supply, samples made as time goes on."""

    def __init__(self, clock, address):
        self.clock, self.address = clock, address
        self.is_there = True
        self.made = 0  # samples since the world began
        self.power_up()

    def power_up(self):
        """As after a failure of the supply: every register at its reset value."""
        self.registers = dict(self.RESET)
        self.fifo = []
        self.overrun = False
        self._made_us = self.clock.now_us

    def catch_up(self):
        rate_hz = self.rate_hz()
        if not rate_hz:
            self._made_us = self.clock.now_us
            return
        period_us = 1_000_000 / rate_hz
        while self._made_us + period_us <= self.clock.now_us:
            self._made_us += period_us
            self.push(self.made)
            self.made += 1


class Lis3dh(Device):
    RESET = {0x0F: 0x33, 0x20: 0x07, 0x23: 0, 0x24: 0, 0x2E: 0, 0x2F: 0x20}
    _ODR_HZ = (0, 1, 10, 25, 50, 100, 200, 400, 1600, 1344)

    def __init__(self, clock, address=0x18):
        super().__init__(clock, address)

    def rate_hz(self):
        return self._ODR_HZ[self.registers[0x20] >> 4]

    def push(self, number):
        if not self.registers[0x24] & 0x40 or self.registers[0x2E] >> 6 != 2:
            return  # no FIFO, or not in stream mode
        if len(self.fifo) == 32:
            self.fifo.pop(0)
            self.overrun = True
        self.fifo.append(number)

    def write(self, register, value):
        self.catch_up()
        assert register in (0x20, 0x23, 0x24, 0x2E), f"register {register:02x}"
        self.registers[register] = value
        if register == 0x2E and value >> 6 == 0:
            self.fifo, self.overrun = [], False

    def read(self, register, buf):
        self.catch_up()
        first = register & 0x7F
        if first == 0x2F:
            assert len(buf) == 1
            buf[0] = min(len(self.fifo), 31) | (0x40 if self.overrun else 0) | (0 if self.fifo else 0x20)
            return
        if first != 0x28:
            assert len(buf) == 1 and first in self.registers
            buf[0] = self.registers[first]
            return
        assert len(buf) % 6 == 0 and (register & 0x80 or len(buf) == 1), "without the high bit it does not go on"
        high_resolution = self.registers[0x23] & 0x08
        for start in range(0, len(buf), 6):
            number = self.fifo.pop(0) if self.fifo else 0
            self.overrun = False
            for axis in range(3):
                x = axis_value(number, axis, 2048)
                left = (x << 4 if high_resolution else x >> 2 << 6) & 0xFFFF
                buf[start + 2 * axis], buf[start + 2 * axis + 1] = left & 0xFF, left >> 8


class Mpu6050(Device):
    RESET = {0x19: 0, 0x1A: 0, 0x1C: 0, 0x23: 0, 0x3A: 0, 0x6A: 0, 0x6B: 0x40, 0x75: 0x68}

    def __init__(self, clock, address=0x68):
        self.last = 0
        super().__init__(clock, address)

    def rate_hz(self):
        if self.registers[0x6B] & 0x40:
            return 0  # asleep
        base = 1000 if 1 <= self.registers[0x1A] & 7 <= 6 else 8000
        return base / (1 + self.registers[0x19])

    def push(self, number):
        if not self.registers[0x6A] & 0x40 or self.registers[0x23] != 0x08:
            return
        for axis in range(3):
            x = axis_value(number, axis, 32768) & 0xFFFF
            self.fifo += [x >> 8, x & 0xFF]
        del self.fifo[: max(0, len(self.fifo) - 1024)]

    def write(self, register, value):
        self.catch_up()
        assert register in (0x19, 0x1A, 0x1C, 0x23, 0x6A, 0x6B), f"register {register:02x}"
        if register == 0x6A and value & 0x04:
            if not value & 0x40:
                self.fifo = []
            value &= ~0x04
        self.registers[register] = value

    def read(self, register, buf):
        self.catch_up()
        if register == 0x74:
            for i in range(len(buf)):
                self.last = self.fifo.pop(0) if self.fifo else self.last
                buf[i] = self.last
        elif register == 0x72:
            assert len(buf) == 2
            buf[0], buf[1] = len(self.fifo) >> 8, len(self.fifo) & 0xFF
        else:
            assert len(buf) == 1
            buf[0] = self.registers[register]


def axis_value(number, axis, limit):
    """Sample `number` of an axis; negative ones among them."""
    return (number * 7 + axis * 100 + limit) % (2 * limit) - limit
