"""Products of two matrices of bytes by definition, both of them computed.

Must not know who calls it. Runs anywhere; descriptor: see docs/spec/model-plan.md.
"""

from .plain_requant import find, saturate, scale, signed, words

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_A = 0
_B = 1
_OUTPUT = 2
_ROWS = 3
_COLS = 4
_INNER = 5
_A_ROW = 6
_A_STEP = 7
_B_COL = 8
_B_STEP = 9
_A_ZERO = 10
_B_ZERO = 11
_M = 12
_RIGHT = 13
_LEFT = 14
_ZERO = 15


def matmul(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Multiply two matrices, each with a zero point.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 16)
    a, first = find(d[_A], plan, scratch, state)
    b, second = find(d[_B], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for y in range(d[_ROWS]):
        for x in range(d[_COLS]):
            total = 0
            for k in range(d[_INNER]):
                left = signed(a[first + y * d[_A_ROW] + k * d[_A_STEP]]) + 128 - d[_A_ZERO]
                total += left * (signed(b[second + x * d[_B_COL] + k * d[_B_STEP]]) + 128 - d[_B_ZERO])
            target[out] = saturate(scale(total, d[_M], d[_RIGHT], d[_LEFT]) + d[_ZERO] - 128)
            out += 1
