"""Strided copies by definition.

Must not know what the bytes mean. Runs anywhere; descriptor: see docs/spec/model-plan.md.
"""

from .plain_requant import find, words

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_SIZES = 2
_IN_STRIDES = 6
_OUT_STRIDES = 10


def copy(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Copy an array of four dimensions, each with its own stride on both sides.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 14)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for a in range(d[_SIZES]):
        for b in range(d[_SIZES + 1]):
            for c in range(d[_SIZES + 2]):
                start = first + a * d[_IN_STRIDES] + b * d[_IN_STRIDES + 1] + c * d[_IN_STRIDES + 2]
                to = out + a * d[_OUT_STRIDES] + b * d[_OUT_STRIDES + 1] + c * d[_OUT_STRIDES + 2]
                for i in range(d[_SIZES + 3]):
                    target[to + i * d[_OUT_STRIDES + 3]] = source[start + i * d[_IN_STRIDES + 3]]
