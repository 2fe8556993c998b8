"""The smallest networks of one operator each, for tests that make very many of them."""

import random

import numpy as np

from tests.support.tflite_builder import FLOAT32, INT8, INT16, INT32, OPS, options
from tests.support.tflite_halfwords import HalfNet
from tests.support.tflite_more import MoreNet
from tests.support.tflite_packed import PackedNet
from tests.support.tflite_recurrent import RecurrentNet


class _Net(RecurrentNet, MoreNet):
    """All layers."""


class _Packed(PackedNet, _Net):
    """The same, with weights of four bits."""


class _Half(HalfNet, _Net):
    """The same, with activations of 16 bits."""


def _floats(net: _Net, x: int) -> tuple[int, int]:
    floats = net.tensor(net.shapes[x], FLOAT32)
    net.op(OPS.QUANTIZE, [floats], [x], *options("QuantizeOptions"))
    return floats, net.last(x, "DEQUANTIZE")


def _extreme(net: _Net, x: int, kind: str) -> int:
    y = net.tensor(net.shapes[x], quant=net.quants[x])
    net.op(getattr(OPS, kind), [x, net._other(x, net.quants[x])], [y], *options("MaximumMinimumOptions"))
    return y


def _bent(net: _Net, x: int, kind: str) -> int:
    y = net.tensor(net.shapes[x], quant=net.quant())
    net.op(getattr(OPS, kind), [x], [y], *(options("LeakyReluOptions", alpha=0.3) if kind == "LEAKY_RELU" else ()))
    return y


def _tile(net: _Net, x: int) -> int:
    y = net.tensor([2 * n for n in net.shapes[x]], quant=net.quants[x])
    net.op(OPS.TILE, [x, net.ints([2] * len(net.shapes[x]))], [y])
    return y


def _log_softmax(net: _Net, x: int) -> int:
    y = net.tensor(net.shapes[x], quant=(1 / 16, 127))
    net.op(OPS.LOG_SOFTMAX, [x], [y], *options("LogSoftmaxOptions"))
    return y


def _of_computed_shape(net: _Net, x: int) -> int:
    """SHAPE, STRIDED_SLICE and PACK say what RESHAPE makes, as converters leave it over an open batch."""
    y = net.tensor((1, 8), quant=net.quants[x])
    shape, batch, sizes = net.tensor((4,), INT32), net.tensor((), INT32), net.tensor((2,), INT32)
    net.op(OPS.SHAPE, [x], [shape], *options("ShapeOptions", outType=2))
    cut = {"beginMask": 0, "endMask": 0, "ellipsisMask": 0, "newAxisMask": 0, "shrinkAxisMask": 1}
    ends = [net.ints([0]), net.ints([1]), net.ints([1])]
    net.op(OPS.STRIDED_SLICE, [shape, *ends], [batch], *options("StridedSliceOptions", **cut))
    net.op(OPS.PACK, [batch, net.ints(8, ())], [sizes], *options("PackOptions", valuesCount=2, axis=0))
    net.op(OPS.RESHAPE, [x, sizes], [y], *options("ReshapeOptions"))
    return net.unary(y, "TANH")


def _weighed(net: _Net, x: int) -> int:
    return net.rng.choice((net.conv, net.depthwise, net.dense))(x)


_PACKED = "weights of four bits"
_HALVES = {
    "16x8: CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED, TRANSPOSE_CONV": lambda net, x: net.rng.choice(
        (net.conv, net.depthwise, net.dense, lambda x: net.transposed(x, 2))
    )(x),
    "16x8: ADD, MUL, SUB, AVERAGE_POOL_2D, MAX_POOL_2D, MEAN": lambda net, x: net.rng.choice(
        (net.binary, net.subtract, net.pool, net.mean)
    )(x),
    "16x8: RELU, RELU6, LEAKY_RELU, LOGISTIC, TANH, SOFTMAX, QUANTIZE, DEQUANTIZE": lambda net, x: (
        net.first(x),
        net.given_back(net.unary(x)),
    ),
}
_MAKERS = {
    **_HALVES,
    _PACKED: _weighed,
    "CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED": _weighed,
    "SHAPE, STRIDED_SLICE, PACK, RESHAPE": _of_computed_shape,
    "SPLIT, CONCATENATION": lambda net, x: net.concat(*reversed(net.split(x))),
    "SOFTMAX": lambda net, x: net.unary(x, "SOFTMAX"),
    "LOG_SOFTMAX": _log_softmax,
    "TRANSPOSE": lambda net, x: net.transpose(x),
    "RESIZE_NEAREST_NEIGHBOR": lambda net, x: net.resize(x),
    "SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND": lambda net, x: net.dilated(x),
    "REDUCE_MAX": lambda net, x: net.largest(x),
    "SUB": lambda net, x: net.subtract(x),
    "MAXIMUM": lambda net, x: _extreme(net, x, "MAXIMUM"),
    "MINIMUM": lambda net, x: _extreme(net, x, "MINIMUM"),
    "LEAKY_RELU": lambda net, x: _bent(net, x, "LEAKY_RELU"),
    "ELU": lambda net, x: _bent(net, x, "ELU"),
    "PRELU": lambda net, x: net.sloped(x),
    "TRANSPOSE_CONV": lambda net, x: net.transposed(x, 2),
    "TILE": _tile,
    "SVDF of 8 bits": lambda net, x: net.svdf(net.reshape(x, (1, 8)), 2, INT8),
    "SVDF of 16 bits": lambda net, x: net.svdf(net.reshape(x, (1, 8)), 2, INT16),
    "UNPACK, PACK": lambda net, x: net.packed(x),
    "SLICE": lambda net, x: net.part(x),
    "BATCH_MATMUL": lambda net, x: net.product(x),
    "QUANTIZE, DEQUANTIZE": _floats,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": lambda net, x: net.lstm(net.reshape(x, (1, 2, 4)), 2),
}
SINGLES = tuple(_MAKERS)


def single(kind: str, rng: random.Random, scales: tuple[float, ...] = ()) -> bytes:
    """A network of one operator, over two by two pixels of two channels.

    Args:
        kind: one of SINGLES.
        rng: of what is random in it.
        scales: about half of all scales become one of these.
    """
    net = (_Half if kind in _HALVES else _Packed if kind == _PACKED else _Net)(rng)
    x = net.tensor((1, 2, 2, 2), quant=net.quant())
    made = _MAKERS[kind](net, x)
    for quantization in (tensor.quantization for tensor in net.graph.tensors if scales):
        if quantization is not None and rng.random() < 0.5:
            quantization.scale = [float(np.float32(rng.choice(scales))) for _ in quantization.scale]
    return net.bytes(*made) if isinstance(made, tuple) else net.bytes(x, made)
