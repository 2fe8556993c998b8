"""Wake words in rational arithmetic: features to a model's input, outputs to decisions.

Source: pymicro_wakeword 2.5.0, MicroWakeWord.process_streaming_prob and process_streaming; saturating where it wraps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction


def quantised(feature: int, scale_bits: int, zero: int) -> int:
    """A feature (the front end's integer, 25.6 times what models are trained with) as int8, half to even."""
    scale = Fraction(struct.unpack("<f", struct.pack("<I", scale_bits))[0])
    return max(-128, min(127, round(Fraction(feature * 10, 256) / scale + zero)))


def decisions(outputs: Sequence[int], window: int, limit: Fraction, silent: int) -> Iterator[tuple[Fraction, bool]]:
    """Sliding mean and detection after each output.

    Args:
        outputs: 0 to 255, each a probability in 256ths.
        window: outputs in the mean.
        limit: the mean must be above it.
        silent: outputs after a detection that detect nothing.

    Yields:
        (mean, 0 before there are `window` outputs; whether the word is heard).
    """
    last = None
    for place in range(len(outputs)):
        part = outputs[max(0, place + 1 - window) : place + 1]
        mean = Fraction(sum(part), 256 * window) if len(part) == window else Fraction(0)
        heard = len(part) == window and mean > limit and (last is None or place - last > silent)
        if heard:
            last = place
        yield mean, heard
