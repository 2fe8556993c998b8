"""Detection over a whole column: the firmware's own detector, run on a target, block by block.

The host only feeds samples and forms figures from the sums that come back; it decides nothing.
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction

from kittiwake.errors import ConfigError, TargetError
from kittiwake.publish import alerts as alerts_of
from kittiwake.target.base import Target
from kittiwake_node.errors import FrameError
from kittiwake_node.link import anomaly

BLOCK_SAMPLES = 4096

# Runs on the board. A line per alert: its index and its payload in hex; a refusal of the settings is a line of its own.
_ON_BOARD = """
import array, binascii
from kittiwake_node import kernels
from kittiwake_node.config import check_detector
from kittiwake_node.detect import kinds as detectors
from kittiwake_node.errors import NodeError
def _detector(kernel, settings, code):
    global _d, _seen, _code
    _seen = 0
    _code = code
    try:
        _d = detectors.make(kernels.load(kernel), check_detector(settings), 16 if code == 'h' else 24)
    except NodeError as error:
        print("!", error)
def _feed(text):
    global _seen
    block = array.array(_code, binascii.a2b_base64(text))
    at = 0
    while at < len(block):
        at = _d.find(block, at, len(block))
        if at < len(block):
            print(_seen + at, binascii.hexlify(_d.tell(block[at], 0, _seen + at)).decode())
            at += 1
    _seen += len(block)
"""


def default_threshold(n: int) -> Fraction:
    """The threshold where none is given: 5/2 for windows up to 20, the guide's; 11/2 above, for few false alarms."""
    return Fraction(5, 2) if n <= 20 else Fraction(11, 2)


def alerts(
    target: Target,
    samples: array,
    settings: dict,
    kernel: str = "viper",
    block_samples: int = BLOCK_SAMPLES,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[dict]:
    """Run one of the firmware's detectors over samples on a started target.

    Args:
        target: started.
        samples: array('h'), or array('i') with values of at most 24 bits for the z-score, in order.
        settings: of the detector, as a node's configuration has them: kind, and what that kind takes.
        kernel: which of the firmware's kernels.
        block_samples: samples handed over at a time; small boards want small blocks.
        on_progress: called with the number of samples done.

    Yields:
        A dict per alert, in order: index, x, z_score, mean, stdev (in LSB, two decimals), and what they follow from:
        n, s, q of a z-score's window; fast_q16, slow_q16, variance_q16 of drift and novelty.

    Raises:
        ConfigError: the firmware refuses these settings; its reason is the message.
        TargetError: the board failed.
    """
    target.exec(_ON_BOARD)
    refusal = target.exec(f"_detector({kernel!r}, {settings!r}, {samples.typecode!r})").strip()
    if refusal:
        raise ConfigError(refusal.removeprefix("!").strip())
    for start in range(0, len(samples), block_samples):
        text = binascii.b2a_base64(samples[start : start + block_samples].tobytes(), newline=False).decode()
        for line in target.exec(f"_feed({text!r})", timeout_s=60).splitlines():
            yield _alert(line)
        on_progress(min(start + block_samples, len(samples)))


def zscore_alerts(target: Target, samples: array, n: int, t: Fraction, **options) -> Iterator[dict]:
    """Run the z-score with window n and threshold t; else as `alerts`."""
    return alerts(target, samples, {"kind": "zscore", "n": n, "t": f"{t.numerator}/{t.denominator}"}, **options)


def _alert(line: str) -> dict:
    index, _, text = line.partition(" ")
    try:
        told = anomaly.unpack_anomaly(bytes.fromhex(text))
    except (ValueError, FrameError):
        raise TargetError(f"the board said {line!r} where an alert was due") from None
    formed = alerts_of.form(told)
    for name in ("value", "min", "max"):
        formed.pop(name, None)
    return {"index": int(index), **formed}
