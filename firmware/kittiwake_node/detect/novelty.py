"""Novelty detector: the dual mean of `drift`, keener where the signal does what it never did, calmer after each alarm.

Must not know where samples come from or what happens to an alarm. For slow, seasonal, level-like signals; vibration is
`baseline`'s ground. What was seen is never forgotten: `reset` where the signal's nature changes. One full-scale glitch
coarsens the bins for good, and raises the variance, which fades as `drift`'s does.

The constructor allocates everything. `find` and `push` never allocate with the native kernels, write only this object's
array, and may run in an interrupt as long as nothing else feeds the same detector meanwhile; doubling the bins, at most
14 times in a life, takes some thousand bytecodes.
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


# State: see the docstring of the package `kernels`, the one description of the layout.
_HALVES = const(64)
_COUNT = const(0)
_F = const(2)
_M = const(4)
_HOLD = const(6)
_SCALE = const(7)
_ORIGIN = const(8)
_V = const(10)
_BINS4 = const(18)
_BINS8 = const(19)
_SEEN = const(20)
_BASE = const(21)
_LEAST = const(22)
_STEP = const(23)
_MOST = const(24)
_HOLDOFF = const(25)
_NEW_LEVEL = const(26)
_NEW_STEP = const(27)
_LEARNING = const(28)
_WARMUP = const(29)
_SHIFTS = const(30)
_FADE = const(31)
_AFTER4 = const(32)
_AFTER8 = const(48)
_ORIGIN_ZERO = const(1 << 18)
_NOWHERE = const(1 << 19)  # an origin that no sample is near: the first one asks for the bins


class Novelty:
    """One channel's detector, for samples of up to 16 bits.

    Args:
        kernel: what `kernels.load` returned.
        sensitivity: percent, 25 to 400. The threshold without novelty is 2 standard deviations at 100, 1 at 200; its
            lower end, half a deviation at 100, moves with it (base 512 and least 128, Q8, times 100 / sensitivity).
        patience: percent, 0 to 400, how much calmer an alarm makes it: at 100, 64 samples of silence, and a threshold
            higher by 0.375 deviations that fades over 4,096 samples (hold 64 and step 96, Q8, times patience / 100).

    Raises:
        ConfigError: "sensitivity" or "patience" out of range.
    """

    def __init__(self, kernel: "KernelSet", sensitivity: int = 100, patience: int = 100) -> None:
        if not 25 <= sensitivity <= 400:
            raise ConfigError("sensitivity", "sensitivity = %r percent: 25 to 400" % sensitivity)
        if not 0 <= patience <= 400:
            raise ConfigError("patience", "patience = %r percent: 0 to 400" % patience)
        self._find = kernel.entry("novelty", "find")
        self._one = array("h", [0])
        self._state = array("H", [0] * _HALVES)
        self.tune(base=(51200 + sensitivity // 2) // sensitivity, least=(12800 + sensitivity // 2) // sensitivity)
        self.tune(hold=(64 * patience + 50) // 100, step=(96 * patience + 50) // 100)
        self.tune(most=4000, new_level=192, new_step=224, learning=192, warmup=64, shifts=3 | 12 << 8, fade=12)
        self.reset()

    def tune(self, **constants: int) -> None:
        """Set constants of the definition by name, for experiments; base + most stays below 8192. Allocates.

        Args:
            constants: base, least (32 or more), step, most, hold, new_level, new_step, learning, warmup, fade, and
                shifts (fast | slow << 8).
        """
        places = {
            "base": _BASE,
            "least": _LEAST,
            "step": _STEP,
            "most": _MOST,
            "hold": _HOLDOFF,
            "new_level": _NEW_LEVEL,
            "new_step": _NEW_STEP,
            "learning": _LEARNING,
            "warmup": _WARMUP,
            "shifts": _SHIFTS,
            "fade": _FADE,
        }
        for name in constants:
            self._state[places[name]] = constants[name]

    def reset(self) -> None:
        """Forget all samples, levels and transitions; the settings stay. Does not allocate."""
        state = self._state
        for i in range(_BASE):
            state[i] = 0
        for i in range(_AFTER4, _HALVES):
            state[i] = 0
        state[_ORIGIN] = _NOWHERE & 0xFFFF
        state[_ORIGIN + 1] = _NOWHERE >> 16

    def find(self, buf: "Samples", start: int, stop: int) -> int:
        """Feed buf[start:stop] in order, up to and including the first alarm.

        Args:
            buf: array('h') of samples, read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index of the alarm; stop when there was none and all were fed. Go on with find(buf, i + 1, stop).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        i = self._find(self._state, buf, start, stop)
        while i < 0:
            i = -1 - i
            self._make_room(buf[i])
            i = self._find(self._state, buf, i, stop)
        return i

    def push(self, x: int) -> bool:
        """Feed one sample and say whether it raises an alarm.

        Args:
            x: the sample, -32768 to 32767.

        Returns:
            True for an alarm.
        """
        one = self._one
        one[0] = x
        return self.find(one, 0, 1) == 0

    def figures(self) -> tuple[int, int, int]:
        """Return (fast mean, slow mean, variance): Q16 of LSB, and of LSB². Allocates."""
        state = self._state
        fast = (state[_F] | state[_F + 1] << 16) - (1 << 31)
        slow = (state[_M] | state[_M + 1] << 16) - (1 << 31)
        v1 = state[_V + 2] | state[_V + 3] << 16
        return fast, slow, state[_V] + (v1 << 14) + (state[_V + 4] << 44)

    def _make_room(self, x: int) -> None:
        """Double the bins until x lies in one; the first sample sets their origin and both means."""
        state = self._state
        if not state[_COUNT] and not state[_COUNT + 1]:
            state[_F + 1] = state[_M + 1] = x + 0x8000
            self._set_origin(x - 8)
            return
        origin = (state[_ORIGIN] | state[_ORIGIN + 1] << 16) - _ORIGIN_ZERO
        while not 0 <= (x - origin) >> state[_SCALE] < 16:
            up = 0
            if x < origin:
                up = 8
                origin -= 16 << state[_SCALE]
            state[_SCALE] += 1
            _halve_rows(state, _AFTER4, up)
            _halve_rows(state, _AFTER8, up)
            state[_SEEN] = _halve_bits(state[_SEEN], up)
            state[_BINS4] = _halve_bins(state[_BINS4], up)
            state[_BINS8] = _halve_bins(state[_BINS8], up)
        self._set_origin(origin)

    def _set_origin(self, origin: int) -> None:
        origin += _ORIGIN_ZERO
        self._state[_ORIGIN] = origin & 0xFFFF
        self._state[_ORIGIN + 1] = origin >> 16


def _halve_bits(bits: int, up: int) -> int:
    """Merge pairs of columns: bit a goes to bit a // 2 + up."""
    bits = (bits | bits >> 1) & 0x5555
    bits = (bits | bits >> 1) & 0x3333
    bits = (bits | bits >> 2) & 0x0F0F
    return ((bits | bits >> 4) & 0xFF) << up


def _halve_bins(bins: int, up: int) -> int:
    """Renumber four bins, packed four bits each."""
    out = 0
    for at in (0, 4, 8, 12):
        out |= (((bins >> at & 15) >> 1) + up) << at
    return out


def _halve_rows(state: "Samples", table: int, up: int) -> None:
    """Merge pairs of rows, and of columns in them; rows that nothing goes to are empty."""
    # Upwards or downwards, so that no row is overwritten before it was read.
    pair, step, last = (7, -1, -1) if up else (0, 1, 8)
    while pair != last:
        at = table + 2 * pair
        row = state[at] | state[at + 1]
        if row:
            state[at] = state[at + 1] = 0
            state[table + pair + up] = _halve_bits(row, up)
        pair += step
