"""What kernels of int16 activations look up: TFLite Micro's tables of exp and 1/(1 + x), and the pace of its curves.

Knows arithmetic in single precision; no graph. Tables have 513 entries, knots 128 steps apart, each moved by half of
what a straight line to the next is off midway.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import cache

from kittiwake.model.lower.fixed import float32, round_half_away
from kittiwake.model.lower.halfwords import HIGH, LOW
from kittiwake.model.read.halfword_rules import EXPONENT_STEP

_STEPS = 512
_CURVE_UNITS = 4096.0 * 3.0  # the curve's knots are counted in
_LEAST_PACE = 32767.0 / 2.0
_MOST_RIGHT = 31
_CURVE_BITS = 12  # of a power of two as scale, at which a step is three units


@cache
def exponentials() -> bytes:
    """exp(x) for x from -10 to 0, in 32768ths."""
    return _table(float32(EXPONENT_STEP), HIGH, math.exp)


@cache
def reciprocals() -> bytes:
    """1 / (1 + x) for x from 0 to 1, in 32768ths."""
    return _table(float32(1.0 / 65535), LOW, lambda x: float32(1.0 / float32(1.0 + x)))


def pace(scale: float, is_tanh: bool) -> tuple[int, int]:
    """How many units of the curve a step of an input is.

    Args:
        scale: of the input.
        is_tanh: for TANH, not LOGISTIC.

    Returns:
        (multiplier, bits to the right). Above 32767, TFLite Micro leaves 32 bits.
    """
    exponent = round(math.log2(scale))
    is_power = abs(math.log2(scale) - exponent) < 1e-3
    if is_power and 0 <= _CURVE_BITS + exponent <= int(is_tanh):
        return 3 << (_CURVE_BITS + exponent), 0
    multiplier, right = scale * _CURVE_UNITS, 0
    while multiplier <= _LEAST_PACE and right < _MOST_RIGHT:
        multiplier, right = multiplier * 2, right + 1
    return int(multiplier), right


def _table(step: float, zero: int, function: Callable[[float], float]) -> bytes:
    """Tabulate a function of a halfword, its output in 32768ths."""
    first, last = float32(step * (LOW - zero)), float32(step * (HIGH - zero))
    out_step = float32(2.0 / 65535)
    stride = float32(float32(last - first) / _STEPS)
    half = float32(stride / 2)
    inverse = float32(65536.0 / float32(float32(out_step * HIGH) - float32(out_step * LOW)))

    def value(x: float) -> float:
        return float32(float32(function(x)) * inverse)

    entries = []
    for i in range(_STEPS):
        at = float32(first + float32(i * stride))
        sample = round_half_away(value(at))
        following = value(float32(first + float32((i + 1) * stride)))
        midway = round_half_away(float32(float32(following + sample) / 2))
        off = midway - round_half_away(value(float32(at + half)))
        entries.append(max(LOW, min(HIGH, sample - round_half_away(off / 2))))
    entries.append(max(LOW, min(HIGH, round_half_away(value(last)))))
    return struct.pack(f"<{_STEPS + 1}h", *entries) + bytes(2)
