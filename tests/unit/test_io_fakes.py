"""Parts of io/ under fakes of `machine` and `network`: the converter, the watchdog and Wi-Fi."""

import sys
from array import array
from types import SimpleNamespace

import pytest

from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.errors import ConfigError
from kittiwake_node.io import adc, watchdog
from kittiwake_node.io.net import wifi
from kittiwake_node.io.ticked import BoardTimer, Ticked
from tests.support.fake_clock import FakeClock


@pytest.fixture
def machine(monkeypatch):
    fake = SimpleNamespace()
    monkeypatch.setitem(sys.modules, "machine", fake)
    return fake


@pytest.mark.parametrize(
    ("bits", "raw", "expected"),
    [(12, 0, -2048), (12, 65535, 2047), (12, 0x8000, 0), (16, 0, -32768), (16, 65535, 32767), (8, 0xFF00, 127)],
)
def test_adc_reads_signed_samples_of_its_bits(bits, raw, expected):
    sensor = adc.Adc(SimpleNamespace(read_u16=lambda: raw), bits)
    assert sensor.read() == expected
    assert sensor.low <= expected <= sensor.high


def test_adc_opens_the_pin_with_the_attenuation_its_board_has(machine):
    opened = []

    class Esp32Adc:
        ATTN_11DB = 3

        def __init__(self, pin, atten=0):
            opened.append((pin, atten))

        def read_u16(self):
            return 0

    machine.Pin = lambda name: f"pin {name}"
    machine.ADC = Esp32Adc
    adc.open_adc({"pin": 34, "atten_db": 11}, 12)
    adc.open_adc({"pin": "A0", "atten_db": 0}, 12)
    assert opened == [("pin 34", 3), ("pin A0", 0)]
    machine.ADC = lambda pin: Esp32Adc(pin)
    with pytest.raises(ConfigError, match="leave atten_db out"):
        adc.open_adc({"pin": 34, "atten_db": 6}, 12)


class Timer:
    """A timer that ticks when the test says so."""

    def start(self, callback, rate_hz):
        self.tick = callback

    def stop(self):
        self.tick = None

    def poll(self):
        pass


def test_adc_on_a_timer_counts_what_the_loop_is_too_late_for():
    values = iter(range(0, 65536, 16))
    sensor = adc.Adc(SimpleNamespace(read_u16=lambda: next(values)), 12)
    timer = Timer()
    source = Ticked(sensor, 1000, FakeClock(), room=64, timer=timer, acts=False)
    source.arm(lambda: Reflex(sensor, lambda x: False, SimpleNamespace(set=lambda level: None), 1, source.room))
    for _ in range(100):
        timer.tick(None)
    buf = array("h", bytes(256))
    assert source.read_into(buf) == 64
    assert (list(buf[:3]), source.overruns, source.acts) == ([-2048, -2047, -2046], 36, False)


@pytest.mark.parametrize(("refusal", "is_hard"), [(None, True), (TypeError, False), (ValueError, False)])
def test_board_timer_is_hard_where_the_port_has_it_and_soft_where_it_refuses(machine, refusal, is_hard):
    # STM32's take `hard`; ESP32's do not know it up to MicroPython 1.26 and refuse it from 1.27 on.
    class Timer:
        PERIODIC = 1

        def __init__(self, number):
            self.settings = None

        def init(self, **settings):
            if "hard" in settings and refusal:
                raise refusal("hard Timers are not implemented")
            self.settings = settings

    machine.Timer = Timer
    timer = BoardTimer()
    timer.start(len, 1000)
    assert timer._timer.settings == {"mode": 1, "freq": 1000, "callback": len} | ({"hard": True} if is_hard else {})


def test_watchdog_is_off_unless_asked_for_and_says_where_there_is_none(machine):
    assert watchdog.start(0)() is None
    with pytest.raises(ValueError, match="leave watchdog_s out"):
        watchdog.start(8)
    fed = []
    machine.WDT = lambda timeout: SimpleNamespace(feed=lambda: fed.append(timeout))
    feed = watchdog.start(8)
    feed()
    assert fed == [8000]


class Wlan:
    """network.WLAN of a station, whose access point comes and goes with the test."""

    def __init__(self):
        self.log = []
        self.is_near = True
        self.joined = False
        self.breaks = False

    def isconnected(self):
        return self.joined

    def active(self, on):
        self.log.append("active")

    def connect(self, ssid, key):
        if self.breaks:
            raise OSError("Wifi Internal Error")
        self.log.append((ssid, key))
        self.joined = self.is_near

    def disconnect(self):
        self.log.append("disconnect")

    def ifconfig(self):
        return "10.0.0.2", "255.0.0.0", "10.0.0.1", "10.0.0.53"


def test_wifi_joins_joins_again_and_survives_its_driver():
    wlan = Wlan()
    station = wifi.Wifi(wlan, "plant", "secret")
    assert not station.poll(0) and station.problem == "Wi-Fi plant is not joined"
    assert station.poll(1) and station.problem == ""
    assert wlan.log == ["active", ("plant", "secret")]
    assert station.dns_server() == ("10.0.0.53", 53)
    wlan.joined = wlan.is_near = False
    for now_ms in range(2, 45_000, 100):
        assert not station.poll(now_ms)
    # At once, and then every twenty seconds, not at every turn.
    assert wlan.log.count(("plant", "secret")) == 4 and wlan.log.count("disconnect") == 2
    wlan.breaks = True
    assert not station.poll(70_000)
    assert "Wifi Internal Error" in station.problem and "secret" not in station.problem
    wlan.breaks, wlan.is_near = False, True
    station.poll(95_000)
    assert station.poll(95_001)


def test_wifi_of_an_open_network_gives_no_key():
    wlan = Wlan()
    wifi.Wifi(wlan, "open", "").poll(0)
    assert wlan.log[-1] == ("open", None)
