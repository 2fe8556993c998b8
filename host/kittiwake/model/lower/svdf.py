"""SVDF: features of the input, kept over time, weighed and added up a unit at a time.

With a state of bytes both are layers that other operators have: a dense one, and a depthwise one over the kept
features, which lie so that those of one rank are side by side. With a state of halfwords it is `dense16` and a kernel
of its own.
"""

from __future__ import annotations

import struct

from kittiwake.model.lower import convolve, descriptors, fixed, recurrent, staging
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import STATE, Buffer, Data, Ref, Step, View, Word, ref
from kittiwake.model.read import recurrent_rules, shapes
from kittiwake.model.read.graph import Operator


def svdf(work: Lowering, op: Operator, name: str) -> None:
    """Lower an SVDF.

    Args:
        work: the Lowering; gets the steps and the state.
        op: the operator.
        name: what to call its steps.
    """
    kept = work.tensor(op.inputs[recurrent_rules.FEATURES])
    width = 2 if kept.type == "int16" else 1
    size = kept.elements * width
    state = Buffer(size, STATE)
    work.states.append(state)
    row = work.tensor(op.inputs[1]).shape[0] * width
    (_halfwords if width == 2 else _bytes)(work, op, state, name)
    if size > row:
        # Every row of features grows older; the newest is written over by the next invoke.
        words: list[Word] = [1, Ref(state), Ref(state, row), size - row]
        work.steps.append(Step("shift", words, [state], [state], name, outputs=size - row))


def _scales(work: Lowering, op: Operator) -> tuple[float, float]:
    """From products with the input to features, and from their weighed sum to the output."""
    source, of_input, over_time = (work.tensor(index) for index in op.inputs[:3])
    kept, result = work.tensor(op.inputs[recurrent_rules.FEATURES]), work.tensor(op.outputs[0])
    return (
        source.scale * of_input.scale / kept.scale,
        kept.scale * over_time.scale / result.scale,
    )


def _rows(work: Lowering, op: Operator) -> list[list[int]]:
    weights = work.tensor(op.inputs[1])
    features, size = weights.shape
    values = staging.signed(weights.content)
    return [values[i * size : (i + 1) * size] for i in range(features)]


def _halfwords(work: Lowering, op: Operator, state: Buffer, name: str) -> None:
    ends = work.ends(op)
    rank, rows = op.options["rank"], _rows(work, op)
    features, memory = work.tensor(op.inputs[2]).shape
    first, second = _scales(work, op)
    channels = recurrent.halves(rows, [0] * features, ends.source.zero_point, first)
    if not staging.fits(work, op, channels, weight_streams.ROWS):
        return
    vector = work.contiguous(ends.input, name)
    line = Buffer(weight_streams.filled(len(rows[0]), weight_streams.ROWS, False) + 4)
    newest = Ref(state, 2 * features * (memory - 1))
    taken = View(vector.buffer, vector.offset, (1, len(rows[0])), (len(rows[0]), 1))
    recurrent.dense16(work, channels, taken, newest, line, name)
    m, shift = fixed.quantize_multiplier(second)
    result = work.contiguous_home(ends.output)
    words = descriptors.words(
        "svdf16",
        state=Ref(state),
        output=ref(result),
        weights=Data(work.tensor(op.inputs[2]).content),
        biases=Data(struct.pack(f"<{features // rank}i", *shapes.ints(work.tensor(op.inputs[3])))),
        units=features // rank,
        rank=rank,
        memory=memory,
        m=m,
        right=-shift,
        zero=ends.result.zero_point + 128,
    )
    units = features // rank
    work.steps.append(Step("svdf16", words, [state], [result.buffer], name, macs=features * memory, outputs=units))
    work.copy(result, ends.output, name)


def _bytes(work: Lowering, op: Operator, state: Buffer, name: str) -> None:
    ends = work.ends(op)
    rank, rows = op.options["rank"], _rows(work, op)
    features, memory = work.tensor(op.inputs[2]).shape
    units = features // rank
    first, second = _scales(work, op)
    # Features of one rank side by side, a unit each.
    order = [unit * rank + part for part in range(rank) for unit in range(units)]
    of_input = [weight_streams.channel(rows[f], 0, ends.source.zero_point, first, 0) for f in order]
    over_time = staging.signed(work.tensor(op.inputs[2]).content)
    taps = [
        [over_time[(unit * rank + part) * memory + time] for time in range(memory) for part in range(rank)]
        for unit in range(units)
    ]
    biases = shapes.ints(work.tensor(op.inputs[3]))
    weighed = [
        weight_streams.channel(row, bias, 0, second, ends.result.zero_point)
        for row, bias in zip(taps, biases, strict=True)
    ]
    layout = work.weight_layout
    if not staging.fits(work, op, of_input, layout) or not staging.fits(work, op, weighed, layout, depthwise=True):
        return
    size = len(rows[0])
    vector = work.contiguous(ends.input, name)
    pixel = View(vector.buffer, vector.offset, (1, 1, 1, size), (size, size, size, 1))
    newest = View(state, features * (memory - 1), (1, 1, 1, features), (features,) * 3 + (1,))
    convolve.dense(work, of_input, pixel, newest, convolve.Filter(), 0, name)
    result = work.contiguous_home(ends.output)
    image = View(state, 0, (1, memory, rank, units), (state.size, features, units, 1))
    one = View(result.buffer, result.offset, (1, 1, 1, units), (units,) * 3 + (1,))
    convolve.planes(work, weighed, image, one, convolve.Filter((memory, rank)), ends.result.zero_point, name)
    work.copy(result, ends.output, name)
