"""The driver against a sensor that QEMU emulates, on a bus whose lines are two bits of a register of the board's."""

import pytest

# The board's two-wire interface: writing a bit to SET or CLEAR moves a line, STATUS reads them. Source: Arm DAI0385,
# serial control registers.
BUS = """
from machine import mem32

class Bus:
    STATUS = SET = 0x4002A000
    CLEAR = 0x4002A004
    SCL, SDA = 1, 2

    def _line(self, line, high):
        mem32[self.SET if high else self.CLEAR] = line

    def _start(self):
        self._line(self.SDA, 1)
        self._line(self.SCL, 1)
        self._line(self.SDA, 0)
        self._line(self.SCL, 0)

    def _stop(self):
        self._line(self.SDA, 0)
        self._line(self.SCL, 1)
        self._line(self.SDA, 1)

    def _bit(self, value):
        self._line(self.SDA, value)
        self._line(self.SCL, 1)
        read = mem32[self.STATUS] & self.SDA != 0
        self._line(self.SCL, 0)
        return read

    def _write(self, byte):
        for at in range(7, -1, -1):
            self._bit(byte >> at & 1)
        if self._bit(1):
            self._stop()
            raise OSError(19)

    def _read(self, is_last):
        byte = 0
        for _ in range(8):
            byte = byte << 1 | self._bit(1)
        self._bit(is_last)
        return byte

    def writeto_mem(self, address, register, data):
        self._start()
        for byte in bytes([address << 1, register]) + data:
            self._write(byte)
        self._stop()

    def readfrom_mem(self, address, register, count):
        self._start()
        self._write(address << 1)
        self._write(register)
        self._start()
        self._write(address << 1 | 1)
        data = bytes([self._read(at == count - 1) for at in range(count)])
        self._stop()
        return data
"""


@pytest.fixture
def sensor(ready):
    ready.exec(BUS + "\nfrom tmp105 import Tmp105\nsensor = Tmp105(Bus())")
    return ready


@pytest.mark.board(needs=["tmp105", "mem32"])
@pytest.mark.parametrize(("millidegrees", "sixteenths"), [(0, 0), (21500, 344), (-10250, -164), (124875, 1998)])
def test_driver_reads_what_the_sensor_was_set_to(sensor, millidegrees, sixteenths):
    sensor.instruments["temperature"].set(millidegrees)
    assert sensor.eval("sensor.read_sixteenths()") == sixteenths


@pytest.mark.board(needs=["tmp105", "mem32"])
def test_driver_tells_of_a_sensor_that_is_not_there(sensor):
    with pytest.raises(Exception, match="OSError.*19"):
        sensor.exec("Tmp105(Bus(), 0x4F)")
