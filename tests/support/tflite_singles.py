"""The smallest networks of one operator each, for tests that make very many of them."""

import random

import numpy as np

from tests.support.tflite_builder import FLOAT32, INT8, INT16, OPS, options
from tests.support.tflite_more import MoreNet
from tests.support.tflite_recurrent import RecurrentNet


class _Net(RecurrentNet, MoreNet):
    """All layers."""


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


_MAKERS = {
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
    net = _Net(rng)
    x = net.tensor((1, 2, 2, 2), quant=net.quant())
    made = _MAKERS[kind](net, x)
    for quantization in (tensor.quantization for tensor in net.graph.tensors if scales):
        if quantization is not None and rng.random() < 0.5:
            quantization.scale = [float(np.float32(rng.choice(scales))) for _ in quantization.scale]
    return net.bytes(*made) if isinstance(made, tuple) else net.bytes(x, made)
