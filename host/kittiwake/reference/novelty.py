"""The novelty detector by its definition: the dual mean of `drift`, keener on what was never seen, calmer after alarms.

Levels are sorted into sixteen bins that double in width when a sample lies outside them. The detector remembers which
bins were visited, and which bin followed which by four and by eight samples; a visit or transition that is new lowers
the threshold, each alarm raises it for a while. Knows nothing of the firmware.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

BINS = 16


@dataclass(frozen=True)
class Settings:
    """Constants of the detector; thresholds are Q8 standard deviations.

    Attributes:
        base, least: threshold without novelty and boost, and its lower end.
        new_level, new_step: what a bin never visited, and a transition never made, take off the threshold.
        learning: samples during which novelty is learned and does not count.
        warmup: samples before the first test.
        hold: silent samples after an alarm.
        step, most: what an alarm adds to the boost, and the boost's upper end.
        fade: shift by which the boost decays.
        fast, slow: shifts of the means.
    """

    base: int = 512
    least: int = 128
    new_level: int = 192
    new_step: int = 224
    learning: int = 192
    warmup: int = 64
    hold: int = 64
    step: int = 96
    most: int = 4000
    fade: int = 12
    fast: int = 3
    slow: int = 12


@dataclass
class Novelty:
    """The detector, one sample at a time."""

    settings: Settings = field(default_factory=Settings)
    index: int = 0
    fast: int = 0
    slow: int = 0
    variance: int = 0
    origin: int = 0
    scale: int = 0
    boost: int = 0
    hold: int = 0
    visited: set[int] = field(default_factory=set)
    steps: dict[int, set[tuple[int, int]]] = field(default_factory=lambda: {4: set(), 8: set()})
    recent: list[int] = field(default_factory=list)

    def push(self, x: int) -> bool:
        """Take one sample; return whether it is an alarm."""
        c = self.settings
        if self.index == 0:
            self.fast = self.slow = x << 16
            self.origin = x - BINS // 2
        self.fast += ((x << 16) - self.fast) >> c.fast
        novelty = self._learn(x)
        self.boost -= self.boost >> c.fade
        threshold = max(c.least, c.base + (self.boost >> 8) - novelty)
        alarm = False
        if self.hold > 0:
            self.hold -= 1
        elif self.index >= c.warmup and self._apart(threshold):
            alarm = True
            self.hold = c.hold
            self.boost = min(self.boost + (c.step << 8), c.most << 8)
        self._follow(x)
        self.index += 1
        return alarm

    def _learn(self, x: int) -> int:
        """Place x in its bin, learn the visit and the transitions; return what is new about them (Q8)."""
        while not self.origin <= x < self.origin + (BINS << self.scale):
            self._widen(x < self.origin)
        bin_ = (x - self.origin) >> self.scale
        novelty = 0
        if bin_ not in self.visited:
            novelty += self.settings.new_level
            self.visited.add(bin_)
        for lag, seen in self.steps.items():
            if self.index >= lag:
                step = (self.recent[-lag], bin_)
                if step not in seen:
                    novelty += self.settings.new_step
                    seen.add(step)
        self.recent = [*self.recent[-7:], bin_]
        return novelty if self.index >= self.settings.learning else 0

    def _widen(self, downwards: bool) -> None:
        """Double the bins' width: what was two bins is one, in the upper half when the range grows downwards."""
        up = BINS // 2 if downwards else 0
        if downwards:
            self.origin -= BINS << self.scale
        self.scale += 1

        def moved(bin_: int) -> int:
            return bin_ // 2 + up

        self.visited = {moved(bin_) for bin_ in self.visited}
        self.steps = {lag: {(moved(a), moved(b)) for a, b in seen} for lag, seen in self.steps.items()}
        self.recent = [moved(bin_) for bin_ in self.recent]

    def _apart(self, threshold: int) -> bool:
        e = (self.fast - self.slow) >> 8
        return e * e > (threshold * threshold * (max(self.variance, 1 << 16) >> 8)) >> 8

    def _follow(self, x: int) -> None:
        shift = min(self.settings.slow, (self.index + 1).bit_length() - 1)
        e = (x << 16) - self.slow
        self.slow += e >> shift
        square = (e >> 8) ** 2
        self.variance += (square - (square >> shift) - self.variance) >> shift


def alarms(samples: Iterable[int], settings: Settings | None = None) -> Iterator[int]:
    """Yield the index of every alarm in a series of samples (LSB)."""
    detector = Novelty(settings or Settings())
    for index, x in enumerate(samples):
        if detector.push(x):
            yield index
