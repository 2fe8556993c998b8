"""Detectors by their configuration: one face for all kinds, and the payload that tells of what each of them saw.

It knows the detectors and their payloads; not channels, records or actions. A kind's module is imported when it is
asked for, so that a small board holds only what it uses.
"""

from ..errors import ConfigError
from ..link import anomaly

if False:  # for mypy alone
    from kittiwake_types import Detector, KernelSet, Settings


def make(kernel: "KernelSet", config: "Settings", bits: int) -> "Detector":
    """Build a detector.

    Args:
        kernel: what `kernels.load` returned.
        config: of one detector, checked (config.check): its kind and that kind's settings.
        bits: of the channel's samples.

    Returns:
        An object with `find(buf, start, stop)` and `push(x)` as the detectors have them, `number`, and for the sample
        just found `score(x)`, how far off it is as an integer, and `tell(x, flags, index)`, the anomaly's payload.
        `learner` is the Baseline of a detector that learns, else None; `forget()` makes one begin anew that remembers
        for long, else it is None.

    Raises:
        ConfigError: the settings cannot be; says why.
    """
    kind = config["kind"]
    if bits > 16 and kind != "zscore":
        raise ConfigError("bits", "%s takes samples of up to 16 bits, these have %d" % (kind, bits))
    if kind == "zscore":
        return _ZScore(kernel, config, bits)
    if kind == "drift":
        return _Drift(kernel, config)
    if kind == "novelty":
        return _Novelty(kernel, config)
    if kind == "baseline":
        return _Baseline(kernel, config)
    raise ConfigError("detector.kind", "%r is not one of: zscore, drift, novelty, baseline" % kind)


def parse_threshold(text: object) -> tuple[int, int]:
    """(p, q) of a threshold given as "p/q" or a whole number.

    Raises:
        ConfigError: it is neither.
    """
    parts = str(text).split("/")
    try:
        p, q = int(parts[0]), int(parts[1]) if len(parts) > 1 else 1
    except ValueError:
        p = q = 0
    if len(parts) > 2 or p < 1 or q < 1:
        raise ConfigError("t", "%r: give it as a fraction of whole numbers, such as 5/2" % text)
    return p, q


class _ZScore:
    number = anomaly.ZSCORE
    learner = None
    forget = None

    def __init__(self, kernel: "KernelSet", config: "Settings", bits: int) -> None:
        from .zscore import ZScore, default_threshold

        p, q = parse_threshold(config["t"]) if config["t"] else default_threshold(config["n"])
        self._of = ZScore(kernel, n=config["n"], p=p, q=q, bits=bits, lagged=config["lagged"], floor=config["floor"])
        self._lagged = config["lagged"]
        self.find = self._of.find
        self.push = self._of.push

    def score(self, x: int) -> int:
        z = self._of
        return x - z.sum // z.n

    def tell(self, x: int, flags: int, index: int) -> bytes:
        z = self._of
        total, squares = z.tested() if self._lagged else (z.sum, z.sum_sq)
        if self._lagged:
            flags |= anomaly.LAGGED
        low, high = z.window_min(), z.window_max()
        return anomaly.pack_anomaly(anomaly.ZSCORE, flags, z.n, x, low, high, total, squares, index, z.p, z.q)


class _Drift:
    number = anomaly.DRIFT
    learner = None

    def __init__(self, kernel: "KernelSet", config: "Settings") -> None:
        from .drift import Drift

        p, q = parse_threshold(config["t"])
        self._of = Drift(
            kernel,
            fast=config["fast"],
            slow=config["slow"],
            p=p,
            q=q,
            warmup=config["warmup"],
            holdoff=config["holdoff"],
            floor=config["floor"],
        )
        self.forget = self._of.reset
        self.find = self._of.find
        self.push = self._of.push

    def score(self, x: int) -> int:
        fast, slow, _ = self._of.figures()
        return (fast - slow) >> 16

    def tell(self, x: int, flags: int, index: int) -> bytes:
        fast, slow, variance = self._of.figures()
        return anomaly.pack_levels(anomaly.DRIFT, flags, x, fast, slow, variance, index, self._of.p, self._of.q)


class _Novelty:
    number = anomaly.NOVELTY
    learner = None

    def __init__(self, kernel: "KernelSet", config: "Settings") -> None:
        from .novelty import Novelty

        self._of = Novelty(kernel, sensitivity=config["sensitivity"], patience=config["patience"])
        self.forget = self._of.reset
        self.find = self._of.find
        self.push = self._of.push

    def score(self, x: int) -> int:
        fast, slow, _ = self._of.figures()
        return (fast - slow) >> 16

    def tell(self, x: int, flags: int, index: int) -> bytes:
        # Its threshold moves with every sample, so none is told: 0/0.
        fast, slow, variance = self._of.figures()
        return anomaly.pack_levels(anomaly.NOVELTY, flags, x, fast, slow, variance, index, 0, 0)


class _Baseline:
    number = anomaly.BASELINE
    forget = None

    def __init__(self, kernel: "KernelSet", config: "Settings") -> None:
        from .baseline import Baseline

        p, q = parse_threshold(config["t"])
        self.learner = Baseline(kernel, config["block"], config["learn"], tuple(config["features"]), p, q)
        self.find = self.learner.find
        self.push = self.learner.push

    def score(self, x: int) -> int:
        return self.learner.value

    def tell(self, x: int, flags: int, index: int) -> bytes:
        from .baseline import NAMES

        of = self.learner
        feature = NAMES.index(of.feature)
        blocks, total, squares = of.figures(feature)
        return anomaly.pack_feature(flags, feature, blocks, of.value, total, squares, index, of.p, of.q)
