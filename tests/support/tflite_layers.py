"""Layers of .tflite files with weights or windows, random where nothing is said."""

import random

import numpy as np

from tests.support.tflite_builder import (
    INT8,
    INT32,
    NONE,
    OPS,
    RELU,
    RELU6,
    RELU_N1,
    SAME,
    VALID,
    Builder,
    options,
)


class Layers(Builder):
    """A builder with one method an operator; Net has the rest of them."""

    def __init__(self, rng: random.Random):
        super().__init__()
        self.rng = rng
        self.used = []

    # Quantisation at both ends of the range, and everywhere between.
    def quant(self, scale=None):
        zero = self.rng.choice((-128, 127, 0, self.rng.randint(-128, 127)))
        return (float(np.float32(scale or 2 ** self.rng.uniform(-8, 1))), zero)

    def weights(self, shape, channels, axis, per_channel, wild):
        rng = self.rng
        count = int(np.prod(shape))
        if wild == 1:
            data = [rng.choice((-127, 127, 0)) for _ in range(count)]
        elif wild == 2:
            data = [127] * count
        else:
            data = [rng.randint(-127, 127) for _ in range(count)]
        base = 2 ** rng.uniform(-9, -4)
        scales = [float(np.float32(base * 2 ** rng.uniform(-3, 3))) for _ in range(channels)] if per_channel else [base]
        scales = [float(np.float32(s)) for s in scales]
        return self.tensor(shape, INT8, data=np.array(data, np.int8).reshape(shape), scales=scales, axis=axis), scales

    def out_quant(self, x, scales, inputs):
        """An output scale that keeps the result mostly in range, sometimes saturating, sometimes tiny."""
        spread = self.quants[x][0] * max(scales) * 60 * 60 * max(1, inputs) ** 0.5 / 127
        zero = self.quant()[1]
        return (float(np.float32(spread * 2 ** self.rng.choice((-9, -3, -1, 0, 0, 1, 3)))), zero)

    def bias(self, channels, x, scales, large=False):
        if self.rng.random() < 0.15:
            return -1
        most = 1 << (24 if large else self.rng.choice((4, 10, 14)))
        values = np.array([self.rng.randint(-most, most) for _ in range(channels)], np.int32)
        used = [float(np.float32(self.quants[x][0] * s)) for s in scales]
        return self.tensor((channels,), INT32, data=values, scales=used)

    def _window(self, x, most=5):
        rng = self.rng
        _, h, w, _ = self.shapes[x]
        padding = rng.choice((SAME, VALID))
        kh, kw = rng.randint(1, most), rng.randint(1, most)
        if padding == VALID:
            kh, kw = min(kh, h), min(kw, w)
        sh, sw = rng.choice((1, 1, 2, 3)), rng.choice((1, 1, 2, 3))
        dh = dw = 1
        if rng.random() < 0.2 and sh == sw == 1:
            dh, dw = rng.randint(1, 3), rng.randint(1, 3)
            if padding == VALID and ((kh - 1) * dh + 1 > h or (kw - 1) * dw + 1 > w):
                dh = dw = 1
        size = []
        for n, k, s, d in ((h, kh, sh, dh), (w, kw, sw, dw)):
            size.append(-(-n // s) if padding == SAME else (n - ((k - 1) * d + 1)) // s + 1)
        return padding, (kh, kw), (sh, sw), (dh, dw), tuple(size)

    def _act(self):
        return self.rng.choice((NONE, NONE, RELU, RELU6, RELU_N1))

    def conv(self, x, channels=None):
        rng = self.rng
        n, _, _, depth = self.shapes[x]
        padding, (kh, kw), stride, dilation, (oh, ow) = self._window(x)
        channels = channels or rng.randint(1, 67)
        w, scales = self.weights((channels, kh, kw, depth), channels, 0, rng.random() < 0.7, rng.randrange(6))
        inputs = [x, w]
        b = self.bias(channels, x, scales, rng.random() < 0.1)
        if b >= 0:
            inputs.append(b)
        y = self.tensor((n, oh, ow, channels), quant=self.out_quant(x, scales, kh * kw * depth))
        o = options(
            "Conv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1], dilationHFactor=dilation[0],
            dilationWFactor=dilation[1], fusedActivationFunction=self._act(),
        )  # fmt: skip
        self.op(OPS.CONV_2D, inputs, [y], *o)
        return self._note("CONV_2D", y, padding, stride, dilation, channels)

    def depthwise(self, x):
        rng = self.rng
        n, _, _, depth = self.shapes[x]
        padding, (kh, kw), stride, dilation, (oh, ow) = self._window(x)
        multiplier = rng.choice((1, 1, 1, 2, 3))
        channels = depth * multiplier
        w, scales = self.weights((1, kh, kw, channels), channels, 3, rng.random() < 0.7, rng.randrange(6))
        inputs = [x, w]
        b = self.bias(channels, x, scales)
        if b >= 0:
            inputs.append(b)
        y = self.tensor((n, oh, ow, channels), quant=self.out_quant(x, scales, kh * kw))
        o = options(
            "DepthwiseConv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
            dilationHFactor=dilation[0], dilationWFactor=dilation[1], fusedActivationFunction=self._act(),
            depthMultiplier=multiplier,
        )  # fmt: skip
        self.op(OPS.DEPTHWISE_CONV_2D, inputs, [y], *o)
        return self._note("DEPTHWISE_CONV_2D", y, padding, stride, dilation, multiplier)

    def dense(self, x):
        rng = self.rng
        shape = self.shapes[x]
        depth = shape[-1] if rng.random() < 0.3 else int(np.prod(shape))
        batch = int(np.prod(shape)) // depth
        channels = rng.randint(1, 40)
        w, scales = self.weights((channels, depth), channels, 0, rng.random() < 0.3, rng.randrange(6))
        inputs = [x, w, self.bias(channels, x, scales)]
        y = self.tensor((batch, channels), quant=self.out_quant(x, scales, depth))
        o = options("FullyConnectedOptions", fusedActivationFunction=self._act())
        self.op(OPS.FULLY_CONNECTED, inputs, [y], *o)
        return self._note("FULLY_CONNECTED", y, batch > 1)

    def pool(self, x):
        rng = self.rng
        n, _, _, depth = self.shapes[x]
        padding, filter_, stride, _, (oh, ow) = self._window(x, 6)
        h, w = self.shapes[x][1:3]  # no dilation here
        kh, kw = filter_
        size = [
            -(-a // s) if padding == SAME else (a - k) // s + 1 for a, k, s in ((h, kh, stride[0]), (w, kw, stride[1]))
        ]
        kind = rng.choice(("AVERAGE_POOL_2D", "MAX_POOL_2D"))
        y = self.tensor((n, *size, depth), quant=self.quants[x])
        o = options(
            "Pool2DOptions", padding=padding, strideH=stride[0], strideW=stride[1], filterHeight=kh, filterWidth=kw,
            fusedActivationFunction=self._act(),
        )  # fmt: skip
        self.op(getattr(OPS, kind), [x], [y], *o)
        return self._note(kind, y, padding, stride)

    def mean(self, x):
        rng = self.rng
        shape = self.shapes[x]
        axes = rng.choice(([1, 2], [1, 2], [2, 1], [1], [2], [3], [-1, 1])) if len(shape) == 4 else [len(shape) - 1]
        keep = rng.random() < 0.5
        gone = {a % len(shape) for a in axes}
        out = [1 if i in gone else n for i, n in enumerate(shape) if keep or i not in gone]
        scale = self.quants[x][0] * 2 ** rng.uniform(-2, 1)
        y = self.tensor(out, quant=self.quant(scale))
        self.op(OPS.MEAN, [x, self.ints(axes)], [y], *options("ReducerOptions", keepDims=keep))
        return self._note("MEAN", y, keep, tuple(axes))

    def _note(self, kind, y, *parameters):
        self.used.append((kind, *parameters))
        return y
