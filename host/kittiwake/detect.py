"""Detection over a whole column: the firmware's own detector, run on a target, block by block.

The host only feeds samples and forms figures from the sums that come back; it decides nothing.
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction

from kittiwake.bridge import figures
from kittiwake.errors import ConfigError, TargetError
from kittiwake.target.base import Target

BLOCK_SAMPLES = 4096

# Runs on the board. A line per alert: index x n sum sum_sq; an error of the configuration is a line of its own.
_ON_BOARD = """
import array, binascii
from kittiwake_node import kernels
from kittiwake_node.core.zscore import ZScore
from kittiwake_node.errors import NodeError
_seen = 0
def _detector(kernel, n, p, q, code):
    global _z, _seen, _code
    _seen = 0
    _code = code
    try:
        _z = ZScore(kernels.load(kernel), n=n, p=p, q=q, bits=16 if code == 'h' else 24)
    except NodeError as error:
        print("!", error)
def _feed(text):
    global _seen
    raw = binascii.a2b_base64(text)
    block = array.array(_code, raw)
    at = 0
    while at < len(block):
        at = _z.find(block, at, len(block))
        if at < len(block):
            print(_seen + at, _z.x, _z.n, _z.sum, _z.sum_sq)
            at += 1
    _seen += len(block)
"""


def default_threshold(n: int) -> Fraction:
    """The threshold where none is given: 5/2 for windows up to 20, the guide's; 11/2 above, for few false alarms."""
    return Fraction(5, 2) if n <= 20 else Fraction(11, 2)


def zscore_alerts(
    target: Target,
    samples: array,
    n: int,
    t: Fraction,
    kernel: str = "viper",
    block_samples: int = BLOCK_SAMPLES,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[dict]:
    """Run the firmware's z-score over samples on a started target.

    Args:
        target: started.
        samples: array('h'), or array('i') with values of at most 24 bits, in order.
        n, t: window and threshold.
        kernel: which of the firmware's kernels.
        block_samples: samples handed over at a time; small boards want small blocks.
        on_progress: called with the number of samples done.

    Yields:
        A dict per alert, in order: index, x, n, s, q (exact sums of its window), z_score, mean, stdev (in LSB, two
        decimals).

    Raises:
        ConfigError: the firmware refuses these settings; its reason is the message.
        TargetError: the board failed.
    """
    target.exec(_ON_BOARD)
    refusal = target.exec(f"_detector({kernel!r}, {n}, {t.numerator}, {t.denominator}, {samples.typecode!r})").strip()
    if refusal:
        raise ConfigError(refusal.removeprefix("!").strip())
    one, zero = Fraction(1), Fraction(0)
    for start in range(0, len(samples), block_samples):
        block = samples[start : start + block_samples]
        text = binascii.b2a_base64(block.tobytes(), newline=False).decode()
        for line in target.exec(f"_feed({text!r})", timeout_s=60).splitlines():
            fields = line.split()
            if len(fields) != 5:
                raise TargetError(f"the board said {line!r} where an alert was due")
            index, x, size, total, squares = map(int, fields)
            mean, stdev, z = figures.window_figures(size, total, squares, x, one, zero)
            yield {
                "index": index,
                "x": x,
                "n": size,
                "s": total,
                "q": squares,
                "z_score": z,
                "mean": mean,
                "stdev": stdev,
            }
        on_progress(min(start + block_samples, len(samples)))
