"""Builds graphs to measure, with random weights: networks of convolutions that end in a choice.

It knows shapes and what is plausible in a network; what comes out recognises nothing.
"""

from __future__ import annotations

import random
import struct
from typing import Any

from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor

_SCALE = 0.0625


class Net:
    """The tensors and operators of a graph that grows; what is random in it is the same every time.

    Args:
        activations: type of the tensors between operators, "int8" or "int16".
    """

    def __init__(self, activations: str = "int8") -> None:
        self._activations, self._is_wide = activations, activations == "int16"
        self.chance = random.Random(7)
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []

    def tensor(self, shape: tuple[int, ...], **fields: Any) -> int:
        """Add a tensor of int8 or of `type`; returns its number."""
        index = len(self.tensors)
        self.tensors.append(Tensor(index, f"t{index}", shape, fields.pop("type", "int8"), **fields))
        return index

    def activation(self, shape: tuple[int, ...], scale: float, zero_point: int) -> int:
        """Add a tensor between operators; returns its number.

        Args:
            shape: of it.
            scale: of int8; int16 has the same reach.
            zero_point: of int8; int16 has none.
        """
        if self._is_wide:
            scale, zero_point = scale / 256, 0
        return self.tensor(shape, type=self._activations, scales=(scale,), zero_points=(zero_point,))

    def operator(self, kind: str, inputs: tuple[int, ...], output: int, **options: object) -> int:
        """Add an operator; returns its output."""
        self.operators.append(Operator(len(self.operators), kind, inputs, (output,), options))
        return output

    def weights(self, shape: tuple[int, ...], axis: int, inputs: int) -> tuple[int, int]:
        """Add weights and biases; scales that keep a layer's output about as large as its input."""
        count, channels = 1, shape[axis]
        for size in shape:
            count *= size
        level = 1 / (40 * inputs**0.5)
        scales = struct.unpack(
            f"<{channels}f",
            struct.pack(f"<{channels}f", *(level * 2 ** self.chance.uniform(-0.5, 0.5) for _ in range(channels))),
        )
        data = struct.pack(f"{count}b", *(self.chance.randint(-127, 127) for _ in range(count)))
        form, reach = ("q", 99_999) if self._is_wide else ("i", 999)
        bias = struct.pack(f"<{channels}{form}", *(self.chance.randint(-reach, reach) for _ in range(channels)))
        weights = self.tensor(shape, scales=scales, zero_points=(0,) * channels, axis=axis, data=data)
        return weights, self.tensor((channels,), type="int64" if self._is_wide else "int32", data=bias)

    def convolution(
        self,
        source: int,
        filter_: tuple[int, int],
        stride: tuple[int, int],
        channels: int,
        depthwise: bool = False,
        padding: str = "same",
    ) -> int:
        """Add a convolution with a ReLU.

        Args:
            source: number of the tensor that it takes.
            filter_: its height and width.
            stride: down and across.
            channels: of its output.
            depthwise: a filter a channel; there are as many in the source.
            padding: "same" or "valid".

        Returns:
            Number of its output.
        """
        _, height, width, depth = self.tensors[source].shape
        shape = (1, *filter_, channels) if depthwise else (channels, *filter_, depth)
        inputs = filter_[0] * filter_[1] * (1 if depthwise else depth)
        weights, bias = self.weights(shape, 3 if depthwise else 0, inputs)
        rows, cols = (
            -(-(size - (0 if padding == "same" else filter_[axis] - 1)) // stride[axis])
            for axis, size in enumerate((height, width))
        )
        result = self.activation((1, rows, cols, channels), _SCALE, -128)
        more: dict[str, object] = {"depth_multiplier": 1} if depthwise else {}
        kind = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        options: dict[str, object] = {"padding": padding, "stride": stride, "dilation": (1, 1), "activation": "relu"}
        return self.operator(kind, (source, weights, bias), result, **options, **more)

    def ended(self, source: int, result: int, classes: int) -> Graph:
        """Add the mean of all pixels, a dense layer and a SOFTMAX; returns the graph.

        Args:
            source: the tensor that the graph takes.
            result: the last convolution's output.
            classes: how many.
        """
        _, height, width, channels = self.tensors[result].shape
        pooled = self.activation((1, 1, 1, channels), _SCALE, -128)
        size = (height, width)
        options: dict[str, object] = {"padding": "valid", "stride": size, "filter": size, "activation": "none"}
        result = self.operator("AVERAGE_POOL_2D", (result,), pooled, **options)
        weights, bias = self.weights((classes, channels), 0, channels)
        scores = self.activation((1, classes), _SCALE, 5)
        result = self.operator("FULLY_CONNECTED", (result, weights, bias), scores, activation="none", weights_format=0)
        shares = self.activation((1, classes), 1 / 128 if self._is_wide else 1 / 256, -128)
        self.operator("SOFTMAX", (result,), shares, beta=1.0)
        return Graph((Subgraph(tuple(self.tensors), tuple(self.operators), (source,), (shares,)),), 0)
