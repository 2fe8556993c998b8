"""Pooling layers of int16 activations by definition: average, largest, and the mean over whole axes.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_pool import rounded_average, totals, windows
from .plain_requant import find, put_half, scale, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_OFFSET = 1 << 15  # of a range's words
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_M = 14
_RIGHT = 15
_LEFT = 16
_AVERAGES = 17
_LOW = 18
_HIGH = 19


def pool16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Average over a window, or take its largest.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 20)
    for target, out, values in windows(d, plan, scratch, state, 2):
        x = rounded_average(values) if d[_AVERAGES] else max(values)
        put_half(target, out, x, d[_LOW] - _OFFSET, d[_HIGH] - _OFFSET)


def mean16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Add up over some axes and scale.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 17)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for total in totals(d, source, first, 2):
        put_half(target, out, scale(total, d[_M], d[_RIGHT], d[_LEFT]))
        out += 2
