"""Random networks with several inputs and outputs, in bytes and in floats."""

import random

import numpy as np

from tests.support.tflite_builder import FLOAT32, OPS, options
from tests.support.tflite_net import Net


def random_ends(seed: int, small: bool = False) -> bytes:
    """A random network.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.
    """
    rng = random.Random(seed)
    net = Net(rng)
    inputs, values = [], []
    shape = (1, rng.randint(1, 3 if small else 6), rng.randint(1, 5), rng.randint(1, 5))
    quant = net.quant()
    for _ in range(rng.randint(1, 3)):
        x = net.tensor(shape, quant=quant)
        if rng.random() < 0.4:
            floats = net.tensor(shape, FLOAT32)
            net.op(OPS.QUANTIZE, [floats], [x], *options("QuantizeOptions"))
            inputs.append(floats)
        else:
            inputs.append(x)
        values.append(x)
    joined = net.concat(*values) if len(values) > 1 and rng.random() < 0.7 else values[0]
    outputs = []
    for _ in range(rng.randint(1, 3)):
        kind = rng.randrange(7)
        if kind == 0:
            y = net.conv(joined, rng.randint(1, 6))
        elif kind == 1:
            y = net.reshape(net.pool(joined))
        elif kind == 2:
            y = net.unary(joined)
        elif kind == 3:
            y = rng.choice(net.split(joined))
        elif kind == 4:
            y = net.slice(joined)
        elif kind == 5:
            y = net.stream(joined, rng.randint(1, 3))
        else:
            y = net.dense(net.reshape(joined, (1, 1, 1, int(np.prod(net.shapes[joined])))))
        if rng.random() < 0.4:
            y = net.last(y, rng.choice(("DEQUANTIZE", "QUANTIZE")))
            if rng.random() < 0.3 and net.graph.tensors[y].type == FLOAT32:
                flat = net.tensor((1, int(np.prod(net.shapes[y]))), FLOAT32)
                net.op(OPS.RESHAPE, [y, net.ints(net.shapes[flat])], [flat], *options("ReshapeOptions"))
                y = flat
        if y not in outputs:
            outputs.append(y)
    if rng.random() < 0.2 and joined not in outputs:
        outputs.append(joined)
    return net.bytes(inputs, outputs)
