"""Curves over int16 activations by definition: LOGISTIC, TANH and SOFTMAX, straight lines between a table's knots.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md.
"""

from .plain_requant import find, half, logistic, put_half, scale, tanh, words

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_OUTPUT = 1
_COUNT = 2
_SOFTMAX16_ROWS = 2
_CURVE = 3
_CLASSES = 3
_CURVE16_M = 4
_EXPONENTIALS = 4
_CURVE16_RIGHT = 5
_RECIPROCALS = 5
_IS_TANH = 6
_SOFTMAX16_M = 6
_SOFTMAX16_RIGHT = 7
_SOFTMAX16_LEFT = 8


def curve16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Take each element through the logistic function, or tanh.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 7)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    function = tanh if d[_IS_TANH] else logistic
    right = d[_CURVE16_RIGHT]
    for i in range(d[_COUNT]):
        x = (half(source, first + 2 * i) * d[_CURVE16_M] + (1 << right >> 1)) >> right
        put_half(target, out + 2 * i, function(plan, d[_CURVE], x))


def softmax16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Normalise each row.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 9)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_OUTPUT], plan, scratch, state)
    for _ in range(d[_SOFTMAX16_ROWS]):
        row = [half(source, first + 2 * i) for i in range(d[_CLASSES])]
        terms = []
        for x in row:
            x = scale(x - max(row), d[_SOFTMAX16_M], d[_SOFTMAX16_RIGHT], d[_SOFTMAX16_LEFT])
            terms.append(_looked_up(plan, d[_EXPONENTIALS], x + 32767))
        total, headroom = sum(terms), 0
        while not (total << headroom) & 1 << 30:
            headroom += 1
        # The sum as (1 + x)·2^(15 - headroom), x in 65536ths.
        x = ((total << headroom) + (1 << 13)) >> 14
        inverse = _looked_up(plan, d[_RECIPROCALS], x - (1 << 16) - (1 << 15))
        shift = 30 - headroom
        for i in range(d[_CLASSES]):
            put_half(target, out + 2 * i, (terms[i] * inverse + (1 << shift >> 1)) >> shift, 0)
        first += 2 * d[_CLASSES]
        out += 2 * d[_CLASSES]


def _looked_up(plan: "Memory", table: int, x: int) -> int:
    x = max(0, min(65535, x + 32768))
    a, b = [half(plan, table + 2 * k) for k in (x >> 7, (x >> 7) + 1)]
    return a + ((x & 127) * (b - a) + 64 >> 7)
