"""A source whose samples are taken, judged and acted upon in a periodic interrupt; the loop gets them afterwards.

It knows the timers that there are: `machine.Timer` on a board, `kwboard.tick` on emulated ones, and `micropython.
schedule` on the unix port, which has no timer. All of them call the same code, detect.reflex.Reflex.tick.
"""

from ..config_source import TIMER_SENSORS
from ..errors import ConfigError
from .source import Source

_DUE_MOST = 256  # readings made up for by the timer of the unix port


class Ticked(Source):
    """Samples of a sensor, one a period, taken by a timer whatever the loop does.

    Args:
        sensor: see detect.reflex.Reflex.
        rate_hz: samples a second, 1 or more.
        clock: a Clock.
        room: samples that may wait for the loop, a power of two.
        timer: has start(callback, rate_hz), stop() and poll(); None for the machine's own.
        acts: whether the interrupt judges and drives the action; else it only takes samples, and the loop judges.

    Attributes:
        sensor, room: as given.
        overruns: samples judged, but too many for the loop, and readings that failed.
        low, high: samples beyond are taken for the end.
    """

    def __init__(self, sensor, rate_hz, clock, room=256, timer=None, acts=True):
        if room < 2 or room & (room - 1) or room > 16384:
            raise ConfigError("source.room", "%r samples: a power of two from 2 to 16384" % room)
        Source.__init__(self)
        self.sensor = sensor
        self._rate_hz = rate_hz
        self._clock = clock
        self.room = room
        self._timer = timer or machine_timer(clock)
        self._reflex = None
        self._start_ms = 0
        self._start_us = 0
        self._missed = 0
        self.acts = acts
        self.low = sensor.low
        self.high = sensor.high

    def samples_in(self, span_ms):
        """Samples in a time, at least 1."""
        return max(1, span_ms * self._rate_hz // 1000)

    def arm(self, make_reflex):
        """Start the timer, with what judges and acts in it.

        Args:
            make_reflex: gives a detect.reflex.Reflex over `sensor`, with `room`; `tick` and `read_into` are called, its
                counts read.
        """
        self._reflex = reflex = make_reflex()
        self._start_ms = self._clock.ms()
        self._start_us = self._clock.us()
        self._timer.start(reflex.tick, self._rate_hz)

    def close(self):
        """Stop the timer: no reading and no action after this."""
        self._timer.stop()

    def read_into(self, buf):
        """Fill `buf` (array of int16) with what was taken since. Returns the number of samples."""
        reflex = self._reflex
        self._timer.poll()
        count = reflex.read_into(buf)
        self.count += count
        # The reflex's counts wrap; differences do not, as long as somebody looks once in 2^30 samples.
        missed = (reflex.overruns + reflex.failures) & 0x3FFFFFFF
        self.overruns += (missed - self._missed) & 0x3FFFFFFF
        self._missed = missed
        return count

    def time_ms(self, index):
        """When sample `index` was taken, in the clock's milliseconds."""
        return self._start_ms + (index + 1 + self.overruns) * 1000 // self._rate_hz

    def age_us(self, index):
        """Microseconds since sample `index` was taken."""
        span_us = (index + 1 + self.overruns) * 1000000 // self._rate_hz
        return self._clock.since_us(self._clock.ahead_us(self._start_us, span_us))

    def next_due_ms(self):
        """Milliseconds that the loop may sleep: half of what fills the room, on the unix port until the next sample."""
        return self._timer.patience_ms(self._rate_hz, self.room)


class BoardTimer:
    """`machine.Timer`, in interrupt context where the port offers it: a virtual one, else the first."""

    def __init__(self):
        from machine import Timer

        try:
            self._timer = Timer(-1)
        except ValueError:
            self._timer = Timer(0)
        self._periodic = Timer.PERIODIC

    def start(self, callback, rate_hz):
        """Call back `rate_hz` times a second."""
        try:
            self._timer.init(mode=self._periodic, freq=rate_hz, callback=callback, hard=True)
        except (TypeError, ValueError):
            # ESP32's timers never call back in an interrupt. Up to 1.26 they do not know the argument, from 1.27 on
            # they refuse it; the scheduler calls back there, between two bytecodes.
            self._timer.init(mode=self._periodic, freq=rate_hz, callback=callback)

    def stop(self):
        """End it."""
        self._timer.deinit()

    def poll(self):
        """Nothing to do: it is an interrupt."""

    def patience_ms(self, rate_hz, room):
        """Half of what fills the room."""
        return min(20, room * 500 // rate_hz)


class EmulatedTimer:
    """The tick hook of an emulated board: its SysTick interrupt, the heap locked."""

    def __init__(self):
        import kwboard

        self._tick = kwboard.tick

    def start(self, callback, rate_hz):
        """Call back `rate_hz` times a second."""
        self._tick(callback, 1000000 // rate_hz)

    def stop(self):
        """End it."""
        self._tick(None)

    def poll(self):
        """Nothing to do: it is an interrupt."""

    def patience_ms(self, rate_hz, room):
        """Half of what fills the room."""
        return min(20, room * 500 // rate_hz)


class ScheduledTimer:
    """`micropython.schedule` where nothing interrupts: what is due is scheduled when the loop comes by.

    Args:
        clock: a Clock.
    """

    def __init__(self, clock):
        from micropython import schedule

        self._schedule = schedule
        self._clock = clock
        self._callback = None

    def start(self, callback, rate_hz):
        """Call back `rate_hz` times a second, on the average."""
        self._callback = callback
        self._rate_hz = rate_hz
        self._start_ms = self._clock.ms()
        self._done = 0

    def stop(self):
        """End it."""
        self._callback = None

    def poll(self):
        """Schedule what has become due."""
        if self._callback is None:
            return
        due = (self._clock.ms() - self._start_ms) * self._rate_hz // 1000 - self._done
        for _ in range(min(due, _DUE_MOST)):
            try:
                self._schedule(self._callback, None)
            except RuntimeError:
                return  # the queue is full; the rest is still due
            self._done += 1

    def patience_ms(self, rate_hz, room):
        """Until the next is due."""
        due_ms = self._start_ms + ((self._done + 1) * 1000 + rate_hz - 1) // rate_hz
        return max(0, due_ms - self._clock.ms())


def machine_timer(clock):
    """The timer of this machine."""
    try:
        return EmulatedTimer()
    except ImportError:
        pass  # no emulated board
    try:
        return BoardTimer()
    except ImportError:
        return ScheduledTimer(clock)


def make_source(channel, clock):
    """The source of a channel of kind "timer".

    Args:
        channel: checked (config_source.py).
        clock: a Clock.

    Raises:
        ConfigError: the sensor that the interrupt is to read is not there.
    """
    source = channel["source"]
    return Ticked(make_sensor(source["sensor"], channel["bits"]), channel["rate_hz"], clock, source["room"])


def make_sensor(settings, bits):
    """What a timer's interrupt reads, see detect.reflex.Reflex.

    Args:
        settings: of the sensor; its kind is one of config_source.TIMER_SENSORS.
        bits: of a sample.

    Raises:
        ConfigError: there is no such kind, no file, or no converter at that pin.
    """
    kind = settings.get("kind")
    if kind == "wave":
        from . import wave

        try:
            return wave.Wave(settings["path"], bits)
        except (KeyError, OSError, ValueError) as error:
            raise ConfigError("source.sensor.path", "no file of int16 samples (%s)" % error)
    if kind == "adc":
        from . import adc

        return adc.open_adc(settings, bits)
    raise ConfigError("source.sensor.kind", "%r is not one of: %s" % (kind, ", ".join(sorted(TIMER_SENSORS))))
