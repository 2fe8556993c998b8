"""A reflex: one sample is read, judged and acted upon in one call, made for an interrupt; then it waits for the loop.

Must not know timers, pins or journals: a sensor, a detector and an action come in. The constructor allocates
everything. `tick` is the interrupt's: it alone writes `_head` and `_end`, the loop alone writes `_tail`. It never
allocates with a native kernel, and what it counts wraps at 2^30, where a 32-bit board's small integers end.

The loop judges the same samples again, with a detector of its own and in blocks, to tell of what the reflex did. Both
see every sample, so they agree, but for what `overruns` counts: samples judged here that the loop was too late for.
"""

from array import array

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import Action, Samples, Sensor

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


_WRAP = const(0x3FFFFFFF)


class Reflex:
    """Detection and local action, a sample at a time.

    Args:
        sensor: has read() -> int, which neither allocates nor blocks and may raise OSError, and low and high, the ends
            of its range.
        push: of a detector (detect.kinds.make), called with each sample.
        action: has set(level) and fail_safe(), see io/action.py.
        pulse: samples that the action lasts after the newest anomaly, at least 1.
        room: samples that wait for the loop, a power of two.
        patience: readings in a row that may fail before the action goes to its fail-safe state.

    Attributes:
        anomalies, overruns, clipped, failures: anomalous samples; samples that found no room; at or beyond an end of
            the range, and taken for the end; readings that failed. Each wraps at 2^30.
    """

    def __init__(
        self,
        sensor: "Sensor",
        push: "Callable[[int], bool]",
        action: "Action",
        pulse: int = 100,
        room: int = 256,
        patience: int = 8,
    ) -> None:
        self._action = action
        self._pulse = pulse
        self._patience = patience
        self._ring = array("h", bytes(2 * room))
        self._mask = room - 1
        # What a tick uses and nothing changes, under one name: looking each up takes longer than what is done with it.
        self._fixed = (sensor.read, sensor.low, sensor.high, push, self._ring, self._mask)
        self._head = 0  # samples put into the ring, of which the interrupt has the only count
        self._tail = 0  # samples taken out
        self._end = 0  # ticks until the action ends; 0 when it is not under way
        self._silent = 0  # readings in a row that failed
        self.anomalies = 0
        self.overruns = 0
        self.clipped = 0
        self.failures = 0

    def tick(self, _: object = None) -> None:
        """Take and judge one sample. For the interrupt: never raises, and allocates nothing with a native kernel.

        Args:
            _: what a timer, a tick hook or micropython.schedule calls back with.
        """
        read, low, high, push, ring, mask = self._fixed
        try:
            x = read()
        except OSError:
            self.failures = (self.failures + 1) & _WRAP
            if self._silent < self._patience:
                self._silent += 1
                if self._silent == self._patience:
                    self._end = 0
                    self._action.fail_safe()
            return
        if self._silent:
            if self._silent == self._patience:
                self._action.set(0)
            self._silent = 0
        if x <= low:
            x = low
            self.clipped = (self.clipped + 1) & _WRAP
        elif x >= high:
            x = high
            self.clipped = (self.clipped + 1) & _WRAP
        if push(x):
            self._action.set(1)
            self._end = self._pulse
            self.anomalies = (self.anomalies + 1) & _WRAP
        elif self._end:
            self._end -= 1
            if not self._end:
                self._action.set(0)
        head = self._head
        if (head - self._tail) & _WRAP > mask:
            self.overruns = (self.overruns + 1) & _WRAP
            return
        ring[head & mask] = x
        self._head = (head + 1) & _WRAP

    def read_into(self, buf: "Samples") -> int:
        """Take out what waits. For the loop, while ticks go on.

        Args:
            buf: array('h'), filled from 0.

        Returns:
            The number of samples, at most len(buf).
        """
        tail, ring, mask = self._tail, self._ring, self._mask
        count = min(len(buf), (self._head - tail) & _WRAP)
        for i in range(count):
            buf[i] = ring[(tail + i) & mask]
        self._tail = (tail + count) & _WRAP
        return count
