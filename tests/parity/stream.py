"""Long parity runs: a series through one stage on any target, in blocks from one sample up, answers as checksums.

The series goes by a file of this machine where the target can read one, else as text. Knows the stages and their
references, not which targets there are.
"""

import base64
import random
from array import array
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from zlib import crc32

from kittiwake.reference import baseline, drift, novelty, summary, zscore
from tests.parity import signals
from tests.parity.boards import ThisProcess

CHUNK = 2048  # samples an answer line stands for
_RUN = 32  # chunks asked for at once
_TIMEOUT_S = 300.0

PROGRAM = Path(__file__).with_name("stream_run.py").read_text()


class Stage:
    """One detector with one setting.

    Args:
        name: for reports.
        module, cls: in kittiwake_node.detect.
        settings: of the constructor.
        reference: called with the series, yields (index, text) of every detection, and how the state stands after each
            chunk where the reference has it.
        n, t: what the signals are made to hurt.
        bits: of a sample.
    """

    def __init__(self, name, module, cls, settings, reference, n=64, t=Fraction(5, 2), bits=16):
        self.name, self.module, self.cls, self.settings, self.reference = name, module, cls, settings, reference
        self.n, self.t, self.bits = n, t, bits

    def __repr__(self):
        return self.name

    @property
    def code(self):
        """Type code of the samples' array."""
        return "h" if self.bits <= 16 else "i"

    @property
    def lagged(self):
        """Whether the sums of an alert are those of the window before it."""
        return bool(self.settings.get("lagged"))


@lru_cache(maxsize=4)
def series(stage, count, seed):
    """Return the series for a stage: as much as fits of every adversarial signal in half of it, then a random one."""
    low, high = -(1 << stage.bits - 1), (1 << stage.bits - 1) - 1
    chance = random.Random(seed)
    made = [samples for samples in signals.adversarial(stage.n, stage.t, seed, low, high).values() if samples]
    share = count // (2 * len(made))
    out = []
    for samples in made:
        start = chance.randint(0, max(0, len(samples) - share))
        out += samples[start : start + share]
    return out + signals.mixed(count - len(out), seed, low, high)


def _zscore(stage, samples):
    if stage.lagged:
        found = zscore.lagged_alerts(samples, stage.n, stage.t, stage.settings["floor"])
    else:
        found = zscore.alerts(samples, stage.n, stage.t)
    flags = [(a.index, f"{a.index}:{a.x}:{a.sum}:{a.sum_sq} ") for a in found]
    windows = [samples[max(0, end - stage.n) : end] for end in _ends(samples)]
    return flags, [str((len(w), sum(w), sum(x * x for x in w))) for w in windows]


def _sequential(make):
    def run(stage, samples):
        detector, flags, states = make(), [], []
        for index, x in enumerate(samples):
            if detector.push(x):
                flags.append((index, f"{index} "))
            if (index + 1) % CHUNK == 0 or index + 1 == len(samples):
                states.append(str((detector.fast, detector.slow, detector.variance)))
        return flags, states

    return run


def _baseline(stage, samples):
    s = stage.settings
    found = baseline.anomalies(samples, s["block"], s["learn"], Fraction(s["p"], s["q"]), s["features"])
    return [(index, f"{index}:{name} ") for index, name in found], ["-"] * len(_ends(samples))


def _summary(stage, samples):
    cut = zip([0, *_ends(samples)], _ends(samples), strict=False)
    return None, [str(tuple(vars(summary.summary(samples[a:b])).values())) for a, b in cut]


def _ends(samples):
    return [min(start + CHUNK, len(samples)) for start in range(0, len(samples), CHUNK)]


def _z(n, t, bits=16, **settings):
    settings = {"n": n, "p": Fraction(t).numerator, "q": Fraction(t).denominator, "bits": bits, **settings}
    name = f"zscore-{bits}{'-lagged' if settings.get('lagged') else ''}-{n}"
    return Stage(name, "zscore", "ZScore", settings, _zscore, n, Fraction(t), bits)


