"""Lowering, in its order: where tensors live, then operator by operator the steps that compute them, then the state.

This is the order to read it in; what is done to each operator is in moving.py (no arithmetic), compute.py (arithmetic
without weights) and convolve.py (layers with weights).
"""

from __future__ import annotations

from collections.abc import Callable

from kittiwake.model.lower import (
    compute,
    convolve,
    halfword_functions,
    homes,
    largest,
    margins,
    matrices,
    moving,
    outside,
    pairwise,
    rearranging,
    recurrent,
    sloped,
    streams,
    svdf,
    transposed,
)
from kittiwake.model.lower.context import Lowering, Packed
from kittiwake.model.lower.steps import Program
from kittiwake.model.read import ends
from kittiwake.model.read.graph import Graph, Operator
from kittiwake.model.read.refusal import ModelRefused

# Adds the steps of one operator; the text is what to call them.
Lower = Callable[[Lowering, Operator, str], None]

LOWERINGS: dict[str, Lower] = {
    # State, and what only moves or renames.
    "CALL_ONCE": moving.nothing,
    "VAR_HANDLE": moving.nothing,
    "READ_VARIABLE": moving.read_variable,
    "ASSIGN_VARIABLE": moving.assign_variable,
    "CONCATENATION": moving.concatenation,
    "RESHAPE": moving.reshape,
    "STRIDED_SLICE": moving.strided_slice,
    "SLICE": moving.part,
    "PACK": moving.pack,
    "UNPACK": moving.unpack,
    "SPLIT": moving.split,
    "SPLIT_V": moving.split,
    # Layers with weights.
    "CONV_2D": convolve.convolution,
    "DEPTHWISE_CONV_2D": convolve.depthwise,
    "FULLY_CONNECTED": convolve.fully_connected,
    "TRANSPOSE_CONV": transposed.transpose_convolution,
    "BATCH_MATMUL": matrices.batch_matmul,
    "SVDF": svdf.svdf,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm,
    # What only puts bytes elsewhere.
    "TILE": rearranging.tile,
    "TRANSPOSE": rearranging.transpose,
    "RESIZE_NEAREST_NEIGHBOR": rearranging.resize_nearest_neighbor,
    "SPACE_TO_BATCH_ND": rearranging.space_to_batch,
    "BATCH_TO_SPACE_ND": rearranging.batch_to_space,
    # Arithmetic without weights.
    "REDUCE_MAX": largest.reduce_max,
    "MAXIMUM": largest.maximum,
    "MINIMUM": largest.maximum,
    "SUB": pairwise.subtract,
    "LEAKY_RELU": compute.leaky_relu,
    "PRELU": sloped.prelu,
    "ELU": compute.elu,
    "POINTWISE": compute.pointwise,
    "AVERAGE_POOL_2D": compute.pool,
    "MAX_POOL_2D": compute.pool,
    "MEAN": compute.mean,
    "ADD": pairwise.add,
    "MUL": pairwise.multiply,
    "PAD": compute.pad,
    "PADV2": compute.pad,
    "RELU": compute.relu,
    "RELU6": compute.relu6,
    "LOGISTIC": compute.logistic,
    "TANH": compute.tanh,
    "QUANTIZE": compute.quantize,
    "DEQUANTIZE": compute.dequantize,
    "SOFTMAX": compute.softmax,
    "LOG_SOFTMAX": compute.log_softmax,
}

# Of operators whose int16 activations take another way than their bytes.
HALFWORD_LOWERINGS: dict[str, Lower] = {
    "RELU": halfword_functions.relu,
    "RELU6": halfword_functions.relu6,
    "LEAKY_RELU": halfword_functions.leaky_relu,
    "LOGISTIC": halfword_functions.logistic,
    "TANH": halfword_functions.tanh,
    "QUANTIZE": halfword_functions.quantize,
    "DEQUANTIZE": halfword_functions.dequantize,
    "SOFTMAX": halfword_functions.softmax,
}


def lower(graph: Graph, weight_layout: str, packed: Packed | None = None) -> Program:
    """Lower an admitted model.

    Args:
        graph: without objections from admit.reasons.
        weight_layout: one of weights.WEIGHT_LAYOUTS.
        packed: weights that an earlier lowering of the model has packed; more are added.

    Returns:
        The program, its buffers not placed.

    Raises:
        ModelRefused: with reasons that only show while lowering: accumulators out of reach, copies too entangled.
    """
    main = graph.main
    work = Lowering(graph, weight_layout, packed or Packed())
    streams.find_variables(work)
    streams.find_streams(work)
    homes.find(work)
    inputs = ends.lay_out([work.tensor(index) for index in main.inputs])
    outputs = ends.lay_out([work.tensor(index) for index in main.outputs])
    first = outside.place_inputs(work, inputs)
    last = outside.place_outputs(work, outputs)
    margins.find(work)
    for op in main.operators:
        ways = HALFWORD_LOWERINGS if _has_halfwords(work, op) else LOWERINGS
        ways.get(op.kind, LOWERINGS[op.kind])(work, op, op.label)
    last = outside.collect_outputs(work, outputs, last)
    for step in streams.shifts(work):
        work.steps.append(step)
    if work.problems:
        raise ModelRefused(work.problems)
    return Program(work.steps, first, last, work.states, inputs, outputs)


def _has_halfwords(work: Lowering, op: Operator) -> bool:
    return any(index >= 0 and work.tensor(index).type == "int16" for index in (*op.inputs[:1], *op.outputs))
