"""Random .tflite networks at test time, and graphs of ours as .tflite files."""

import functools
import random

import numpy as np

from tests.support.tflite_builder import INT8, INT32, OPS, RELU, SAME, VALID, Builder, options
from tests.support.tflite_net import Net

# Channels of an input or of a first dense layer: every odd count in turn, so that a run of 68 networks has them all.
_ODD = range(1, 68, 2)


@functools.lru_cache(maxsize=1024)
def random_model(seed: int, small: bool = False):
    """A random network.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.

    Returns:
        (file, shape of the input, what it uses: tuples that begin with an operator's name).
    """
    rng = random.Random(seed)
    net = Net(rng)
    side = 6 if small else 12
    h, w = rng.randint(1, side), rng.randint(1, side)
    odd = _ODD[seed // 2 % len(_ODD)]
    c = odd if seed % 8 == 1 else rng.choice((1, 1, 2, 3, 4, 5, 8, 13, 16, 31, rng.randint(1, 67)))
    first = x = net.tensor((1, h, w, c), quant=net.quant())
    last = None
    if seed % 2 == 0 and not small:
        x = net.conv(x, odd)
    for _ in range(rng.randint(1, 6)):
        image = len(net.shapes[x]) == 4
        if int(np.prod(net.shapes[x])) > (1500 if small else 9000):
            x = net.mean(x)
            continue
        kind = rng.randrange(15)
        if not image and kind in (0, 1, 2, 3, 4, 7, 8, 9):
            x = net.reshape(x, (1, 1, 1, int(np.prod(net.shapes[x]))))
            image = True
        if kind in (0, 1):
            x = net.conv(x, rng.randint(1, 12) if small else None)
        elif kind in (2, 3):
            x = net.depthwise(x)
        elif kind == 4:
            x = net.pool(x)
        elif kind == 5:
            x = net.mean(x) if int(np.prod(net.shapes[x])) > 1 else x
        elif kind == 6:
            x = net.binary(x)
        elif kind == 7:
            a, b = net.unary(x, "LOGISTIC"), net.unary(x, "LOGISTIC")
            x = net.concat(a, b, *([net.unary(x, "SOFTMAX")] if rng.random() < 0.5 else []))
        elif kind == 8:
            parts = net.split(x)
            x = net.conv(rng.choice(parts), 5)
        elif kind == 9:
            x = net.pad(x)
        elif kind == 10:
            x = net.slice(x)
        elif kind == 11:
            x = net.dense(x)
        elif kind == 12:
            x = net.stream(x, rng.randint(1, 5)) if image and net.shapes[x][0] == 1 else net.unary(x)
        elif kind == 13:
            x = net.accumulate(x) if rng.random() < 0.5 else net.reshape(x)
        else:
            x = net.unary(x)
    if rng.random() < 0.2:
        last = net.last(x, rng.choice(("DEQUANTIZE", "QUANTIZE")))
    if not net.graph.operators:
        x = net.unary(x)
    target = last if last is not None else x
    return net.bytes(first, target), (1, h, w, c), net.used


_FIELDS = {"padding": {"same": SAME, "valid": VALID}, "activation": {"none": 0, "relu": RELU}}
_OPTIONS = {
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "SOFTMAX": "SoftmaxOptions",
}


def from_graph(graph):
    """A graph (kittiwake.model.read.graph) as a .tflite file; the operators of the benchmark's networks only."""
    made = Builder()
    main = graph.main
    for t in main.tensors:
        kind = {"int8": INT8, "int32": INT32}[t.type]
        data = None if t.data is None else np.frombuffer(t.data, np.int8 if kind == INT8 else np.int32)
        if t.data is None:
            made.tensor(t.shape, kind, quant=(t.scale, t.zero_point))
        else:
            made.tensor(t.shape, kind, data=data, scales=t.scales or None, axis=t.axis)
    for op in main.operators:
        o = op.options
        fields = {}
        if "padding" in o:
            fields |= {
                "padding": _FIELDS["padding"][o["padding"]],
                "strideH": o["stride"][0],
                "strideW": o["stride"][1],
            }
        if "dilation" in o:
            fields |= {"dilationHFactor": o["dilation"][0], "dilationWFactor": o["dilation"][1]}
        if "filter" in o:
            fields |= {"filterHeight": o["filter"][0], "filterWidth": o["filter"][1]}
        if "depth_multiplier" in o:
            fields["depthMultiplier"] = o["depth_multiplier"]
        if "activation" in o:
            fields["fusedActivationFunction"] = _FIELDS["activation"][o["activation"]]
        if "beta" in o:
            fields["beta"] = o["beta"]
        made.op(getattr(OPS, op.kind), op.inputs, op.outputs, *options(_OPTIONS[op.kind], **fields))
    return made.bytes(main.inputs[0], main.outputs[0])
