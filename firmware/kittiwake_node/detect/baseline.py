"""Baseline: features of blocks of samples against what they were while the machine was known to be well.

Must not know where a learned baseline is kept: it goes out and comes in as bytes. For vibration, where a rolling window
would absorb a fault that stays. A baseline learned at one speed of a machine says little of another.

Feeding does not allocate with the native kernels; closing a block does on 32-bit boards, where features exceed small
integers.
"""

from array import array
from binascii import crc32

from ..errors import ConfigError, StorageError
from .summary import Summary

if False:  # for mypy alone
    from collections.abc import Sequence
    from typing import Any

    from kittiwake_types import KernelSet, Samples

# Features of a block of n samples with sum S, sum of squares Q, from one rounded-down division each:
VARIANCE = 0  # (n·Q - S²)·2^8 / n², the variance (n) in Q8
PEAK = 1  # greatest |x - mean|, Q8
RANGE = 2  # largest less smallest sample
CROSSINGS = 3  # of the mean of the block before
NAMES = ("variance", "peak", "range", "crossings")

_MAGIC = b"KWB1"
_HEAD = 10  # magic, block, features as bits, blocks learned
_ENTRY = 24  # sum and sum of squares of a feature


class Baseline:
    """One channel's detector, for samples of up to 16 bits.

    Args:
        kernel: what `kernels.load` returned.
        block: samples in a block, 16 to 16384.
        learn: blocks to learn from, 8 to 65535.
        features: which decide, of NAMES.
        p, q: threshold p/q in standard deviations of the learned blocks, each 1 to 255; 4 to 5 serves.

    Attributes:
        feature, value: which feature made the newest block anomalous, and what it was.

    Raises:
        ConfigError: "block", "learn", "features" or "threshold" cannot be.
    """

    feature: str | None
    value: "int | Any"  # None before the first

    def __init__(
        self,
        kernel: "KernelSet",
        block: int = 256,
        learn: int = 200,
        features: "Sequence[str]" = ("variance",),
        p: int = 5,
        q: int = 1,
    ) -> None:
        if not 16 <= block <= 16384:
            raise ConfigError("block", "blocks of %r samples: 16 to 16384" % block)
        if not 8 <= learn <= 65535:
            raise ConfigError("learn", "learning from %r blocks: 8 to 65535" % learn)
        if not 1 <= p <= 255 or not 1 <= q <= 255:
            raise ConfigError("threshold", "t = %r/%r: both terms from 1 to 255" % (p, q))
        if not features or any(name not in NAMES for name in features):
            raise ConfigError("features", "%r: some of %s" % (features, ", ".join(NAMES)))
        self.block = block
        self.learn = learn
        self.p = p
        self.q = q
        self._features = [NAMES.index(name) for name in features]
        self._summary = Summary(kernel)
        self._cross = kernel.entry("ring", "cross")
        self._crossing = array("i", [0] * 5)
        self._one = array("h", [0])
        self.clear()

    def clear(self) -> None:
        """Forget the baseline and learn anew from the next block on."""
        self.learned_blocks = 0
        self._sums = [0] * len(NAMES)
        self._squares = [0] * len(NAMES)
        self._blocks = 0
        self._summary.reset()
        for i in range(5):
            self._crossing[i] = 0
        self._crossing[0] = 1 << 15
        self.feature = self.value = None

    @property
    def learned(self) -> bool:
        """Whether the baseline is frozen and blocks are judged."""
        return self.learned_blocks >= self.learn

    def find(self, buf: "Samples", start: int, stop: int) -> int:
        """Feed buf[start:stop] in order, up to and including the end of the first anomalous block.

        Args:
            buf: array('h') of samples, read only.
            start: index of the first sample, 0 or more.
            stop: index after the last sample, start <= stop <= len(buf).

        Returns:
            Index of the last sample of the anomalous block; stop when there was none and all were fed.

        Raises:
            IndexError: indexes outside the buffer, which the native kernels would not notice.
        """
        if not 0 <= start <= stop <= len(buf):
            raise IndexError
        while start < stop:
            end = min(stop, start + self.block - self._summary.count)
            self._summary.feed(buf, start, end)
            crossing = self._crossing
            crossing[2] = start
            crossing[3] = end
            self._cross(crossing, buf)
            start = end
            if self._summary.count == self.block and self._close():
                return end - 1
        return stop

    def push(self, x: int) -> bool:
        """Feed one sample and say whether it ends an anomalous block."""
        self._one[0] = x
        return self.find(self._one, 0, 1) == 0

    def figures(self, feature: int) -> tuple[int, int, int]:
        """Return (blocks learned, sum, sum of squares) of a feature, by its number. Allocates."""
        return self.learned_blocks, self._sums[feature], self._squares[feature]

    def dump(self) -> bytes:
        """Return the learned baseline as bytes, with a checksum; feed them to `restore` after a reboot. Allocates."""
        out = bytearray(_MAGIC)
        out += self.block.to_bytes(2, "little") + bytes((sum(1 << f for f in self._features), 0))
        out += self.learned_blocks.to_bytes(2, "little")
        for f in self._features:
            out += self._sums[f].to_bytes(8, "little") + self._squares[f].to_bytes(16, "little")
        return bytes(out) + (crc32(out) & 0xFFFFFFFF).to_bytes(4, "little")

    def restore(self, data: bytes) -> None:
        """Take a learned baseline back.

        Args:
            data: what `dump` returned.

        Raises:
            StorageError: "baseline" when the bytes are damaged, or are of other blocks or features. Nothing is changed.
        """
        body = data[:-4]
        size = _HEAD + _ENTRY * len(self._features)
        if len(body) != size or body[:4] != _MAGIC or crc32(body) & 0xFFFFFFFF != int.from_bytes(data[-4:], "little"):
            raise StorageError("baseline", "damaged, or of other features: learn it again")
        bits = sum(1 << f for f in self._features)
        if int.from_bytes(body[4:6], "little") != self.block or body[6] != bits:
            raise StorageError("baseline", "of other blocks or features: learn it again")
        self.clear()
        self.learned_blocks = int.from_bytes(body[8:10], "little")
        at = _HEAD
        for f in self._features:
            self._sums[f] = int.from_bytes(body[at : at + 8], "little")
            self._squares[f] = int.from_bytes(body[at + 8 : at + 24], "little")
            at += _ENTRY

    def _close(self) -> bool:
        """Take the block's features, learn or judge them, and begin the next block."""
        s = self._summary
        n, total, squares = s.count, s.sum, s.sum_sq
        values = (
            ((n * squares - total * total) << 8) // (n * n),
            (max(n * s.max - total, total - n * s.min) << 8) // n,
            s.max - s.min,
            self._crossing[4],
        )
        self._crossing[0] = total // n + (1 << 15)
        self._crossing[4] = 0
        s.reset()
        self._blocks += 1
        if not self.learned:
            # The first block's crossings are of no block before.
            if self._blocks > 1:
                self.learned_blocks += 1
                for f in self._features:
                    self._sums[f] += values[f]
                    self._squares[f] += values[f] * values[f]
            return False
        m = self.learned_blocks
        for f in self._features:
            d = m * values[f] - self._sums[f]
            # The learned variance counts as 1 at least: a feature that never moved may move by a step or two.
            spread = max(m * self._squares[f] - self._sums[f] * self._sums[f], m * (m - 1))
            if self._blocks > 1 or f != CROSSINGS:
                if self.q * self.q * (m - 1) * d * d > self.p * self.p * m * spread:
                    self.feature = NAMES[f]
                    self.value = values[f]
                    return True
        return False
