"""Rules of operators whose activations are int16 (16x8), beside those that hold for bytes, too.

Knows the operators' definitions and what TFLite Micro asks of their scales; no kernel and no plan.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Operator, Subgraph, Tensor

# Kinds that have a kernel for int16, or only move what they are given.
KINDS = frozenset(
    (
        *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "ADD", "SUB", "MUL", "AVERAGE_POOL_2D"),
        *(
            "MAX_POOL_2D",
            "MEAN",
            "RELU",
            "RELU6",
            "LEAKY_RELU",
            "LOGISTIC",
            "TANH",
            "SOFTMAX",
            "QUANTIZE",
            "DEQUANTIZE",
        ),
        *("RESHAPE", "PAD", "CONCATENATION", "TRANSPOSE", "STRIDED_SLICE", "SLICE", "SPLIT", "SPLIT_V", "PACK"),
        *("UNPACK", "RESIZE_NEAREST_NEIGHBOR"),
    )
)
# What TFLite fixes an output's scale and zero point to.
QUANTISATIONS = {"LOGISTIC": (1 / 32768, 0), "TANH": (1 / 32768, 0), "SOFTMAX": (1 / 32768, 0)}
_BETWEEN = ("QUANTIZE", "DEQUANTIZE")
_SCALING = ("RELU", "LEAKY_RELU", "QUANTIZE")
_MOST_FACTOR = 1 << 13  # of a change of scale: 17 bits times it stay within 2^30
_MOST_TAPS = 255  # of a row of a depthwise filter, whose sum stays within 32 bits
_MOST_CLASSES = 32767
EXPONENT_STEP = 10 / 65535  # what a step of a row's distance from its largest is worth, in a SOFTMAX
# Outside of these, TFLite Micro's multiplier of a curve is 0, which means another thing, or leaves 16 bits.
_LEAST_SCALE_OF_CURVES, _MOST_SCALE_OF_CURVES = 2**-44, 2.6
_WIDEST_POOL = 32767


def problems(main: Subgraph, op: Operator, tensors: Sequence[Tensor]) -> Iterator[str]:
    """Say what is wrong with an operator some of whose activations are int16.

    Args:
        main: its subgraph.
        op: the operator, of KINDS.
        tensors: its activations, each with one scale.
    """
    source, target = shapes.data_input(main, op), main.tensors[op.outputs[0]]
    kinds = sorted({tensor.type for tensor in tensors})
    if op.kind not in _BETWEEN and len(kinds) > 1:
        yield f"mixes {' and '.join(kinds)}"
        return
    if "uint8" in kinds:
        yield f"turns {source.type} into {target.type}"
    if op.kind in _SCALING and source.type != "float32":
        slope = max(1.0, op.options["alpha"]) if op.kind == "LEAKY_RELU" else 1.0
        if source.scale * slope / target.scale >= _MOST_FACTOR:
            yield "its output's scale is too small for its input's"
    if op.kind in ("LOGISTIC", "TANH") and not _LEAST_SCALE_OF_CURVES < source.scale < _MOST_SCALE_OF_CURVES:
        yield f"its input's scale {source.scale:g} is out of range"
    if op.kind == "SOFTMAX":
        yield from _softmax(op, source)
    if (
        op.kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
        and op.options["filter"][0] * op.options["filter"][1] > _WIDEST_POOL
    ):
        yield f"its window is larger than {_WIDEST_POOL}"
    if op.kind == "DEPTHWISE_CONV_2D" and max(main.tensors[op.inputs[1]].shape[1:3], default=0) > _MOST_TAPS:
        yield f"its filter is longer than {_MOST_TAPS}"
    if shapes.bias_input(main, op) is None and op.options.get("bias_type") == "int32":
        yield "its accumulators are int32: int64 is what 16x8 has here"


def _softmax(op: Operator, source: Tensor) -> Iterator[str]:
    scale = op.options["beta"] * source.scale
    if not 0 < scale / EXPONENT_STEP < _MOST_FACTOR:
        yield f"beta times its input's scale, {scale:g}, is out of range"
    if not source.shape or source.shape[-1] > _MOST_CLASSES:
        yield f"its last dimension is no count of classes up to {_MOST_CLASSES}"
