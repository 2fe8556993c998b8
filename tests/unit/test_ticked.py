"""A source fed by a timer: what the loop gets, its counts, and the timers that there are."""

import sys
from array import array
from types import SimpleNamespace

import pytest

from kittiwake_node.config import check
from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.errors import ConfigError
from kittiwake_node.io import action, ticked, wave
from tests.support.fake_clock import FakeClock


class Timer:
    """A timer that ticks when a test says so."""

    def __init__(self):
        self.callback = None

    def start(self, callback, rate_hz):
        self.callback, self.rate_hz = callback, rate_hz

    def stop(self):
        self.callback = None

    def poll(self):
        pass

    def patience_ms(self, rate_hz, room):
        return 5


class Sensor:
    low, high = -100, 100

    def __init__(self, readings):
        self.readings = list(readings)

    def read(self):
        x = self.readings.pop(0)
        if x is None:
            raise OSError(5)
        return x


def armed(readings, room=8, pulse_ms=30, rate_hz=100):
    clock, timer, pin = FakeClock(700), Timer(), action.VirtualPin()
    source = ticked.Ticked(Sensor(readings), rate_hz, clock, room, timer)
    span = source.samples_in(pulse_ms)
    source.arm(lambda: Reflex(source.sensor, lambda x: x == 7, pin, span, source.room))
    return clock, timer, pin, source


def test_ticked_gives_the_loop_what_the_timer_took():
    clock, timer, pin, source = armed([1, 7, None, 100, 5, 6])
    assert timer.rate_hz == 100
    levels = []
    for _ in range(6):
        clock.pass_ms(10)
        timer.callback(None)
        levels.append(pin.level)
    assert levels == [0, 1, 1, 1, 1, 0]  # 30 ms at 100 Hz, a reading that failed not counted
    buf = array("h", [0] * 8)
    assert list(buf[: source.read_into(buf)]) == [1, 7, 100, 5, 6]
    assert (source.count, source.overruns, source.low, source.high) == (5, 1, -100, 100)
    assert (source.time_ms(4), source.age_us(4)) == (760, 0)
    source.close()
    assert timer.callback is None


def test_ticked_room_that_is_no_power_of_two_is_refused():
    for room in (0, 1, 3, 100, 32768):
        with pytest.raises(ConfigError):
            ticked.Ticked(Sensor([]), 100, FakeClock(700), room, Timer())


def test_scheduled_timer_calls_as_often_as_is_due(monkeypatch):
    calls, room = [], [3]

    def schedule(callback, argument):
        if not room[0]:
            raise RuntimeError("schedule queue full")
        room[0] -= 1
        callback(argument)

    monkeypatch.setitem(sys.modules, "micropython", SimpleNamespace(schedule=schedule))
    clock = FakeClock(700)
    timer = ticked.ScheduledTimer(clock)
    timer.start(calls.append, 1000)
    clock.pass_ms(5)
    timer.poll()
    assert len(calls) == 3  # the queue was full: the rest is due still
    room[0] = 100
    timer.poll()
    assert len(calls) == 5
    assert timer.patience_ms(1000, 8) == 1
    timer.stop()
    clock.pass_ms(5)
    timer.poll()
    assert len(calls) == 5


@pytest.mark.parametrize("has_virtual", [True, False])
@pytest.mark.parametrize("takes_hard", [True, False])
def test_board_timer_is_in_interrupt_context_where_the_port_has_that(monkeypatch, has_virtual, takes_hard):
    made = []

    class FakeTimer:
        PERIODIC = 1

        def __init__(self, number):
            if number < 0 and not has_virtual:
                raise ValueError("no such timer")
            self.number = number
            made.append(self)

        def init(self, **settings):
            if "hard" in settings and not takes_hard:
                raise TypeError("extra keyword arguments given")
            self.settings = settings

        def deinit(self):
            self.settings = None

    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(Timer=FakeTimer))
    timer = ticked.machine_timer(FakeClock(700))
    timer.start(print, 200)
    (fake,) = made
    assert fake.number == (-1 if has_virtual else 0)
    wanted = {"mode": 1, "freq": 200, "callback": print, **({"hard": True} if takes_hard else {})}
    assert fake.settings == wanted
    timer.stop()
    assert fake.settings is None


def test_wave_is_read_over_and_over(tmp_path):
    (tmp_path / "wave").write_bytes(array("h", [1, -2, 3]).tobytes())
    sensor = wave.Wave(str(tmp_path / "wave"), 12)
    assert [sensor.read() for _ in range(5)] == [1, -2, 3, 1, -2]
    assert (sensor.low, sensor.high) == (-2048, 2047)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"pulse_ms": 0}, "action.pulse_ms"),
        ({"pulse_ms": "long"}, "action.pulse_ms"),
        ({"safe": 2}, "action.safe"),
        ({"kind": "pin"}, "action.pin"),
        ({"kind": "pin", "pin": True}, "action.pin"),
        ({"kind": "pin", "pin": 1.5}, "action.pin"),
        ({"level": 1}, "action.level"),
    ],
)
def test_config_of_an_action_that_cannot_be_is_refused_by_name(given, said):
    with pytest.raises(ConfigError) as caught:
        check({"channels": [{}], "action": given})
    assert caught.value.code == said


@pytest.mark.parametrize("pin", [0, 4, "A5"])
def test_config_of_a_pin_takes_numbers_and_names(pin):
    assert check({"channels": [{}], "action": {"kind": "pin", "pin": pin}})["action"]["pin"] == pin


@pytest.mark.parametrize(("active_high", "safe", "level"), [(True, 0, 0), (True, 1, 1), (False, 0, 1), (False, 1, 0)])
def test_output_pin_begins_and_ends_in_its_fail_safe_state(monkeypatch, active_high, safe, level):
    class Pin:
        OUT = 1

        def __init__(self, number, mode, value):
            self.levels = [value]
            pins.append(self)

        def value(self, level):
            self.levels.append(level)

    pins = []
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(Pin=Pin))
    made = action.OutputPin(3, active_high, safe)
    made.set(1)
    made.set(0)
    made.fail_safe()
    high = 1 if active_high else 0
    assert pins[0].levels == [level, high, 1 - high, level]
