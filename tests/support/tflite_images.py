"""Random networks of what goes over images row by row: what may be computed in strips."""

import random

from tests.support.tflite_builder import NONE, OPS, options
from tests.support.tflite_net import Net


def random_image_network(seed: int):
    """Make one.

    Args:
        seed: the same gives the same network.

    Returns:
        (file, bytes of its input).
    """
    rng = random.Random(seed)
    net = Net(rng)
    shape = (1, rng.randint(5, 20), rng.randint(3, 8), rng.randint(1, 5))
    first = x = net.tensor(shape, quant=net.quant())
    for _ in range(rng.randint(2, 6)):
        x = _step(net, rng, x)
    return net.bytes(first, x), shape[1] * shape[2] * shape[3]


def _step(net, rng, x):
    kind = rng.randrange(12)
    if kind < 3:
        return net.conv(x, rng.randint(1, 9))
    if kind < 6:
        return net.depthwise(x)
    if kind == 6:
        return net.pool(x)
    if kind == 7:
        return net.pad(x)
    if kind == 8:
        return net.unary(x, rng.choice(("RELU", "LOGISTIC", "TANH", "QUANTIZE")))
    if kind == 9:  # a constant of each channel, or of all; over rows of its own it is cut nowhere
        return net.binary(x)
    if kind == 10:  # two ways that meet again
        return net.binary(x, net.unary(_same(net, rng, x), rng.choice(("RELU", "TANH"))))
    a, b = net.unary(_same(net, rng, x), "LOGISTIC"), net.unary(x, "LOGISTIC")
    return net.concat(a, b)


def _same(net, rng, x):
    """A layer whose output has the shape of its input, and sees the rows beside."""
    y = net.tensor(net.shapes[x], quant=net.quants[x])
    size = {"filterHeight": rng.choice((1, 3, 5)), "filterWidth": 3}
    pool = options("Pool2DOptions", padding=0, strideH=1, strideW=1, fusedActivationFunction=NONE, **size)
    net.op(rng.choice((OPS.MAX_POOL_2D, OPS.AVERAGE_POOL_2D)), [x], [y], *pool)
    return net._note("MAX_POOL_2D", y)
