"""Floats to halfwords and back by definition, by the bits of floats; no arithmetic on floats.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md. A float is its mantissa, 24 bits of
which the first is set, times 2^(exponent - 150).
"""

from .plain_requant import find, half, put_half, word, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_FIRST = 1 << 23  # the bit of a mantissa that a float does not hold
_SIGN = 1 << 31
_MOST = 1 << 16  # beyond what a halfword holds
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_COUNT = 2
_MANTISSA = 3
_EXPONENT = 4


def quantise16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Divide floats by the scale in single precision, round half away from zero, and saturate.

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
        exponent = bits >> 23 & 0xFF
        steps = 0
        if exponent:  # else it is too small for any step
            steps = _divided((bits & _FIRST - 1) | _FIRST, d[_MANTISSA], exponent - d[_EXPONENT])
        put_half(target, out + 2 * i, -steps if bits & _SIGN else steps)


def _divided(a: int, b: int, exponent: int) -> int:
    if a < b:
        a, exponent = a << 1, exponent - 1
    # The quotient of 24 bits, of which the first is set, rounded half to even: as single precision has it.
    quotient, rest = divmod(a << 23, b)
    if 2 * rest > b or (2 * rest == b and quotient & 1):
        quotient += 1
    shift = 23 - exponent
    if shift < 8:
        return _MOST
    return (quotient + (1 << (shift - 1))) >> shift


def widen16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Multiply halfwords by the scale, rounded half to even, as floats.

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
        x = half(source, first + 2 * i)
        product, exponent = abs(x) * d[_MANTISSA], d[_EXPONENT]
        while product >= 2 * _FIRST:
            shift = 1
            while product >> shift >= 2 * _FIRST:
                shift += 1
            rest, product = product & (1 << shift) - 1, product >> shift
            if 2 * rest > 1 << shift or (2 * rest == 1 << shift and product & 1):
                product += 1
            exponent += shift
        bits = 0
        if x:
            bits = (_SIGN if x < 0 else 0) | exponent << 23 | (product & _FIRST - 1)
        for k in range(4):
            target[out + 4 * i + k] = bits >> 8 * k & 0xFF