_NOVEL = {"base": 341, "least": 85, "hold": 26, "step": 38}  # what sensitivity 150 and patience 40 stand for
STAGES = [
    _z(20, "5/2"),
    _z(256, "11/2"),
    _z(1024, Fraction(251, 84)),
    _z(20, "5/2", lagged=True, floor=1),
    _z(16, "5/4", lagged=True, floor=0),
    _z(20, "5/2", 24),
    _z(256, "11/2", 24),
    _z(20, "5/2", 24, lagged=True, floor=3),
    Stage("drift", "drift", "Drift", {}, _sequential(drift.Drift)),
    Stage(
        "drift-keen",
        "drift",
        "Drift",
        {"fast": 1, "slow": 14, "p": 1, "q": 200, "warmup": 0, "holdoff": 0, "floor": 0},
        _sequential(lambda: drift.Drift(drift.Settings(1, 14, 1, 200, 0, 0, 0))),
    ),
    Stage("novelty", "novelty", "Novelty", {}, _sequential(novelty.Novelty)),
    Stage(
        "novelty-keen",
        "novelty",
        "Novelty",
        {"sensitivity": 150, "patience": 40},
        _sequential(lambda: novelty.Novelty(novelty.Settings(**_NOVEL))),
    ),
    Stage(
        "baseline",
        "baseline",
        "Baseline",
        {"block": 16, "learn": 64, "features": ("variance", "peak", "range", "crossings"), "p": 4, "q": 1},
        _baseline,
    ),
    Stage("summary", "summary", "Summary", {}, _summary),
    Stage("summary-24", "summary", "Summary", {"bits": 24}, _summary, bits=24),
]


@lru_cache(maxsize=64)
def expected(stage, count, seed):
    """Return the lines that a board must print, and how many detections are in them.

    What the lines say of detections and sums is the reference's; the checksum of the state behind it is the plain
    kernel's on CPython, whose sums are compared too.
    """
    samples = series(stage, count, seed)
    flags, states = stage.reference(stage, samples)
    plain = _feed_text(ThisProcess(), stage, "plain", samples, seed)
    if flags is None:
        return states, len(states)
    lines, at = [], 0
    for end, state, line in zip(_ends(samples), states, plain, strict=True):
        first = at
        while at < len(flags) and flags[at][0] < end:
            at += 1
        text = "".join(words for _, words in flags[first:at])
        lines.append(f"{at - first} {crc32(text.encode()):08x} {state} {line.rsplit(' ', 1)[1]}")
    return lines, len(flags)


def run(target, stage, kernel, count, seed, path=None, settings=None):
    """Run a stage's series on a target.

    Args:
        target: anything with exec(code, timeout_s) -> str.
        stage: Stage.
        kernel: name.
        count, seed: of the series.
        path: a file that the target can read, to hold the series; None to send it as text.
        settings: instead of the stage's own, to see a difference.

    Returns:
        The lines it printed.
    """
    samples = series(stage, count, seed)
    if path is None:
        return _feed_text(target, stage, kernel, samples, seed)
    path.write_bytes(array(stage.code, samples).tobytes())
    _begin(target, stage, kernel, settings)
    lines = []
    for start in range(0, count, CHUNK * _RUN):
        part = min(CHUNK * _RUN, count - start)
        call = f"stream_file({str(path)!r}, {start}, {part}, {CHUNK}, {_blocks(stage, seed)}, {stage.lagged})"
        lines += target.exec(call, _TIMEOUT_S).splitlines()
    return lines


def _feed_text(target, stage, kernel, samples, seed):
    _begin(target, stage, kernel)
    lines = []
    for start in range(0, len(samples), CHUNK):
        text = base64.b64encode(array(stage.code, samples[start : start + CHUNK]).tobytes()).decode()
        call = f"stream_text({text!r}, {_blocks(stage, seed)}, {stage.lagged})"
        lines += _exec(target, call).splitlines()
    return lines


def _begin(target, stage, kernel, settings=None):
    _exec(target, PROGRAM)
    _exec(
        target,
        f"stream_begin({stage.module!r}, {stage.cls!r}, {kernel!r}, {settings or stage.settings}, {stage.code!r})",
    )


def _exec(target, code):
    return target.exec(code) if isinstance(target, ThisProcess) else target.exec(code, _TIMEOUT_S)


def _blocks(stage, seed):
    chance = random.Random(f"{stage.name} {seed}")
    return [chance.choice((1, 1, 2, 3, 7, stage.n, 256, chance.randint(1, 700))) for _ in range(23)]
