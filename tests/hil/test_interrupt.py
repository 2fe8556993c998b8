"""Detection and action inside an interrupt, the heap locked, while the loop does nothing: on every board.

What ticks is the emulated boards' SysTick hook, `machine.Timer` on a real board, and `micropython.schedule` on the unix
port, under a lock of the test's own; what it calls is the same on all of them. The pin writes down when it was driven.
"""

import binascii
from array import array
from fractions import Fraction

import pytest

from kittiwake.bench import cases
from kittiwake.reference import drift, novelty, zscore
from kittiwake_node.link import anomaly, record
from tests.support.hil import Gateway, blank_journal

COUNT = 800
N, T = 20, Fraction(5, 2)
# Instructions of a tick that acts (docs/measurements.md); a novelty detector widens its bins up to 14 times in a life.
_WORST = {"zscore": 16_000, "drift": 18_000, "novelty": 450_000}

# Levels that change, noise, and full-scale glitches: every detector has something to say. Runs on boards and here.
_SERIES = """
def series(count):
    x, out = 1, []
    for i in range(count):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        level = 3000 if i % 311 > 200 else -2000
        out.append(-32767 if i % 197 == 196 else 32766 if i % 101 == 100 else level + (x >> 16) % 200)
    return out
"""
_PROGRAM = (
    _SERIES
    + """
import micropython, time
from array import array
from kittiwake_node import kernels
from kittiwake_node.config import check_detector
from kittiwake_node.detect import kinds as detectors
from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.io import ticked
from kittiwake_node.io.clock import Clock

class Sensor:
    low, high = -32768, 32767
    def __init__(self, samples):
        self.samples, self.at = samples, 0
    def read(self):
        if self.at >= len(self.samples):
            raise OSError(5)
        self.at += 1
        return self.samples[self.at - 1]

class Pin:
    def __init__(self, sensor):
        self.sensor, self.seen, self.count, self.safe = sensor, array("h", [0] * 400), 0, False
    def set(self, level):
        if level:
            self.seen[self.count] = self.sensor.at - 1
            self.count += 1
    def fail_safe(self):
        self.safe = True

class Locked:
    # The scheduler does not lock the heap as an interrupt does.
    def __init__(self, timer):
        self.start, self.stop, self._timer = timer.start, timer.stop, timer
    def poll(self):
        micropython.heap_lock()
        try:
            self._timer.poll()
        finally:
            micropython.heap_unlock()

def run(settings, kernel, count, rate_hz):
    sensor = Sensor(array("h", series(count)))
    pin = Pin(sensor)
    make = lambda: detectors.make(kernels.load(kernel), check_detector(settings), 16)
    reflex = Reflex(sensor, make().push, pin, 1, 1024)
    timer = ticked.machine_timer(Clock())
    if isinstance(timer, ticked.ScheduledTimer):
        timer = Locked(timer)
    timer.start(reflex.tick, rate_hz)
    last, then = 0, time.ticks_ms()
    while not pin.safe and time.ticks_diff(time.ticks_ms(), then) < 20000:
        timer.poll()
        if sensor.at != last:
            last, then = sensor.at, time.ticks_ms()
    timer.stop()
    # Only now does the loop look: it judges the same samples in blocks.
    buf, found, again, at = array("h", [0] * 1024), [], make(), 0
    got = reflex.read_into(buf)
    while at < got:
        at = again.find(buf, at, got)
        if at < got:
            found.append(at)
            at += 1
    print(list(pin.seen[:pin.count]), found, got, reflex.overruns, reflex.failures >= 8, pin.safe)
"""
)
_DETECTORS = {
    "zscore": {"kind": "zscore", "n": N, "t": "5/2"},
    "drift": {"kind": "drift", "t": "1/2", "holdoff": 20},
    "novelty": {"kind": "novelty", "sensitivity": 400, "patience": 0},
}
# Native code with the heap locked, and the count of instructions around it.
_COUNTED = """
import kwboard
def worst(settings, kernel):
    sensor = Sensor(array("h", series(600)))
    pin = Pin(sensor)
    reflex = Reflex(sensor, detectors.make(kernels.load(kernel), check_detector(settings), 16).push, pin, 1, 1024)
    def tick():
        micropython.heap_lock()
        reflex.tick()
        micropython.heap_unlock()
    most = quiet = 0
    for _ in range(600):
        before = pin.count
        cost = kwboard.count(tick)
        if pin.count > before:
            most = max(most, cost)
        else:
            quiet = max(quiet, cost)
    print(most, quiet, pin.count)
"""


def samples_of(count):
    scope = {}
    exec(_SERIES, scope)
    return scope["series"](count)


def expected(kind, samples):
    if kind == "zscore":
        return [alert.index for alert in zscore.alerts(samples, N, T)]
    if kind == "drift":
        return list(drift.detections(samples, drift.Settings(p=1, q=2, holdoff=20)))
    return list(novelty.alarms(samples, novelty.Settings(base=128, least=32, hold=0, step=0)))


def kernels_without_plain(board):
    facts = board.facts()
    return [name for name in cases.kernels_of(facts["arch"], facts["cpu"]) if name != "plain"]


