"""Rolling z-score: exact integer test of each sample against the window of the last n.

Must not know where samples come from, in which units they are, or what happens to an anomaly.

The constructor allocates everything. `find` and `push` never allocate with the native kernels, write only this object's
arrays, and may run in an interrupt as long as nothing else feeds the same detector meanwhile.

What a user must be told: with x in its own window |z| never exceeds (n - 1)/sqrt(n), so n = 20 ends at 4.25, and n <= 8
never reaches 2.5; at n = 20, t = 5/2 pure Gaussian noise is flagged 6.35 times in 1,000 samples.
"""

from array import array

from ..errors import ConfigError

if False:  # for mypy alone
    from collections.abc import Callable

    from kittiwake_types import KernelSet, Samples

try:
    from micropython import const
except ImportError:

    def const(value: int) -> int:
        """Stand in for MicroPython's compile-time constant."""
        return value


# State words: see the docstring of the package `kernels`, the one description of the layout.
_WORDS = const(15)
_N = const(0)
_POS = const(1)
_COUNT = const(2)
_S0 = const(3)
_S1 = const(4)
_V0 = const(5)
_V1 = const(6)
_V2 = const(7)
_A = const(8)
_B = const(9)
_KR = const(10)
_F0 = const(11)
_F1 = const(12)
_START = const(13)
_STOP = const(14)

N_LEAST = 2
N_MOST = 1024  # 16-bit samples: V < 2^50, A·D² and B·V < 2^79
N_MOST_WIDE = 256  # 24-bit samples: V < 2^62, A·D² and B·V < 2^90
T_TERM_MOST = 255
FLOOR_MOST = 4095
BITS_MOST = 24


def default_threshold(n: int) -> tuple[int, int]:
    """The threshold for a window when none is given: 5/2 up to n = 20 (the guide's), else 11/2.

    Args:
        n: window length.

    Returns:
        (p, q) with t = p/q.
    """
    return (5, 2) if n <= 20 else (11, 2)


