"""Networks of int16 activations and int8 weights (16x8), on top of tflite_more, and random ones."""

import random

import numpy as np

from tests.support.tflite_builder import FLOAT32, INT8, INT16, OPS, options
from tests.support.tflite_more import MoreNet

INT64 = 4
_FIXED = (1 / 32768, 0)


class HalfNet(MoreNet):
    """The same layers; what they make and what they are given has 16 bits."""

    def tensor(self, shape, kind=INT8, quant=None, data=None, scales=None, axis=0, graph=None):
        if kind == INT8 and scales is None:
            kind = INT16
            if data is not None:
                data = np.asarray(data).astype(np.int16) * self.rng.choice((1, 100, 257)) - self.rng.randrange(2)
        return super().tensor(shape, kind, quant, data, scales, axis, graph)

    def bytes_tensor(self, shape, quant):
        """An int8 tensor."""
        return super().tensor(shape, INT8, quant=quant)

    def quant(self, scale=None):
        exponent = self.rng.choice((-11, -12, self.rng.uniform(-16, -8), self.rng.uniform(-16, -8)))
        return (float(np.float32(scale or 2**exponent)), 0)

    def out_quant(self, x, scales, inputs):
        spread = self.quants[x][0] * max(scales) * 60 * 20000 * max(1, inputs) ** 0.5 / 32767
        steepest = -8 if inputs <= 4 else -4
        return (float(np.float32(spread * 2 ** self.rng.choice((steepest, -2, -1, 0, 0, 1, 3, 12)))), 0)

    def bias(self, channels, x, scales, large=False):
        if self.rng.random() < 0.15:
            return -1
        most = 1 << (28 if large else self.rng.choice((4, 16, 20, 24)))
        values = np.array([self.rng.randint(-most, most) for _ in range(channels)], np.int64)
        return self.tensor((channels,), INT64, data=values, scales=[self.quants[x][0] * s for s in scales])

    def binary(self, x, kind=None):
        rng = self.rng
        kind = kind or rng.choice(("ADD", "MUL"))
        shape = self.shapes[x]
        other = rng.choice((x, self._other(x)))
        a, b = self.quants[x][0], self.quants[other][0]
        spread = max(a, b) if kind == "ADD" else a * b * 32768
        y = self.tensor(shape, quant=self.quant(spread * 2 ** rng.uniform(-3, 3)))
        inputs = [x, other] if rng.random() < 0.7 or self.shapes[other] != shape else [other, x]
        o = options(kind.capitalize() + "Options", fusedActivationFunction=self._act())
        self.op(getattr(OPS, kind), inputs, [y], *o)
        return self._note(kind, y, self.shapes[other] == shape)

    def unary(self, x, kind=None):
        kinds = ("RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE")
        kind = kind or self.rng.choice(kinds)
        scale = self.quants[x][0]
        # TFLite Micro refuses it, or steps are so large that a curve is refused.
        if kind == "RELU6" and scale * 32767 < 6.1 or scale > 0.6 and kind in ("LOGISTIC", "TANH", "SOFTMAX"):
            kind = "RELU"
        is_fixed = kind in ("LOGISTIC", "TANH", "SOFTMAX")
        y = self.tensor(self.shapes[x], quant=_FIXED if is_fixed else self.quant(scale * 2 ** self.rng.uniform(-2, 2)))
        extra = {
            "SOFTMAX": options("SoftmaxOptions", beta=self.rng.choice((1.0, 0.5, 2.0))),
            "LEAKY_RELU": options("LeakyReluOptions", alpha=self.rng.choice((0.0, 0.01, 0.2, 0.3, 1.5))),
            "QUANTIZE": options("QuantizeOptions"),
        }
        self.op(getattr(OPS, kind), [x], [y], *extra.get(kind, ()))
        return self._note(kind, y)

    def transpose(self, x):
        # Each halfword apart, four dimensions and its bytes are more than a copy has.
        return super().transpose(x) if sum(n > 1 for n in self.shapes[x]) < 4 else self.unary(x, "RELU")

    def first(self, x):
        """What the network is given for x: itself, floats, or bytes."""
        kind = self.rng.choice(("", "", "floats", "bytes"))
        if not kind:
            return x
        scale = self.quants[x][0]
        given = self.tensor(self.shapes[x], FLOAT32)
        if kind == "bytes":
            given = self.bytes_tensor(self.shapes[x], (float(np.float32(scale * 2 ** self.rng.uniform(5, 9))), 7))
        self.op(OPS.QUANTIZE, [given], [x], *options("QuantizeOptions"))
        self._note(f"QUANTIZE of {kind}", x)
        return given

    def given_back(self, x):
        """What the network gives: x itself, floats, or bytes."""
        kind = self.rng.choice(("", "", "floats", "bytes"))
        if not kind:
            return x
        if kind == "floats":
            return self.last(x, "DEQUANTIZE")
        y = self.bytes_tensor(self.shapes[x], (float(np.float32(self.quants[x][0] * 2 ** self.rng.uniform(5, 9))), -9))
        self.op(OPS.QUANTIZE, [x], [y], *options("QuantizeOptions"))
        return self._note("QUANTIZE to bytes", y)


