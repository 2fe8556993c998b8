"""LOG_SOFTMAX of int8 by definition: what an input lies below the largest, and the logarithm of SOFTMAX's sum.

Must not know who calls it. Runs anywhere; descriptor: see docs/spec/model-plan.md. Source: the fixed-point logarithm of
TFLite Micro's kernels, which approximates it by a quotient of polynomials between 2^-1/2 and 1.
"""

from .plain_requant import find, high_mul, signed, word, words
from .plain_softmax import inverse

if False:  # for mypy alone
    from kittiwake_types import Memory

_MOST = (1 << 31) - 1
# In Q0.31: the logarithm of 2, roots of one half, and the coefficients of both polynomials.
_LOG_2 = 1488522236
_ROOT = 1518500250
_ROOT_OF_ROOT = 1805811301
_CUBE = 117049297
_SQUARE = 127690142
_CONSTANT = 1057819769
_LINEAR = 638450708
# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_ROWS = 2
_CLASSES = 3
_EXPONENTIALS = 4
_DIFFERENCES = 5


def logarithm(total: int) -> int:
    """The natural logarithm of a sum.

    Args:
        total: in Q12.19, 2^19 to 2^31 - 1.

    Returns:
        It in Q5.26. Allocates.
    """
    bits = 11
    mantissa = total
    while mantissa <= _MOST >> 1:
        mantissa <<= 1
        bits -= 1
    # The sum is 2^(bits + 1) times the mantissa, in Q0.31 between 1/2 and 1; as 2^power times x, x is above the root of
    # one half, but for the quarter of a power that the polynomials have within them.
    if high_mul(total, _ROOT) << (11 - bits) > _MOST >> 1:
        power, x = (bits + 1 << 25) - (1 << 23), mantissa
    else:
        power, x = (bits << 25) + (1 << 23), min(_MOST, high_mul(mantissa, _ROOT) << 1)
    middle = (x + _ROOT_OF_ROOT + 1) >> 1
    q = (x - _ROOT_OF_ROOT) << 1
    square = high_mul(q, q)
    above = high_mul(q, x) + high_mul(high_mul(q, square), _CUBE)
    below = high_mul(middle, _CONSTANT + q + high_mul(_SQUARE, square)) + high_mul(_LINEAR, q)
    above = (above + 32 - (1 if above < 0 else 0)) >> 6
    return (high_mul(power, _LOG_2) + high_mul(above, inverse((below >> 1) + (1 << 30)))) << 1


def log_softmax(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Take the logarithms of each row's shares.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 6)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for _ in range(d[_ROWS]):
        row = [signed(source[first + i]) for i in range(d[_CLASSES])]
        below = [4 * (max(row) - x) for x in row]
        total = sum((word(plan, d[_EXPONENTIALS] + x) + (1 << 11)) >> 12 for x in below)
        log = logarithm(total)
        for i in range(d[_CLASSES]):
            steps = (word(plan, d[_DIFFERENCES] + below[i]) + log + (1 << 21)) >> 22
            target[out + i] = max(-128, 127 - steps) & 0xFF
        first += d[_CLASSES]
        out += d[_CLASSES]
