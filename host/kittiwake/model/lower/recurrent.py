"""Layers that keep a memory of 16 bits: products of bytes that become halfwords, and what is done with these.

Knows the kernels of the stage `recurrent`, which read weights in `rows` in every set.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import starmap

from kittiwake.model.lower import descriptors, fixed, staging
from kittiwake.model.lower import weights as weight_streams
from kittiwake.model.lower.context import Lowering
from kittiwake.model.lower.steps import STATE, Buffer, Data, Ref, Step, View, ref
from kittiwake.model.read import recurrent_rules, shapes
from kittiwake.model.read.graph import Operator, Tensor

_GATE_SCALE = 2.0**-12  # what a step of a gate's sum is worth
_KNOTS = 256
# Bytes of the input's share of the gates that are computed ahead, for several steps of time in one call.
_AHEAD_BYTES = 2048


def lstm(work: Lowering, op: Operator, name: str) -> None:
    """Lower a UNIDIRECTIONAL_SEQUENCE_LSTM: two calls a step of time, and one for what its inputs add.

    Args:
        work: the Lowering; gets the steps and the state.
        op: the operator.
        name: what to call its steps.
    """
    ends = work.ends(op)
    hidden, cell = work.tensor(op.inputs[recurrent_rules.HIDDEN]), work.tensor(op.inputs[recurrent_rules.CELL])
    units, size = hidden.elements, ends.source.shape[2]
    times = ends.source.elements // size
    of_input = _gates(work, op, ends.source, recurrent_rules.INPUT_WEIGHTS, recurrent_rules.BIASES)
    of_hidden = _gates(work, op, hidden, recurrent_rules.HIDDEN_WEIGHTS, ())
    if of_input is None or of_hidden is None:
        return
    states = [Buffer(units, STATE, bytes([hidden.zero_point & 0xFF]) * units), Buffer(2 * units, STATE)]
    work.states += states
    rows = work.contiguous(ends.input, name)
    result = work.contiguous_home(ends.output)
    ahead = max(1, min(times, _AHEAD_BYTES // (8 * units)))
    # The same buffers for every step of time: a thousand of them would keep whoever places them busy.
    gates, recalled = Buffer(8 * units * ahead), Buffer(8 * units)
    line = Buffer(weight_streams.filled(max(size, units), weight_streams.ROWS, False) + 4)
    for start in range(0, times, ahead):
        count = min(ahead, times - start)
        taken = View(rows.buffer, rows.offset + start * size, (count, size), (size, 1))
        dense16(work, of_input, taken, Ref(gates), line, name)
        for time in range(count):
            dense16(work, of_hidden, View.whole(states[0], (1, units)), Ref(recalled), line, name)
            words = descriptors.words(
                "lstm",
                x_gates=Ref(gates, 8 * units * time),
                h_gates=Ref(recalled),
                cell=Ref(states[1]),
                hidden=Ref(states[0]),
                output=Ref(result.buffer, result.offset + (start + time) * units),
                units=units,
                **_arithmetic(op, hidden, cell),
            )
            reads = [gates, recalled, *states]
            step = Step("lstm", words, reads, [gates, result.buffer, *states], name, outputs=units)
            work.steps.append(step)
    work.copy(result, ends.output, name)


def dense16(
    work: Lowering, channels: Sequence[weight_streams.Channel], vectors: View, output: Ref, line: Buffer, name: str
) -> None:
    """Add the step of a dense layer whose outputs are int16.

    Args:
        work: the Lowering.
        channels: as of `halves`.
        vectors: of shape (count, inputs), side by side.
        output: where 2 * count * outputs bytes go.
        line: room for one vector, filled up, and four bytes more.
        name: what to call the step.
    """
    count, inputs = vectors.shape
    filled = weight_streams.filled(inputs, weight_streams.ROWS, False)
    words = descriptors.words(
        "dense16",
        input=ref(vectors),
        output=output,
        stream=Data(weight_streams.stream(channels, weight_streams.ROWS)),
        outputs=len(channels),
        inputs=inputs,
        filled=filled,
        cols=count,
        in_col=vectors.strides[0],
        out_col=2 * len(channels),
        line=Ref(line),
        wide=int(weight_streams.is_wide(channels)),
    )
    outputs = count * len(channels)
    work.steps.append(
        Step("dense16", words, [vectors.buffer], [output.buffer], name, [line], macs=outputs * inputs, outputs=outputs)
    )


def halves(
    rows: Sequence[Sequence[int]], biases: Sequence[int], zero_point: int, scale: float
) -> list[weight_streams.Channel]:
    """Make channels whose outputs are int16 about 0.

    Args:
        rows: weights of each.
        biases: one each.
        zero_point: of the input.
        scale: from accumulator to output.

    Returns:
        The channels.
    """
    m, shift = fixed.quantize_multiplier(scale)
    far = max(127 - zero_point, zero_point + 128)

    def one(weights: Sequence[int], bias: int) -> weight_streams.Channel:
        reach = abs(bias) + sum(abs(w) for w in weights) * far << max(shift, 0)
        return weight_streams.Channel(weights, bias - zero_point * sum(weights), m, shift, reach)

    return list(starmap(one, zip(rows, biases, strict=True)))


def curve() -> bytes:
    """The logistic function from 0 up in steps of 1/24, in 65536ths; between its knots kernels draw straight lines.

    A line between two points of a curve that bends down runs below it, at most by an eighth of the step's square times
    the second derivative. Half of that is added, so that the error is as large above as below.
    """
    step = 1 / 24
    knots = []
    for number in range(_KNOTS - 1):
        y = 1 / (1 + math.exp(-number * step))
        bend = y * (1 - y) * (2 * y - 1)
        knots.append(math.floor(65536 * (y + bend * step * step / 16) + 0.5))
    return struct.pack(f"<{_KNOTS}H", *knots, 65535)  # the last is what the function does not reach


def _gates(
    work: Lowering, op: Operator, source: Tensor, places: Sequence[int], biases: Sequence[int]
) -> list[weight_streams.Channel] | None:
    channels: list[weight_streams.Channel] = []
    for number, place in enumerate(places):
        weights = work.tensor(op.inputs[place])
        units, size = weights.shape
        values = staging.signed(weights.content)
        added = shapes.ints(work.tensor(op.inputs[biases[number]])) if biases else [0] * units
        scale = source.scale * weights.scale / _GATE_SCALE
        rows = [values[i * size : (i + 1) * size] for i in range(units)]
        channels += halves(rows, added, source.zero_point, scale)
    return channels if staging.fits(work, op, channels, weight_streams.ROWS) else None


def _arithmetic(op: Operator, hidden: Tensor, cell: Tensor) -> dict[str, int | Data]:
    places = 1 - math.frexp(cell.scale)[1]  # a step of the cell is worth 2^-places
    m, shift = fixed.quantize_multiplier(2.0**-30 / hidden.scale)
    clip = op.options["cell_clip"]
    return {
        "curve": Data(curve()),
        # The cell in units of 2^-12, thrice: what the curve's knots are counted in.
        "times": 3 << max(0, 12 - places),
        "rounded": max(0, places - 12),
        "clip": int(min(clip / cell.scale, 32767.0)) + 1 if clip > 0 else 0,
        "input_right": 29 - places,
        "m": m,
        "right": -shift,
        "zero": hidden.zero_point + 128,
    }
