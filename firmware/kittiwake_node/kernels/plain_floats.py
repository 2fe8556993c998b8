"""Floats to bytes by definition: how many thresholds the magnitude has reached; no arithmetic on floats.

Must not know who calls it. Runs anywhere; descriptor: see docs/spec/model-plan.md.
"""

from .plain_requant import find, word, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_SIGN = 0x80000000
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_THRESHOLDS = 2
_COUNT = 3
_ZERO = 4


def quantise(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Turn floats of single precision into int8, rounded half away from zero and saturated.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 5)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for i in range(d[_COUNT]):
        bits = word(source, first + 4 * i)
        # Floats of one sign are ordered as the integers that their bits are.
        steps = 0
        while steps < 255 and (bits & ~_SIGN) >= word(plan, d[_THRESHOLDS] + 4 * (steps + 1)):
            steps += 1
        value = d[_ZERO] - steps if bits & _SIGN else d[_ZERO] + steps
        target[out + i] = max(0, min(255, value)) ^ 128
