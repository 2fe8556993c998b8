"""LIS3DH and MPU-6050 through their FIFOs: nothing lost, repeated or shifted; what is lost is counted, all goes on."""

from array import array

import pytest

from kittiwake_node.io import fifo, i2c_bus, lis3dh, mpu6050
from tests.support import sensors
from tests.support.fake_clock import FakeClock

# (driver, fake, rate in Hz, milliseconds that its FIFO holds)
CHIPS = {
    "lis3dh-100": (lis3dh.Lis3dh, sensors.Lis3dh, 100, 320),
    "lis3dh-1344": (lis3dh.Lis3dh, sensors.Lis3dh, 1344, 23),
    "mpu6050-1000": (mpu6050.Mpu6050, sensors.Mpu6050, 1000, 170),
    "mpu6050-50": (mpu6050.Mpu6050, sensors.Mpu6050, 50, 3400),
}


class World:
    def __init__(self, name, axis=1, range_g=4):
        driver, fake, self.rate_hz, self.holds_ms = CHIPS[name]
        self.clock = FakeClock(1000)
        self.chip = fake(self.clock)
        self.i2c = sensors.I2C(self.chip)
        self.freed = 0
        self.bus = i2c_bus.Bus(lambda: self.i2c, self.free)
        self.driver = driver(self.bus, self.chip.address, self.rate_hz, range_g, axis)
        self.source = fifo.Fifo(self.driver, self.rate_hz, self.clock)
        self.axis = axis
        self.limit = 2048 if driver is lis3dh.Lis3dh else 32768
        self.buf = array("h", bytes(128))
        self.numbers = []

    def free(self):
        self.freed += 1

    def turn(self):
        got = self.source.read_into(self.buf)
        for x in self.buf[:got]:
            # Which sample it is, the next that has this value.
            self.numbers.append(self.number_of(x))
        return got

    def number_of(self, x):
        number = self.numbers[-1] + 1 if self.numbers else 0
        for candidate in range(number, number + 80000):
            if sensors.axis_value(candidate, self.axis, self.limit) == x:
                return candidate
        raise AssertionError(f"{x} is no sample")

    def run(self, span_ms, step_ms=1):
        for _ in range(int(span_ms / step_ms)):
            self.turn()
            self.clock.pass_ms(step_ms)


@pytest.fixture(params=CHIPS)
def world(request):
    return World(request.param)


def test_fifo_gives_every_sample_once_in_order_at_its_rate(world):
    world.run(5000)
    assert world.numbers == list(range(world.numbers[0], world.numbers[-1] + 1))
    assert 5 * world.rate_hz * 0.98 - 33 <= len(world.numbers) <= 5 * world.rate_hz * 1.02
    assert (world.source.overruns, world.source.bus_errors, world.source.count) == (0, 0, len(world.numbers))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_fifo_reads_the_axis_it_was_told(axis):
    for name in CHIPS:
        world = World(name, axis)
        world.run(300)
        assert world.numbers and world.numbers[-1] - world.numbers[0] == len(world.numbers) - 1


def test_fifo_of_a_late_loop_loses_nothing_within_what_it_holds(world):
    for _ in range(40):
        world.run(3)
        world.clock.pass_ms(world.holds_ms * 0.8)
        while world.turn():
            pass
    world.run(200)
    assert world.numbers == list(range(world.numbers[0], world.numbers[-1] + 1))
    assert world.source.overruns == 0


def test_fifo_that_overflowed_counts_what_is_lost_and_goes_on(world):
    world.run(500)
    world.clock.pass_ms(4 * world.holds_ms)
    world.run(500)
    jumps = [after - before - 1 for before, after in zip(world.numbers, world.numbers[1:], strict=False)]
    lost = sum(jumps)
    assert sum(jump > 0 for jump in jumps) == 1
    assert lost * 0.9 - 2 <= world.source.overruns <= lost * 1.1 + world.rate_hz / 25 + 2


def test_fifo_of_a_bus_with_errors_counts_them_frees_the_lines_and_goes_on(world):
    world.run(500)
    world.i2c.fail = 3
    world.run(2000)
    assert world.source.bus_errors == 3
    assert world.freed >= 2
    assert world.source.overruns > 0
    count = world.source.count
    world.run(1000)
    assert world.source.count - count >= 0.9 * world.rate_hz - 33


def test_fifo_of_a_sensor_that_lost_its_supply_sets_it_up_again(world):
    world.run(500)
    world.chip.power_up()
    world.run(3000)
    count = world.source.count
    world.run(1000)
    assert world.source.count - count >= 0.9 * world.rate_hz - 33
    assert world.source.overruns > 0


def test_fifo_of_a_sensor_that_is_gone_asks_ever_more_seldom(world):
    world.run(300)
    world.chip.is_there = False
    world.run(1000)
    before = world.i2c.transfers
    world.run(60000, 10)
    assert world.i2c.transfers - before <= 20
    world.chip.is_there = True
    world.run(7000)
    assert world.turn() or world.source.next_due_ms() <= 1000 // world.rate_hz * 33
    assert world.source.overruns >= 60 * world.rate_hz


def test_fifo_dates_samples_back_from_the_newest(world):
    world.run(2000)
    index = world.source.count - 1
    world.clock.pass_ms(7)
    newest, before = world.source.time_ms(index), world.source.time_ms(index - 3)
    assert newest - before == pytest.approx(3000 / world.rate_hz, abs=1.5)
    assert 7000 <= world.source.age_us(index) <= 7000 + 2_000_000 // 50 + 2_000_000 // world.rate_hz


@pytest.mark.parametrize("name", ["lis3dh-100", "mpu6050-1000"])
def test_sensor_of_another_name_is_refused(name):
    world = World(name)
    world.chip.registers[0x0F if name.startswith("l") else 0x75] = 0x70
    with pytest.raises(OSError, match="22"):
        world.driver.begin()


def test_mpu6050_filter_stays_below_half_the_rate_where_there_is_one():
    assert [mpu6050.filter_of(hz) for hz in (1000, 500, 250, 200, 100, 50, 25, 20, 10, 4)] == [
        1,
        1,
        2,
        2,
        3,
        4,
        5,
        6,
        6,
        6,
    ]


@pytest.mark.parametrize("held", [0, 1, 5, 9, 20])
def test_bus_lines_are_freed_by_as_many_pulses_as_it_takes_and_a_stop(held):
    class Line:
        def __init__(self, who):
            self.who, self.level = who, 1

        def value(self, *level):
            if not level:
                return 0 if sda_is_held() else self.level
            rises = level[0] and not self.level
            self.level = level[0]
            if self.who == "scl" and rises:
                pulses.append(1)
            if self.who == "sda" and rises and scl.level:
                stops.append(1)
            return None

    def sda_is_held():
        return len(pulses) < held

    pulses, stops = [], []
    scl, sda = Line("scl"), Line("sda")
    i2c_bus.free_lines(scl, sda)
    assert len(pulses) == min(held, 9) + 1
    assert stops and (scl.level, sda.level) == (1, 1)
