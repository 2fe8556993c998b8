"""Operators that Keras's layers become beyond a wake word's, on top of tflite_net, and random networks of them."""

import random

import numpy as np

from tests.support.tflite_builder import NONE, OPS, SAME, VALID, options
from tests.support.tflite_net import Net


class MoreNet(Net):
    """A builder with one method an operator, random where nothing is said."""

    def transpose(self, x):
        shape = self.shapes[x]
        axes = list(range(len(shape)))
        self.rng.shuffle(axes)
        y = self.tensor([shape[axis] for axis in axes], quant=self.quants[x])
        self.op(OPS.TRANSPOSE, [x, self.ints(axes)], [y], *options("TransposeOptions"))
        return self._note("TRANSPOSE", y)

    def resize(self, x):
        n, h, w, c = self.shapes[x]
        down, across = self.rng.randint(1, 4), self.rng.randint(1, 4)
        y = self.tensor((n, h * down, w * across, c), quant=self.quants[x])
        o = options("ResizeNearestNeighborOptions", alignCorners=False, halfPixelCenters=self.rng.random() < 0.5)
        self.op(OPS.RESIZE_NEAREST_NEIGHBOR, [x, self.ints([h * down, w * across])], [y], *o)
        return self._note("RESIZE_NEAREST_NEIGHBOR", y)

    def dilated(self, x):
        """SPACE_TO_BATCH_ND, something between, BATCH_TO_SPACE_ND with crops.

        Without padding, which TFLite Micro fills with what was in its memory.
        """
        rng = self.rng
        n, h, w, c = self.shapes[x]
        blocks = [rng.randint(1, 3), rng.randint(1, 3)]
        blocks = [k if size % k == 0 else 1 for size, k in zip((h, w), blocks, strict=True)]
        sides = [size // k for size, k in zip((h, w), blocks, strict=True)]
        y = self.tensor((n * blocks[0] * blocks[1], *sides, c), quant=self.quants[x])
        inputs = [x, self.ints(blocks), self.ints([(0, 0), (0, 0)])]
        self.op(OPS.SPACE_TO_BATCH_ND, inputs, [y], *options("SpaceToBatchNDOptions"))
        self._note("SPACE_TO_BATCH_ND", y)
        y = self.depthwise(y)
        _, *sides, c = self.shapes[y]
        whole = [side * k for side, k in zip(sides, blocks, strict=True)]
        crops = [(rng.randrange(2) if side > 1 else 0, 0) for side in whole]
        z = self.tensor((n, *[s - a for s, (a, _) in zip(whole, crops, strict=True)], c), quant=self.quants[y])
        inputs = [y, self.ints(blocks), self.ints(crops)]
        self.op(OPS.BATCH_TO_SPACE_ND, inputs, [z], *options("BatchToSpaceNDOptions"))
        return self._note("BATCH_TO_SPACE_ND", z)

    def largest(self, x):
        shape = self.shapes[x]
        axes = self.rng.sample(range(1, len(shape)), self.rng.randint(1, len(shape) - 1))
        keep = self.rng.random() < 0.5
        kept = [1 if i in axes else n for i, n in enumerate(shape) if keep or i not in axes]
        y = self.tensor(kept, quant=self.quants[x])
        axes = [axis - len(shape) * (self.rng.random() < 0.3) for axis in axes]
        self.op(OPS.REDUCE_MAX, [x, self.ints(axes)], [y], *options("ReducerOptions", keepDims=keep))
        return self._note("REDUCE_MAX", y)

    def subtract(self, x):
        other, quant = self._other(x), self.quant()
        spread = max(self.quants[x][0], self.quants[other][0])
        y = self.tensor(self.shapes[x], quant=(float(np.float32(spread * 2 ** self.rng.uniform(-2, 3))), quant[1]))
        inputs = [x, other] if self.rng.random() < 0.5 else [other, x]
        self.op(OPS.SUB, inputs, [y], *options("SubOptions", fusedActivationFunction=self._act()))
        return self._note("SUB", y)

    def extreme(self, x):
        kind = self.rng.choice(("MAXIMUM", "MINIMUM"))
        other = self._other(x, self.quants[x])
        y = self.tensor(self.shapes[x], quant=self.quants[x])
        self.op(getattr(OPS, kind), [x, other], [y], *options("MaximumMinimumOptions"))
        return self._note(kind, y)

    def bent(self, x):
        kind = self.rng.choice(("LEAKY_RELU", "ELU"))
        y = self.tensor(self.shapes[x], quant=self.quant(self.quants[x][0] * 2 ** self.rng.uniform(-2, 2)))
        alpha = self.rng.choice((0.0, 0.01, 0.2, 0.3, 1.5))
        o = options("LeakyReluOptions", alpha=alpha) if kind == "LEAKY_RELU" else ()
        self.op(getattr(OPS, kind), [x], [y], *o)
        return self._note(kind, y)

    def sloped(self, x):
        """PRELU with slopes for each element, each channel, or one."""
        shape = self.shapes[x]
        sizes = self.rng.choice((shape[1:], (*[1] * (len(shape) - 2), shape[-1]), (shape[-1],), (1,)))
        data = np.array([self.rng.randint(-128, 127) for _ in range(int(np.prod(sizes)))], np.int8).reshape(sizes)
        slopes = self.tensor(
            sizes, quant=(float(np.float32(2 ** self.rng.uniform(-9, -3))), self.quant()[1]), data=data
        )
        y = self.tensor(shape, quant=self.quant(self.quants[x][0] * 2 ** self.rng.uniform(-2, 2)))
        self.op(OPS.PRELU, [x, slopes], [y])
        return self._note("PRELU", y)

    def transposed(self, x, sides=3):
        """TRANSPOSE_CONV, its filter shorter and longer than the stride, in either padding."""
        rng = self.rng
        n, h, w, depth = self.shapes[x]
        padding = rng.choice((SAME, VALID))
        kernel, stride = [rng.randint(1, sides + 1) for _ in "yx"], [rng.randint(1, sides) for _ in "yx"]
        channels = rng.randint(1, 9)
        size = [
            side * s if padding == SAME else (side - 1) * s + k
            for side, k, s in zip((h, w), kernel, stride, strict=True)
        ]
        if padding == SAME:  # any size that the stride brings back to the input's
            size = [max(1, side - rng.randrange(s)) for side, s in zip(size, stride, strict=True)]
        shape = (channels, *kernel, depth)
        weights, scales = self.weights(shape, channels, 0, rng.random() < 0.7, rng.randrange(6))
        inputs = [self.ints([n, *size, channels]), weights, x]
        bias = self.bias(channels, x, scales)
        if bias >= 0:
            inputs.append(bias)
        taps = depth * max(1, kernel[0] // stride[0]) * max(1, kernel[1] // stride[1])
        y = self.tensor((n, *size, channels), quant=self.out_quant(x, scales, taps))
        fields = {"padding": padding, "strideH": stride[0], "strideW": stride[1]}
        self.op(OPS.TRANSPOSE_CONV, inputs, [y], *options("TransposeConvOptions", **fields))
        return self._note("TRANSPOSE_CONV", y, padding)

    def product(self, x):
        """BATCH_MATMUL with what another path has made of the same tensor, or with a constant; either turned about."""
        rng = self.rng
        shape = self.shapes[x]
        adj_x, adj_y = rng.random() < 0.5, rng.random() < 0.5
        rows, inner = shape[-2:][::-1] if adj_x else shape[-2:]
        cols = rng.randint(1, 6)
        if rng.random() < 0.5:  # of the same tensor: its columns by its columns
            a, b, cols, adj_x, adj_y = x, self.unary(x, "TANH"), shape[-1], True, False
            rows = shape[-1]
        else:
            sizes = (cols, inner) if adj_y else (inner, cols)
            data = np.array([rng.randint(-128, 127) for _ in range(inner * cols)], np.int8).reshape(sizes)
            a, b = x, self.tensor(sizes, quant=self.quant(), data=data)
        inner = shape[-2] if a == x and adj_x else inner
        spread = self.quants[a][0] * self.quants[b][0] * 5000 * max(1, inner) ** 0.5 / 127
        y = self.tensor((*shape[:-2], rows, cols), quant=self.quant(spread * 2 ** rng.choice((-3, -1, 0, 1))))
        self.op(OPS.BATCH_MATMUL, [a, b], [y], *options("BatchMatMulOptions", adjX=adj_x, adjY=adj_y))
        return self._note("BATCH_MATMUL", y)

    def packed(self, x):
        """UNPACK along an axis, and PACK along another, of some of it."""
        shape = self.shapes[x]
        axis = self.rng.randrange(len(shape))
        parts = [
            self.tensor(shape[:axis] + shape[axis + 1 :], quant=self.quants[x]) for _ in range(min(shape[axis], 250))
        ]
        if len(parts) != shape[axis]:
            return x
        self.op(OPS.UNPACK, [x], parts, *options("UnpackOptions", num=len(parts), axis=axis))
        self._note("UNPACK", parts[0])
        chosen = [self.rng.choice(parts) for _ in range(self.rng.randint(1, 4))]
        axis = self.rng.randrange(len(shape))
        rest = self.shapes[parts[0]]
        y = self.tensor((*rest[:axis], len(chosen), *rest[axis:]), quant=self.quants[x])
        self.op(OPS.PACK, chosen, [y], *options("PackOptions", valuesCount=len(chosen), axis=axis))
        return self._note("PACK", y)

    def part(self, x):
        shape = self.shapes[x]
        starts = [self.rng.randrange(n) for n in shape]
        counts = [self.rng.randint(1, n - start) for n, start in zip(shape, starts, strict=True)]
        y = self.tensor(counts, quant=self.quants[x])
        sizes = [-1 if start + count == n else count for start, count, n in zip(starts, counts, shape, strict=True)]
        self.op(OPS.SLICE, [x, self.ints(starts), self.ints(sizes)], [y], *options("SliceOptions"))
        return self._note("SLICE", y)

    def _other(self, x, quant=None):
        """The tensor itself turned about, or a constant of its shape, one a channel, or one."""
        shape = self.shapes[x]
        sizes = self.rng.choice((shape, (shape[-1],), (1,)))
        data = np.array([self.rng.randint(-128, 127) for _ in range(int(np.prod(sizes)))], np.int8).reshape(sizes)
        return self.tensor(sizes, quant=quant or self.quant(), data=data)


def random_network(seed: int, small: bool = False):
    """A random network of these operators between convolutions.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.

    Returns:
        (file, bytes of the input, names of its operators).
    """
    rng = random.Random(seed)
    net = MoreNet(rng)
    side = 4 if small else 8
    shape = (1, rng.randint(1, side), rng.randint(1, side), rng.randint(1, 7))
    first = x = net.tensor(shape, quant=net.quant())
    for number in range(rng.randint(1, 4)):
        if int(np.prod(net.shapes[x])) > (400 if small else 4000):
            x = net.largest(x)
        is_image = len(net.shapes[x]) == 4
        if number == 0:
            # Each operator in turn, so that a few networks have all of them.
            choice = seed % 12
        else:
            choice = rng.randrange(13)
        if choice in (1, 2, 8) and not is_image:
            choice = 0
        makers = (net.transpose, net.resize, net.dilated, net.largest, net.subtract, net.extreme, net.bent)
        makers = (*makers, net.sloped, net.transposed, net.product, net.packed, net.part)
        if choice in (3, 9) and len(net.shapes[x]) < 2:
            choice = 6
        x = makers[choice](x) if choice < 12 else net.dense(x)
    y = net.tensor(net.shapes[x], quant=net.quants[x])
    o = options("AddOptions", fusedActivationFunction=NONE)
    one = net.tensor((1,), quant=(net.quants[x][0], 0), data=np.array([1], np.int8))
    net.op(OPS.ADD, [x, one], [y], *o)
    return net.bytes(first, y), int(np.prod(shape)), [entry[0] for entry in net.used]


def random_log_softmax(seed: int, small: bool = False):
    """A network of a LOG_SOFTMAX alone, of a few rows: one class to many, scales from where nothing tells to one.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.

    Returns:
        (file, bytes of the input).
    """
    rng = random.Random(seed)
    net = MoreNet(rng)
    shape = (rng.randint(1, 3), rng.choice((1, 2, 12, 30) if small else (1, 2, 12, 100, 511, 1000, 4095)))
    scale = 2 ** rng.choice((rng.uniform(-8, 0), rng.uniform(-8, 0), rng.uniform(-25.9, 8)))
    x = net.tensor(shape, quant=(float(np.float32(scale)), rng.randint(-128, 127)))
    y = net.tensor(shape, quant=(1 / 16, 127))
    net.op(OPS.LOG_SOFTMAX, [x], [y], *options("LogSoftmaxOptions"))
    return net.bytes(x, y), shape[0] * shape[1]
