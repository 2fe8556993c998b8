"""SOFTMAX of int8 by definition: exponentials from a table, the reciprocal of their sum by Newton and Raphson.

Must not know who calls it. Runs anywhere; descriptor: see docs/spec/model-plan.md. Source: gemmlowp's documented
fixed-point functions.
"""

from .plain_requant import find, high_mul, saturate, signed, signed_word, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_ONE = (1 << 31) - 1
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_ROWS = 2
_CLASSES = 3
_EXPONENTIALS = 4


def reciprocal(total: int) -> tuple[int, int]:
    """1 / total for a sum in Q12.19.

    Args:
        total: 1 to 2^31 - 1.

    Returns:
        (scale, bits): scale in Q0.31, and how many bits above 1 the sum had. Allocates.
    """
    headroom = 0
    while not (total << headroom) & 0x80000000:
        headroom += 1
    return inverse((total << headroom) >> 1), 12 - headroom


def inverse(half: int) -> int:
    """1 / (1 + x) for x from 0 to 1.

    Args:
        half: (1 + x) / 2 in Q0.31.

    Returns:
        It in Q0.31. Allocates.
    """
    x = 1515870810 + high_mul(half, -1010580540)
    for _ in range(3):
        step = high_mul(x, (1 << 29) - high_mul(half, x)) << 2
        x += max(-(1 << 31), min(_ONE, step))
    return min(_ONE, x << 1)


def softmax(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Normalise each row.

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
    for _ in range(d[_ROWS]):
        row = [signed(source[first + i]) for i in range(d[_CLASSES])]
        terms = [signed_word(plan, d[_EXPONENTIALS] + 4 * (max(row) - x)) for x in row]
        total = 0
        for term in terms:
            total += (term + (1 << 11)) >> 12
        scale, bits = reciprocal(total)
        shift = bits + 23
        for i in range(d[_CLASSES]):
            x = high_mul(scale, terms[i])
            target[out + i] = saturate(((x + ((1 << shift) >> 1)) >> shift) - 128)
        first += d[_CLASSES]
        out += d[_CLASSES]
