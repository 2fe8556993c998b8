"""Layers with a memory of 16 bits by definition: products of bytes that become halfwords, and the cell of an LSTM.

Must not know who calls it. Runs anywhere; descriptors: see docs/spec/model-plan.md. Weights are in the layout `rows`
for every set of kernels.
"""

from .plain_conv import channel
from .plain_requant import find, saturate, scale, signed, signed_word, words

if False:  # for mypy alone
    from kittiwake_types import Memory

_MOST = 32767
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
            _put(target, out + x * d[_OUT_COL] + 2 * c, scale(total, m, right, left))


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
        let_in, forget, output = [_logistic(plan, curve, sums[g]) for g in (0, 1, 3)]
        fresh = let_in * _tanh(plan, curve, 3 * sums[2])
        kept = scale(forget * _half(cells, cell_at, i), 1 << 30, 14, 0)
        cell = _held(kept + _held(scale(fresh, 1 << 30, d[_INPUT_RIGHT], 0)))
        if d[_CLIP]:
            cell = max(1 - d[_CLIP], min(d[_CLIP] - 1, cell))
        _put(cells, cell_at + 2 * i, cell)
        rounded = (cell * d[_TIMES] + (1 << d[_ROUNDED] >> 1)) >> d[_ROUNDED]
        shown = scale(_tanh(plan, curve, rounded) * output, d[_LSTM_M], d[_LSTM_RIGHT], 0)
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
    value: int = buffer[at + 2 * index] | buffer[at + 2 * index + 1] << 8
    return value - 65536 if value > _MOST else value


def _held(x: int) -> int:
    return max(-1 - _MOST, min(_MOST, x))


def _put(buffer: "Memory", at: int, x: int) -> None:
    x = _held(x)
    buffer[at] = x & 0xFF
    buffer[at + 1] = x >> 8 & 0xFF


def _logistic(plan: "Memory", curve: int, x: int) -> int:
    # In units of 1/12288; a knot of the curve is 512 of them from the next, and worth 2^-16.
    x *= 3
    value = _between(plan, curve, abs(x), 9)
    return (value + 512 if x >= 0 else (1 << 25) - value + 511) >> 10


def _tanh(plan: "Memory", curve: int, x: int) -> int:
    # tanh(x) = 2·logistic(2x) - 1: the same curve at twice the pace.
    value = _between(plan, curve, abs(x), 8)
    return (value - (1 << 23) + 128 if x >= 0 else (1 << 23) - value + 127) >> 8


def _between(plan: "Memory", curve: int, x: int, bits: int) -> int:
    knot = x >> bits
    if knot >= 255:
        return 0x7FFF << 10 if bits == 9 else 0xFFFF << 8
    a, b = [plan[curve + 2 * k] | plan[curve + 2 * k + 1] << 8 for k in (knot, knot + 1)]
    return (a << bits) + (x & (1 << bits) - 1) * (b - a)
