"""Layers with a memory of 16 bits by definition: products of bytes that become halfwords, and the cell of an LSTM.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md. Weights are in the layout `rows`
for every set of kernels.
"""

from .plain_conv import channel
from .plain_requant import (
    MOST_OF_HALVES,
    find,
    half,
    logistic,
    put_half,
    saturate,
    scale,
    signed,
    signed_word,
    tanh,
    words,
)

if False:  # for mypy alone
    from kittiwake_types import Memory

# Words of the descriptor, as model/lower/descriptors.py of the host names them.
_INPUT = 0
_DENSE16_OUTPUT = 1
_STREAM = 2
_OUTPUTS = 3
_INPUTS = 4
_FILLED = 5
_COLS = 6
_IN_COL = 7
_OUT_COL = 8
_SVDF_STATE = 0
_SVDF_OUTPUT = 1
_WEIGHTS = 2
_BIASES = 3
_SVDF_UNITS = 4
_RANK = 5
_MEMORY = 6
_SVDF_M = 7
_SVDF_RIGHT = 8
_SVDF_ZERO = 9
_X_GATES = 0
_H_GATES = 1
_CELL = 2
_HIDDEN = 3
_LSTM_OUTPUT = 4
_LSTM_UNITS = 5
_CURVE = 6
_TIMES = 7
_ROUNDED = 8
_CLIP = 9
_INPUT_RIGHT = 10
_LSTM_M = 11
_LSTM_RIGHT = 12
_LSTM_ZERO = 13


def dense16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Run a dense layer of bytes whose outputs are int16, over vectors side by side.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 11)
    source, first = find(d[_INPUT], plan, scratch, state)
    target, out = find(d[_DENSE16_OUTPUT], plan, scratch, state)
    for x in range(d[_COLS]):
        line = [signed(source[first + x * d[_IN_COL] + k]) for k in range(d[_INPUTS])]
        for c in range(d[_OUTPUTS]):
            weights, total, m, right, left = channel(plan, d[_STREAM], d[_FILLED], 0, c, False)
            for k in range(d[_INPUTS]):
                total += weights[k] * line[k]
            put_half(target, out + x * d[_OUT_COL] + 2 * c, scale(total, m, right, left))


def lstm(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Move an LSTM's cell and hidden state on by one step of time.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 14)
    x, x_at = find(d[_X_GATES], plan, scratch, state)
    h, h_at = find(d[_H_GATES], plan, scratch, state)
    cells, cell_at = find(d[_CELL], plan, scratch, state)
    hidden, hidden_at = find(d[_HIDDEN], plan, scratch, state)
    target, out = find(d[_LSTM_OUTPUT], plan, scratch, state)
    units, curve = d[_LSTM_UNITS], d[_CURVE]
    for i in range(units):
        sums = [_held(_half(x, x_at, g * units + i) + _half(h, h_at, g * units + i)) for g in range(4)]
        let_in, forget, output = [logistic(plan, curve, 3 * sums[g]) for g in (0, 1, 3)]
        fresh = let_in * tanh(plan, curve, 3 * sums[2])
        kept = scale(forget * _half(cells, cell_at, i), 1 << 30, 14, 0)
        cell = _held(kept + _held(scale(fresh, 1 << 30, d[_INPUT_RIGHT], 0)))
        if d[_CLIP]:
            cell = max(1 - d[_CLIP], min(d[_CLIP] - 1, cell))
        put_half(cells, cell_at + 2 * i, cell)
        rounded = (cell * d[_TIMES] + (1 << d[_ROUNDED] >> 1)) >> d[_ROUNDED]
        shown = scale(tanh(plan, curve, rounded) * output, d[_LSTM_M], d[_LSTM_RIGHT], 0)
        hidden[hidden_at + i] = target[out + i] = saturate(shown + d[_LSTM_ZERO] - 128)


def svdf16(at: int, plan: "Memory", scratch: "Memory", state: "Memory") -> None:
    """Weigh the features that an SVDF keeps over time, and add up those of each unit.

    Args:
        at: offset of the descriptor in the plan.
        plan: the model's plan; read only.
        scratch: RAM of the invoke; written.
        state: RAM of the model; written.

    Allocates.
    """
    d = words(plan, at, 10)
    features, first = find(d[_SVDF_STATE], plan, scratch, state)
    target, out = find(d[_SVDF_OUTPUT], plan, scratch, state)
    rank, memory = d[_RANK], d[_MEMORY]
    row = d[_SVDF_UNITS] * rank
    for unit in range(d[_SVDF_UNITS]):
        total = signed_word(plan, d[_BIASES] + 4 * unit)
        for f in range(unit * rank, unit * rank + rank):
            for time in range(memory):
                weight = _half(plan, d[_WEIGHTS], f * memory + time)
                total += weight * _half(features, first, time * row + f)
        target[out + unit] = saturate(scale(total, d[_SVDF_M], d[_SVDF_RIGHT], 0) + d[_SVDF_ZERO] - 128)


def _half(buffer: "Memory", at: int, index: int) -> int:
    return half(buffer, at + 2 * index)


def _held(x: int) -> int:
    return max(-1 - MOST_OF_HALVES, min(MOST_OF_HALVES, x))
