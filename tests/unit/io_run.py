"""Drivers under MicroPython: no allocation while samples flow, and a UART that is never made to wait.

`micropython io_run.py FIRMWARE` prints what it saw as JSON. The fake devices here allocate nothing either, so the heap
can be locked over driver and device together; what they answer is checked elsewhere (tests/support/sensors.py).
"""

import io
import json
import sys
from array import array

import micropython

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, sys.argv[0].rsplit("/", 2)[0] + "/support")

from fake_clock import FakeClock

from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.io import adc, fifo, i2c_bus, lis3dh, mpu6050, ticked, uart


class Chip:
    """Answers registers by their number; a FIFO that always holds `held`."""

    def __init__(self, name_register, name, held):
        self.name_register, self.name, self.held = name_register, name, held

    def readfrom_mem_into(self, address, register, buf):
        if register == self.name_register:
            buf[0] = self.name
        elif register == 0x72:
            buf[0], buf[1] = 0, 6 * self.held
        elif register == 0x2F:
            buf[0] = self.held
        else:
            for i in range(len(buf)):
                buf[i] = i

    def writeto_mem(self, address, register, data):
        pass


def locked_turns(source, clock, step_us):
    buf = array("h", bytes(128))
    for _ in range(5):
        source.read_into(buf)
        clock.now_us += step_us
    before = source.count
    micropython.heap_lock()
    try:
        for _ in range(200):
            source.read_into(buf)
            source.next_due_ms()
            clock.now_us += step_us
    finally:
        micropython.heap_unlock()
    return source.count - before


class Still:
    def start(self, callback, rate_hz):
        self.tick = callback

    def stop(self):
        pass

    def poll(self):
        pass


class Converter:
    def read_u16(self):
        return 40000


class Nobody:
    def set(self, level):
        pass


def never(x):
    return False


class Wire(io.IOBase):
    """A UART without a transmit buffer: a write takes as long as its bytes."""

    def __init__(self, clock, byte_us):
        self.clock, self.byte_us, self.sent, self.longest_us = clock, byte_us, b"", 0

    def ioctl(self, request, argument):
        return 0

    def write(self, data):
        self.sent += bytes(data)
        self.longest_us = max(self.longest_us, len(data) * self.byte_us)
        self.clock.now_us += len(data) * self.byte_us
        return len(data)


def uart_run():
    clock = FakeClock()
    wire = Wire(clock, 86)
    port = uart.UartPort(wire, 115200, clock)
    data = bytes([i & 255 for i in range(1000)])
    port.send(data)
    turns = 0
    while not port.is_idle:
        clock.now_us += 500
        port.flush()
        turns += 1
    return [wire.sent == data, wire.longest_us, turns]


seen = {}
for name, chip, driver, rate_hz in (
    ("lis3dh", Chip(0x0F, 0x33, 8), lis3dh.Lis3dh, 400),
    ("mpu6050", Chip(0x75, 0x68, 8), mpu6050.Mpu6050, 1000),
):
    clock = FakeClock()
    bus = i2c_bus.Bus(lambda chip=chip: chip)
    seen[name] = locked_turns(fifo.Fifo(driver(bus, 0x18, rate_hz, 2, 2), rate_hz, clock), clock, 5000)
sensor = adc.Adc(Converter(), 12)
timer = Still()
source = ticked.Ticked(sensor, 1000, FakeClock(), room=64, timer=timer, acts=False)
source.arm(lambda: Reflex(sensor, never, Nobody(), 1, 64))
buf = array("h", bytes(128))
timer.tick(None)
source.read_into(buf)
micropython.heap_lock()
for _ in range(50):
    timer.tick(None)
    source.read_into(buf)
micropython.heap_unlock()
seen["adc"] = source.count
seen["uart"] = uart_run()
print(json.dumps(seen))