class ZScore:
    """One channel's detector: anomalous is |x - mean| > p/q · stdev over the last n samples, the newest included.

    Args:
        kernel: what `kernels.load` returned.
        n: window length, 2 to 1024 (to 256 for samples of more than 16 bits).
        p, q: threshold t = p/q, each 1 to 255.
        bits: bits of a sample, 8 to 24: up to 16, buffers are array('h') and any value of the type is exact; above,
            array('i') with samples in -2^23 .. 2^23 - 1.
        lagged: test each sample against the n before it instead, so that |z| has no bound and an outlier does not hide
            itself; `sum` and `sum_sq` still have the newest sample in them, `tested` gives those of the test.
        floor: with lagged, the least variance in LSB² that the window is taken to have, 0 to 4095.

    Raises:
        ConfigError: "n", "threshold", "bits", "floor" out of range; "products" when n is too large for such samples;
            "unreachable" when no sample can ever exceed t.
    """

    def __init__(
        self,
        kernel: "KernelSet",
        n: int = 256,
        p: int = 11,
        q: int = 2,
        bits: int = 16,
        lagged: bool = False,
        floor: int = 1,
    ) -> None:
        _check(n, p, q, bits, lagged, floor)
        wide = bits > 16
        stage = "wide" if wide else "lagged" if lagged else "zscore"
        self._find = kernel.entry(stage, "find_lagged" if wide and lagged else "find")
        self.n = n
        self.p = p
        self.q = q
        self._offset = 1 << 23 if wide else 1 << 15
        self._state = array("i", [0] * _WORDS)
        if wide:
            self._ring = array("i", [0] * n)
            self._one = array("i", [0])
        else:
            self._ring = array("H", bytes(2 * n))
            self._one = array("h", [0])
        a, b = _coefficients(n, p, q)
        state = self._state
        state[_N] = n
        state[_A] = a
        state[_B] = b
        kappa, f = _bound(a, b)
        state[_KR] = kappa + (f << 11)
        least = n * (n - 1) * floor
        state[_F0] = least & 0x3FFF
        state[_F1] = least >> 14
        self.reset()

    def reset(self) -> None:
        """Forget all samples. Does not allocate."""
        state = self._state
        ring = self._ring
        offset = self._offset
        for i in range(self.n):
            ring[i] = offset
        for i in (_POS, _COUNT, _V0, _V1, _V2):
            state[i] = 0
        state[_S0] = self.n * offset & 0x3FFFFFF
        state[_S1] = self.n * offset >> 26

    def find(self, buf: "Samples", start: int, stop: int) -> int:
        """Feed buf[start:stop] in order, up to and including the first anomalous sample.

        Args:
            buf: array('h'), or array('i') when bits > 16; read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index of the anomalous sample; stop when there was none and all were fed. Go on with find(buf, i + 1, stop).

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        state = self._state
        state[_START] = start
        state[_STOP] = stop
        return self._find(state, self._ring, buf)

    def push(self, x: int) -> bool:
        """Feed one sample and say whether it is anomalous.

        Args:
            x: the sample, within the type.

        Returns:
            True when anomalous.
        """
        one, state = self._one, self._state
        one[0] = x
        state[_START] = 0
        state[_STOP] = 1
        return self._find(state, self._ring, one) == 0

    @property
    def count(self) -> int:
        """Samples in the window, 0 to n."""
        return self._state[_COUNT]

    @property
    def x(self) -> int:
        """The newest sample; 0 before the first."""
        return self._ring[self._state[_POS] - 1] - self._offset

    @property
    def sum(self) -> int:
        """Sum of the window, the newest sample included. May allocate."""
        state = self._state
        return state[_S0] + (state[_S1] << 26) - self.n * self._offset

    @property
    def sum_sq(self) -> int:
        """Sum of squares of the window, the newest sample included. May allocate."""
        state = self._state
        total = self.sum
        return (state[_V0] + (state[_V1] << 14) + (state[_V2] << 44) + total * total) // self.n

    def tested(self) -> tuple[int, int]:
        """Return (sum, sum of squares) of the window that the newest sample was anomalous against, with lagged.

        Right after `find` or `push` found one; then mean and deviation follow as without lagged. May allocate.
        """
        x = self.x
        displaced = self._state[_START] - self._offset
        return self.sum - x + displaced, self.sum_sq - x * x + displaced * displaced

    def window_min(self) -> int:
        """Smallest sample of the window; 0 before the first."""
        return self._extreme(min)

    def window_max(self) -> int:
        """Largest sample of the window; 0 before the first."""
        return self._extreme(max)

    def _extreme(self, pick: "Callable[..., int]") -> int:
        ring = self._ring
        count = self._state[_COUNT]
        if count == self.n:
            return pick(ring) - self._offset
        # No generator expression here: its closure would be allocated at every call.
        extreme = ring[0] if count else self._offset
        for i in range(count):
            extreme = pick(extreme, ring[i])
        return extreme - self._offset


def _check(n: int, p: int, q: int, bits: int, lagged: bool, floor: int) -> None:
    if not 8 <= bits <= BITS_MOST:
        raise ConfigError("bits", "%d bits a sample: 8 to %d" % (bits, BITS_MOST))
    if not 1 <= p <= T_TERM_MOST or not 1 <= q <= T_TERM_MOST:
        raise ConfigError("threshold", "t = %d/%d: both terms from 1 to %d" % (p, q, T_TERM_MOST))
    if not N_LEAST <= n <= N_MOST:
        raise ConfigError("n", "window of %d samples: %d to %d" % (n, N_LEAST, N_MOST))
    if bits > 16 and n > N_MOST_WIDE:
        raise ConfigError("products", "n = %d with %d-bit samples: at most %d" % (n, bits, N_MOST_WIDE))
    if not 0 <= floor <= FLOOR_MOST:
        raise ConfigError("floor", "variance of at least %r: 0 to %d LSB²" % (floor, FLOOR_MOST))
    # |z| <= (n - 1)/sqrt(n) for a sample within its own window, squared and multiplied out.
    if not lagged and p * p * n >= q * q * (n - 1) * (n - 1):
        raise ConfigError(
            "unreachable",
            "|z| never exceeds (n - 1)/sqrt(n) = %.2f at n = %d, so t = %d/%d never is: raise n, lower t or use lagged"
            % ((n - 1) / n**0.5, n, p, q),
        )


def _coefficients(n: int, p: int, q: int) -> tuple[int, int]:
    """A and B of the test A·D² > B·V, in lowest terms: both below 2^26."""
    a, b = q * q * (n - 1), p * p * n
    x, y = a, b
    while y:
        x, y = y, x % y
    return a // x, b // x


def _bound(a: int, b: int) -> tuple[int, int]:
    """Return kappa and f with kappa the least integer >= sqrt(a / b)·2^f, and 512 <= kappa <= 1024."""
    # sqrt(a / b) lies between 2^-9 and 2^8, so f is between 1 and 18.
    f = 1
    while (a << 2 * f) < (b << 18):
        f += 1
    low, high = 512, 1024
    while low < high:
        middle = (low + high) >> 1
        if middle * middle * b >= a << 2 * f:
            high = middle
        else:
            low = middle + 1
    return low, f
