"""Suite `model`: single int8 layers, compiled, through the kernels that the board runs, against plain sums.

Knows how to make layers; what they must give comes from reference/network.py. Whole networks are held against TFLite
Micro by `kittiwake model check`.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from kittiwake.model import compiler
from kittiwake.model.emit import arena, kwm
from kittiwake.model.lower import lowering
from kittiwake.model.read import shapes
from kittiwake.model.read.graph import Graph, Operator, Subgraph, Tensor
from kittiwake.reference import network
from kittiwake.verify.suites.registry import Suite, Vector, register


def _layer(rng: random.Random) -> tuple[Graph, bytes, bytes, str]:
    """One random layer: (graph, input, what must come out, description)."""
    kind = rng.choice(("CONV_2D", "DEPTHWISE_CONV_2D"))
    depthwise = kind == "DEPTHWISE_CONV_2D"
    height, width, depth = rng.randint(1, 5), rng.randint(1, 5), rng.randint(2, 9)
    channels = depth if depthwise else rng.randint(1, 9)
    padding = rng.choice(("same", "valid"))
    filter_ = (rng.randint(1, height), rng.randint(1, width))
    stride = (rng.randint(1, 2), rng.randint(1, 2))
    sides = [shapes.window(n, f, s, 1, padding) for n, f, s in zip((height, width), filter_, stride, strict=True)]
    size = (sides[0].outputs, sides[1].outputs)
    inputs = filter_[0] * filter_[1] * (1 if depthwise else depth)
    weights = [[rng.randint(-127, 127) for _ in range(inputs)] for _ in range(channels)]
    bias = [rng.randint(-9000, 9000) for _ in range(channels)]
    zero, out_zero = rng.choice((-128, 127, rng.randint(-99, 99))), rng.randint(-128, 127)
    scale, out_scale = 2.0 ** -rng.randint(3, 6), 2.0 ** -rng.randint(0, 5)
    scales = [struct.unpack("<f", struct.pack("<f", 2 ** rng.uniform(-9, -6)))[0] for _ in range(channels)]
    x = [rng.choice((-128, 127, rng.randint(-128, 127))) for _ in range(height * width * depth)]
    expected = network.convolution(
        x, (height, width, depth), weights, filter_, stride, (sides[0].before, sides[1].before), size, bias,
        [scale * s / out_scale for s in scales], zero, out_zero, depthwise,
    )  # fmt: skip
    laid = [w[t] for t in range(inputs) for w in weights] if depthwise else [v for w in weights for v in w]
    form = (1, *filter_, channels) if depthwise else (channels, *filter_, depth)
    tensors = (
        Tensor(0, "x", (1, height, width, depth), "int8", (scale,), (zero,)),
        Tensor(1, "w", form, "int8", tuple(scales), (), 3 if depthwise else 0, struct.pack(f"{len(laid)}b", *laid)),
        Tensor(2, "b", (channels,), "int32", data=struct.pack(f"<{channels}i", *bias)),
        Tensor(3, "y", (1, *size, channels), "int8", (out_scale,), (out_zero,)),
    )
    options = {"padding": padding, "stride": stride, "dilation": (1, 1), "activation": "none", "depth_multiplier": 1}
    graph = Graph((Subgraph(tensors, (Operator(0, kind, (0, 1, 2), (3,), options),), (0,), (3,)),), 0)
    about = f"{kind} {height}x{width}x{depth} by {filter_[0]}x{filter_[1]} to {channels}, {padding}"
    return graph, struct.pack(f"{len(x)}b", *x), struct.pack(f"{len(expected)}b", *expected), about


def _plan(graph: Graph, isa: str) -> bytes:
    layout = compiler.WEIGHT_LAYOUT_OF[isa]
    program = lowering.lower(graph, layout)
    return kwm.write(program, layout, *arena.place(program))


def vectors(rng: random.Random, count: int) -> Iterator[Vector]:
    """Layers for the definition, viper, and the board's own assembler in turn."""
    for number in range(count):
        kernel = ("plain", "viper", "assembler")[number % 3]
        graph, inputs, expected, about = _layer(rng)
        argument = (kernel, _plan(graph, "viper"), _plan(graph, "thumb2"), inputs)
        yield Vector(repr(argument), expected.hex(), f"model {number}: {kernel}, {about}")


SUITE = register(Suite("model", "verify/layers", "layer", vectors, 60))
