"""A keyword spotter to measure: the layers of MLPerf Tiny's DS-CNN, with random weights of our own.

Knows shapes only: 49 x 10 features in, one dense filter, four pairs of a depthwise and a 1 x 1 filter, 64 channels, 12
classes out; 2,656,768 multiply-accumulates, as many as the original. It recognises nothing.
"""

from __future__ import annotations

import random
import struct
from typing import Any

from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor

MACS = 2_656_768
_CHANNELS, _CLASSES, _PAIRS = 64, 12, 4
_SCALE = 0.0625


class _Net:
    def __init__(self) -> None:
        self.chance = random.Random(7)
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, shape: tuple[int, ...], **fields: Any) -> int:
        index = len(self.tensors)
        self.tensors.append(Tensor(index, f"t{index}", shape, fields.pop("type", "int8"), **fields))
        return index

    def operator(self, kind: str, inputs: tuple[int, ...], output: int, **options: object) -> int:
        self.operators.append(Operator(len(self.operators), kind, inputs, (output,), options))
        return output

    def weights(self, shape: tuple[int, ...], axis: int, inputs: int) -> tuple[int, int]:
        """Weights and biases; scales that keep a layer's output about as large as its input."""
        count, channels = 1, shape[axis]
        for size in shape:
            count *= size
        level = 1 / (40 * inputs**0.5)
        scales = struct.unpack(
            f"<{channels}f",
            struct.pack(f"<{channels}f", *(level * 2 ** self.chance.uniform(-0.5, 0.5) for _ in range(channels))),
        )
        data = struct.pack(f"{count}b", *(self.chance.randint(-127, 127) for _ in range(count)))
        bias = struct.pack(f"<{channels}i", *(self.chance.randint(-999, 999) for _ in range(channels)))
        weights = self.tensor(shape, scales=scales, zero_points=(0,) * channels, axis=axis, data=data)
        return weights, self.tensor((channels,), type="int32", data=bias)

    def convolution(self, source: int, filter_: tuple[int, int], stride: tuple[int, int], depthwise: bool) -> int:
        _, height, width, depth = self.tensors[source].shape
        shape = (1, *filter_, _CHANNELS) if depthwise else (_CHANNELS, *filter_, depth)
        inputs = filter_[0] * filter_[1] * (1 if depthwise else depth)
        weights, bias = self.weights(shape, 3 if depthwise else 0, inputs)
        size = (1, -(-height // stride[0]), -(-width // stride[1]), _CHANNELS)
        result = self.tensor(size, scales=(_SCALE,), zero_points=(-128,))
        more: dict[str, object] = {"depth_multiplier": 1} if depthwise else {}
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        options: dict[str, object] = {"padding": "same", "stride": stride, "dilation": (1, 1), "activation": "relu"}
        return self.operator(kind, (source, weights, bias), result, **options, **more)


def graph() -> Graph:
    """Make the network; the same every time."""
    net = _Net()
    features = net.tensor((1, 49, 10, 1), scales=(_SCALE,), zero_points=(83,))
    x = net.convolution(features, (10, 4), (2, 2), False)
    for _ in range(_PAIRS):
        x = net.convolution(x, (3, 3), (1, 1), True)
        x = net.convolution(x, (1, 1), (1, 1), False)
    _, height, width, _ = net.tensors[x].shape
    pooled = net.tensor((1, 1, 1, _CHANNELS), scales=(_SCALE,), zero_points=(-128,))
    options: dict[str, object] = {
        "padding": "valid",
        "stride": (height, width),
        "filter": (height, width),
        "activation": "none",
    }
    x = net.operator("AVERAGE_POOL_2D", (x,), pooled, **options)
    weights, bias = net.weights((_CLASSES, _CHANNELS), 0, _CHANNELS)
    scores = net.tensor((1, _CLASSES), scales=(_SCALE,), zero_points=(5,))
    x = net.operator("FULLY_CONNECTED", (x, weights, bias), scores, activation="none", weights_format=0)
    shares = net.tensor((1, _CLASSES), scales=(1 / 256,), zero_points=(-128,))
    net.operator("SOFTMAX", (x,), shares, beta=1.0)
    return Graph((Subgraph(tuple(net.tensors), tuple(net.operators), (features,), (shares,)),), 0)
