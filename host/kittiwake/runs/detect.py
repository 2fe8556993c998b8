"""Detection over a whole column: the firmware's own detector, run on a target, block by block.

The host only feeds samples and forms figures from the sums that come back; it decides nothing.
"""

from __future__ import annotations

import binascii
from array import array
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from kittiwake import board_code
from kittiwake.errors import TargetError
from kittiwake.publish import alerts as alerts_of
from kittiwake.target import refusal
from kittiwake.target.base import Target
from kittiwake_node.errors import FrameError
from kittiwake_node.link import anomaly

BLOCK_SAMPLES = 4096


def default_threshold(n: int) -> Fraction:
    """The threshold where none is given: 5/2 for windows up to 20, the guide's; 11/2 above, for few false alarms.

    Args:
        n: window, samples.
    """
    return Fraction(5, 2) if n <= 20 else Fraction(11, 2)


def alerts(
    target: Target,
    samples: array[int],
    settings: dict[str, Any],
    kernel: str = "viper",
    block_samples: int = BLOCK_SAMPLES,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Iterator[dict[str, Any]]:
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
        RefusedError: by the firmware, of these settings; its reason is the message.
        TargetError: the board failed.
    """
    target.exec(board_code.source("runs/detector"))
    refusal.raise_if_refused(target.exec(board_code.call("make_detector", kernel, settings, samples.typecode)))
    for start in range(0, len(samples), block_samples):
        text = binascii.b2a_base64(samples[start : start + block_samples].tobytes(), newline=False).decode()
        for line in target.exec(board_code.call("feed_detector", text), timeout_s=60).splitlines():
            yield _alert(line)
        on_progress(min(start + block_samples, len(samples)))


def zscore_alerts(target: Target, samples: array[int], n: int, t: Fraction, **options: Any) -> Iterator[dict[str, Any]]:
    """Run the z-score.

    Args:
        target: started.
        samples: as `alerts` takes them.
        n: window, samples.
        t: threshold.
        options: more of what `alerts` takes.

    Returns:
        As `alerts`.
    """
    return alerts(target, samples, {"kind": "zscore", "n": n, "t": f"{t.numerator}/{t.denominator}"}, **options)


def _alert(line: str) -> dict[str, Any]:
    index, _, text = line.partition(" ")
    try:
        figures = anomaly.unpack_anomaly(bytes.fromhex(text))
    except (ValueError, FrameError):
        raise TargetError(f"the board said {line!r} where an alert was due") from None
    formed = alerts_of.form(figures)
    for name in ("value", "min", "max"):
        formed.pop(name, None)
    return {"index": int(index), **formed}