def random_halfword_network(seed: int, small: bool = False):
    """A random network of 16x8, its ends int16, floats or bytes.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.

    Returns:
        (file, what it uses).
    """
    rng = random.Random(seed)
    net = HalfNet(rng)
    side = 4 if small else 8
    x = net.tensor((1, rng.randint(1, side), rng.randint(1, side), rng.randint(1, 7)), quant=net.quant())
    first = net.first(x)
    images = (net.conv, net.depthwise, net.transposed, net.pool, net.resize)
    others = (net.dense, net.mean, net.binary, net.unary, net.unary, net.subtract, net.transpose, net.pad)
    others += (net.packed, net.part, net.slice, lambda x: rng.choice(net.split(x)), lambda x: net.concat(x, x))
    others += (net.reshape,)
    for number in range(rng.randint(1, 4)):
        is_image = len(net.shapes[x]) == 4
        makers = images + others if is_image else others
        # Each operator in turn, so that a few networks have all of them.
        make = makers[seed % len(makers)] if number == 0 else rng.choice(makers)
        if int(np.prod(net.shapes[x])) > (300 if small else 3000):
            make = net.mean
        x = make(x)
    if not net.used:  # nothing was to be split
        x = net.unary(x)
    return net.bytes(first, net.given_back(x)), net.used


def all_halfword_kernels() -> bytes:
    """A network that has every kernel of int16 activations."""
    net = HalfNet(random.Random(11))
    floats, x = net.tensor((1, 3, 3, 2), FLOAT32), net.tensor((1, 3, 3, 2), quant=net.quant(2**-12))
    net.op(OPS.QUANTIZE, [floats], [x], *options("QuantizeOptions"))
    y = net.pool(net.depthwise(net.conv(x, 4)))
    y = net.binary(net.subtract(net.unary(y, "RELU")), "MUL")
    y = net.unary(net.unary(net.unary(net.mean(y), "LOGISTIC"), "TANH"), "SOFTMAX")
    return net.bytes(floats, net.last(y, "DEQUANTIZE"))


def with_ends_in_bytes() -> bytes:
    """A network that takes and gives bytes, and computes with halfwords."""
    net = HalfNet(random.Random(12))
    given, x = net.bytes_tensor((1, 3, 40), (0.1, 0)), net.tensor((1, 3, 40), quant=net.quant())
    net.op(OPS.QUANTIZE, [given], [x], *options("QuantizeOptions"))
    y = net.bytes_tensor((1, 3, 40), (1 / 256, -128))
    net.op(OPS.QUANTIZE, [net.unary(x, "LOGISTIC")], [y], *options("QuantizeOptions"))
    return net.bytes(given, y)