@pytest.mark.parametrize("kind", sorted(_DETECTORS))
def test_interrupt_with_the_heap_locked_detects_and_drives_the_pin_while_the_loop_is_busy(board, kind):
    samples = samples_of(COUNT)
    wanted = expected(kind, samples)
    assert len(wanted) >= 3
    board.exec(_PROGRAM)
    for kernel in kernels_without_plain(board):
        printed = board.exec(f"run({_DETECTORS[kind]}, {kernel!r}, {COUNT}, 2000)", 120)
        assert printed == f"{wanted} {wanted} {COUNT} 0 True True\n", kernel


@pytest.mark.board("qemu:*")
def test_interrupt_with_a_kernel_that_allocates_is_found_out(board):
    """Shows that the tests here can fail: the plain kernel's products are no small integers."""
    board.exec(_PROGRAM)
    printed = board.exec(
        _SERIES + "s = Sensor(array('h', series(100)))\n"
        f"d = detectors.make(kernels.load('plain'), check_detector({_DETECTORS['zscore']}), 16)\n"
        "r = Reflex(s, d.push, Pin(s))\n"
        "failed = False\n"
        "def hook(us):\n"
        "    global failed\n"
        "    try: r.tick(us)\n"
        "    except MemoryError: failed = True\n"
        "t = ticked.machine_timer(None)\nt.start(hook, 2000)\n"
        "while s.at < 100 and not failed: pass\n"
        "t.stop()\nprint(failed, s.at < 100)"
    )
    assert printed == "True True\n"


@pytest.mark.board("unix", "qemu:*")
def test_node_with_a_timers_source_tells_of_what_the_interrupt_did(board):
    wave = [100 + i % 5 for i in range(256)]
    wave[200] = 900
    raw = binascii.b2a_base64(array("h", wave).tobytes(), newline=False).decode()
    board.interrupt()
    blank_journal(board)
    path = "kw-wave.bin"  # in the board's own folder
    board.exec(
        f"import binascii\nwith open({path!r}, 'wb') as f:\n f.write(binascii.a2b_base64({raw!r}))\nprint('written')"
    )
    channel = {
        "rate_hz": 500,
        "source": {"kind": "timer", "sensor": {"kind": "wave", "path": path}, "room": 1024},
        "detectors": [{"kind": "zscore", "n": N, "t": "7/2"}],
    }
    board.run_node({"device": "kw-timer", "commit_ms": 100, "health_s": 1, "channels": [channel]})
    try:
        with Gateway(board.link_port, board) as gateway:
            gateway.open()

            def told():
                return [anomaly.unpack_anomaly(r.payload) for r in gateway.records if r.type == record.ANOMALY]

            gateway.until(lambda: len(told()) >= 3, "three alerts")
            indexes = [alert["index"] for alert in told()[:3]]
    finally:
        board.interrupt()
        board.exec(f"import os\nos.remove({path!r})")
    assert indexes == [200, 456, 712]
    assert board.exec("print('back')") == "back\n"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"kernel": "plain"}, "allocates"),
        ({"detectors": []}, "interrupt"),
        ({"detectors": [{"kind": "baseline"}]}, "interrupt"),
    ],
)
@pytest.mark.board("unix")
def test_node_refuses_what_an_interrupt_cannot_run(board, config, said):
    source = {"kind": "timer", "sensor": {"kind": "wave", "path": "x"}}
    channel = {"source": source, "detectors": config.get("detectors", [{"kind": "zscore"}])}
    given = {"kernel": config.get("kernel", "viper"), "channels": [channel]}
    assert said in board.exec(f"from kittiwake_node import node\nprint(node.refusal({given}))")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"kind": "timer", "sensor": {"kind": "wave"}}, "path"),
        ({"kind": "timer", "sensor": {"kind": "moon"}}, "sensor.kind"),
        ({"kind": "moon"}, "timer"),
    ],
)
@pytest.mark.board("unix")
def test_parts_refuse_a_timers_source_that_cannot_be(board, source, said):
    code = (
        "from kittiwake_node.io import parts\nfrom kittiwake_node.errors import ConfigError\n"
        f"try: parts.make_source({{'rate_hz': 10, 'bits': 16, 'source': {source}}}, None)\n"
        "except ConfigError as error: print(error)"
    )
    assert said in board.exec(code)


@pytest.mark.board("qemu:mps2-an385", "qemu:virt", "qemu:xtensa")
def test_interrupt_costs_what_is_documented(target_name):
    from kittiwake.target import open_target

    with open_target(target_name, count=True) as machine:
        machine.deploy_firmware()
        machine.exec(_PROGRAM)
        machine.exec(_COUNTED)
        for kernel in kernels_without_plain(machine):
            for kind in sorted(_DETECTORS):
                most, quiet, count = map(int, machine.exec(f"worst({_DETECTORS[kind]}, {kernel!r})").split())
                print(f"{target_name} {kernel} {kind}: {most} instructions with the action, {quiet} without")
                assert count >= 3
                assert most < _WORST[kind]
