"""Features to int8 by a model's own scale and zero point, rounding half to even, saturating: exact, in integers.

Must not know what a model does with them. The constructor allocates; `take` does not, with native kernels.
"""

if False:  # for mypy alone
    from kittiwake_types import KernelSet, Samples

CHANNELS = 40
_ENTRIES = 671  # the front end's largest value is 670


def entry(feature: int, scale_bits: int, zero: int) -> int:
    """One feature as the model's input byte.

    A feature stands for feature · 5/128, the front end's integers being 25.6 times what models are trained with.

    Args:
        feature: 0 to 670.
        scale_bits: bits of the float32 scale, a normal number above 0.
        zero: zero point.

    Returns:
        0 to 255: the int8 in two's complement. Allocates on 32-bit boards.
    """
    top = 5 * feature
    bottom = 128 * (scale_bits & 0x7FFFFF | 0x800000)
    exponent = (scale_bits >> 23 & 255) - 150
    if exponent < 0:
        top <<= -exponent
    else:
        bottom <<= exponent
    # The zero point comes before the rounding: a tie goes to the even sum.
    top += zero * bottom
    value = top // bottom
    rest = 2 * (top - value * bottom)
    if rest > bottom or (rest == bottom and value & 1):
        value += 1
    return max(-128, min(127, value)) & 255


class Quantiser:
    """Gathers frames to the input of models that share scale, zero point and stride.

    Args:
        kernel: what `kernels.load` returned.
        scale_bits, zero: see `entry`.
        stride: frames of an input.

    Attributes:
        data: bytearray of stride · 40, the input.
        full: whether `data` holds a whole input; `clear` makes room for the next.
    """

    def __init__(self, kernel: "KernelSet", scale_bits: int, zero: int, stride: int) -> None:
        self.key = (scale_bits, zero, stride)
        self._quantise = kernel.entry("wake", "quantise")
        self._table = bytearray([entry(f, scale_bits, zero) for f in range(_ENTRIES)])
        self.data = bytearray(CHANNELS * stride)
        self._at = 0
        self.full = False

    def take(self, features: "Samples") -> bool:
        """Add a frame, array('H') of 40. Returns `full`; while it was, the frame is not taken."""
        if not self.full:
            self._quantise(features, self._table, self.data, self._at)
            self._at += CHANNELS
            self.full = self._at == len(self.data)
        return self.full

    def clear(self) -> None:
        """Begin the next input."""
        self._at = 0
        self.full = False
