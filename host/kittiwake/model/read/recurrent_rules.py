"""Rules of operators that keep their state in variable tensors of the old kind, from invoke to invoke.

Knows the operators' definitions as TFLite's schema gives them; no kernel and no plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from kittiwake.model.read import layer_rules
from kittiwake.model.read.graph import Operator, Subgraph, Tensor

# Places among an LSTM's inputs: weights of the input and of the hidden state, biases; of each the gates that let in,
# forget, make the new cell, and let out.
INPUT_WEIGHTS, HIDDEN_WEIGHTS, BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
CONSTANTS = (*INPUT_WEIGHTS, *HIDDEN_WEIGHTS, *BIASES)
HIDDEN, CELL = STATES = (18, 19)
# Places among an SVDF's inputs: weights of the input, weights over time, biases, and the features that it keeps.
SVDF_CONSTANTS = (1, 2, 3)
FEATURES = 4
_VARIANTS = {"peepholes": (9, 10, 11), "a projection": (16, 17), "layer normalisation": (20, 21, 22, 23)}


def lstm(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    """Rules of UNIDIRECTIONAL_SEQUENCE_LSTM; arguments as of rules.problems."""
    for name, places in _VARIANTS.items():
        if any(op.inputs[place] >= 0 for place in places):
            yield f"has {name}, which is not supported"
            return
    if op.options["squashing"] != "tanh":
        yield f"squashes its cell by {op.options['squashing']}, not by tanh"
    hidden, cell = main.tensors[op.inputs[HIDDEN]], main.tensors[op.inputs[CELL]]
    units = hidden.elements
    if len(source.shape) != 3 or source.shape[1 if op.options["time_major"] else 0] != 1:
        yield f"takes {list(source.shape)}: a batch of 1 is what runs here"
        return
    yield from layer_rules.same((*source.shape[:2], units), target)
    yield from _state(main, op, hidden, "int8")
    yield from _state(main, op, cell, "int16")
    if cell.elements != units:
        yield f"its cell has {cell.elements} elements, its hidden state {units}"
    exponent = math.frexp(cell.scale)[1] - 1 if cell.scale > 0 else 1
    if cell.scale != 2.0**exponent or not -15 <= exponent < 0 or cell.zero_point:
        yield f"its cell has the scale {cell.scale:g} and the zero point {cell.zero_point}, not 2^-15 to 2^-1 and 0"
    elif not 2.0**-30 < hidden.scale <= 1:
        yield f"its hidden state has the scale {hidden.scale:g}"
    for places, size in ((INPUT_WEIGHTS, source.shape[2]), (HIDDEN_WEIGHTS, units)):
        for place in places:
            yield from _weights(main.tensors[op.inputs[place]], (units, size))
    for place in BIASES:
        bias = main.tensors[op.inputs[place]]
        if bias.type != "int32" or bias.shape != (units,):
            yield f"its bias is {bias.type}{list(bias.shape)}, not int32[{units}]"


def svdf(main: Subgraph, op: Operator, source: Tensor, target: Tensor) -> Iterator[str]:
    """Rules of SVDF; arguments as of rules.problems."""
    of_input, over_time, bias = (main.tensors[op.inputs[place]] for place in SVDF_CONSTANTS)
    kept = main.tensors[op.inputs[FEATURES]]
    rank = op.options["rank"]
    if len(source.shape) != 2 or source.shape[0] != 1:
        yield f"takes {list(source.shape)}: a batch of 1 is what runs here"
        return
    if len(of_input.shape) != 2 or len(over_time.shape) != 2 or rank < 1 or of_input.shape[0] % rank:
        raise ValueError
    features, memory = of_input.shape[0], over_time.shape[1]
    units = features // rank
    yield from layer_rules.same((1, units), target)
    yield from _weights(of_input, (features, source.shape[1]))
    if kept.type not in ("int8", "int16"):
        yield f"keeps {kept.type}, not int8 or int16"
        return
    yield from _weights(over_time, (features, memory), kept.type)
    yield from _state(main, op, kept, kept.type)
    if kept.elements != features * memory or kept.zero_point or not kept.scale > 0:
        yield f"its state has {kept.elements} elements and the zero point {kept.zero_point}"
    if bias.type != "int32" or bias.shape != (units,):
        yield f"its bias is {bias.type}{list(bias.shape)}, not int32[{units}]"
    if kept.type == "int16" and kept.scale * over_time.scale >= target.scale / 2:
        yield "its output's scale is too small for its state's"


def _state(main: Subgraph, op: Operator, tensor: Tensor, kind: str) -> Iterator[str]:
    if tensor.type != kind or not tensor.variable or tensor.data is not None or 0 in tensor.shape:
        shape = f"{tensor.type}{list(tensor.shape)}"
        yield f"its state, tensor {tensor.index}, is {shape}, and no variable tensor of {kind}"
    if len(tensor.scales) != 1 or len(tensor.zero_points) > 1 or not -128 <= tensor.zero_point <= 127:
        yield f"its state, tensor {tensor.index}, has {len(tensor.scales)} scales or an odd zero point"
    users = [other for other in main.operators if tensor.index in (*other.inputs, *other.outputs)]
    if users != [op] or op.inputs.count(tensor.index) != 1 or tensor.index in (*main.inputs, *main.outputs):
        yield f"its state, tensor {tensor.index}, is used elsewhere, too"


def _weights(weights: Tensor, shape: tuple[int, int], kind: str = "int8") -> Iterator[str]:
    if weights.type != kind or weights.shape != shape:
        yield f"its weights are {weights.type}{list(weights.shape)}, not {kind}{list(shape)}"
    elif (
        len(weights.scales) != 1 or any(weights.zero_points) or not (math.isfinite(weights.scale) and weights.scale > 0)
    ):
        yield f"its weights have {len(weights.scales)} scales or a zero point"
    elif shape[1] > layer_rules.ROW_LIMIT:
        yield f"{shape[1]} inputs an output are more than the {layer_rules.ROW_LIMIT} that the kernels add up"
