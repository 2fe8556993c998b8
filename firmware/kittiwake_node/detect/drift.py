"""Drift detector: a fast mean leaves a slow one by more than its share of the deviation; then it is silent for a while.

Must not know where samples come from or what happens to a detection. For level changes and drifts of slow signals. One
full-scale glitch raises the variance, which fades over 2^slow samples: up to ten times as many pass until changes as
small as before are seen.

The constructor allocates everything. `find` and `push` never allocate with the native kernels, write only this object's
arrays, and may run in an interrupt as long as nothing else feeds the same detector meanwhile.
"""

from array import array

from ..errors import ConfigError

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


# State words: see the docstring of the package `kernels`, the one description of the layout.
_WORDS = const(15)
_COUNT = const(0)
_HOLD = const(1)
_F1 = const(2)
_F0 = const(3)
_M1 = const(4)
_V0 = const(5)
_V1 = const(6)
_V2 = const(7)
_M0 = const(8)
_SHIFTS = const(9)
_PQ = const(10)
_KR = const(11)
_WARMUP = const(12)
_HOLDOFF = const(13)
_FLOOR = const(14)


class Drift:
    """One channel's detector, for samples of up to 16 bits.

    Args:
        kernel: what `kernels.load` returned.
        fast: shift of the fast mean, 1 to 8: it follows within 2^fast samples.
        slow: shift of the slow mean and the variance, above fast, to 14.
        p, q: threshold p/q in standard deviations, each 1 to 255.
        warmup: samples before the first test, 0 to 65535.
        holdoff: samples of silence after a detection, 0 to 65535.
        floor: least variance in LSB², 0 to 4095.

    Raises:
        ConfigError: "fast", "slow", "threshold", "warmup", "holdoff" or "floor" out of range.
    """

    def __init__(
        self,
        kernel: "KernelSet",
        fast: int = 3,
        slow: int = 12,
        p: int = 3,
        q: int = 2,
        warmup: int = 64,
        holdoff: int = 128,
        floor: int = 1,
    ) -> None:
        _check("fast", fast, 1, 8)
        _check("slow", slow, fast + 1, 14)
        _check("threshold", p, 1, 255)
        _check("threshold", q, 1, 255)
        _check("warmup", warmup, 0, 65535)
        _check("holdoff", holdoff, 0, 65535)
        _check("floor", floor, 0, 4095)
        self._find = kernel.entry("drift", "find")
        self.p = p
        self.q = q
        self._one = array("h", [0])
        state = array("i", [0] * _WORDS)
        state[_SHIFTS] = fast | slow << 8
        state[_PQ] = p | q << 8
        # kappa = the least integer >= q/p·2^f, with q/p·2^f between 512 and 1024.
        f = 1
        while (q << f) < (p << 9):
            f += 1
        state[_KR] = -(-(q << f) // p) | f << 11
        state[_WARMUP] = warmup
        state[_HOLDOFF] = holdoff
        state[_FLOOR] = floor
        self._state = state
        self.reset()

    def reset(self) -> None:
        """Forget all samples. Does not allocate."""
        for i in range(_M0 + 1):
            self._state[i] = 0

    def find(self, buf: "Samples", start: int, stop: int) -> int:
        """Feed buf[start:stop] in order, up to and including the first detection.

        Args:
            buf: array('h') of samples, read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index of the detection; stop when there was none and all were fed. Go on with find(buf, i + 1, stop).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        state = self._state
        if not state[_COUNT] and start < stop:
            # Both means begin at the first sample, which then moves neither.
            state[_F1] = state[_M1] = buf[start] + 0x8000
        return self._find(state, buf, start, stop)

    def push(self, x: int) -> bool:
        """Feed one sample and say whether it is a detection.

        Args:
            x: the sample, -32768 to 32767.

        Returns:
            True for a detection.
        """
        one = self._one
        one[0] = x
        return self.find(one, 0, 1) == 0

    def figures(self) -> tuple[int, int, int]:
        """Return (fast mean, slow mean, variance): Q16 of LSB, and of LSB². Allocates."""
        state = self._state
        fast = (state[_F1] << 16) + state[_F0] - (1 << 31)
        slow = (state[_M1] << 16) + state[_M0] - (1 << 31)
        return fast, slow, state[_V0] + (state[_V1] << 14) + (state[_V2] << 44)


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ConfigError(name, "%s = %r: %d to %d" % (name, value, least, most))
