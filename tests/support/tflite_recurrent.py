"""Networks with a memory in variable tensors, on top of tflite_net, and random networks of them."""

import random

import numpy as np

from tests.support.tflite_builder import INT8, INT16, INT32, NONE, OPS, options
from tests.support.tflite_net import Net

TANH = 4


class RecurrentNet(Net):
    """A builder with one method an operator, random where nothing is said."""

    def state(self, shape, quant, kind=None):
        """A variable tensor."""
        index = self.tensor(shape, quant=quant) if kind is None else self.tensor(shape, kind, quant=quant)
        self.graph.tensors[index].isVariable = True
        return index

    def lstm(self, x, units):
        """An LSTM over x of shape (1, times, size), or (times, 1, size) by time_major."""
        rng = self.rng
        shape = self.shapes[x]
        time_major = shape[0] != 1
        quant = (float(np.float32(2 ** rng.uniform(-9, -5))), self.quant()[1])
        size = shape[2]

        def matrix(width):
            wild = rng.choice((16, 64, 127, 127))
            data = np.array([rng.randint(-wild, wild) for _ in range(units * width)], np.int8).reshape(units, width)
            scale = 2 ** rng.uniform(-2, 2) / 64 / width**0.5
            return self.tensor((units, width), data=data, scales=[float(np.float32(scale))])

        inputs = [x, *(matrix(size) for _ in range(4)), *(matrix(units) for _ in range(4)), -1, -1, -1]
        for place in range(1, 5):
            scale = self.graph.tensors[inputs[place]].quantization.scale[0] * self.quants[x][0]
            most = int(min(1e7, 2 / scale))
            values = np.array([rng.randint(-most, most) for _ in range(units)], np.int32)
            inputs.append(self.tensor((units,), INT32, data=values, scales=[scale]))
        cell = (2.0 ** -rng.choice((9, 11, 12, 12, 13, 15)), 0)
        inputs += [-1, -1, self.state((1, units), quant), self.state((1, units), cell, INT16), -1, -1, -1, -1]
        y = self.tensor((*shape[:2], units), quant=quant)
        clip = rng.choice((0.0, 0.0, 10.0, 0.7 * 2**15 * cell[0], 0.25))
        fields = {"fusedActivationFunction": TANH, "timeMajor": time_major, "cellClip": clip, "projClip": 0.0}
        self.op(OPS.UNIDIRECTIONAL_SEQUENCE_LSTM, inputs, [y], *options("UnidirectionalSequenceLSTMOptions", **fields))
        return self._note("UNIDIRECTIONAL_SEQUENCE_LSTM", y, cell[0], clip > 0, time_major)

    def svdf(self, x, units, kind):
        """An SVDF over x of shape (1, size), its state and its weights over time of 8 or 16 bits."""
        rng = self.rng
        size = self.shapes[x][1]
        rank, memory = rng.randint(1, 3), rng.randint(1, 10)
        features = units * rank
        weights = [rng.randint(-127, 127) for _ in range(features * size)]
        scale = float(np.float32(2 ** rng.uniform(-9, -6)))
        a = self.tensor((features, size), data=np.array(weights, np.int8).reshape(features, size), scales=[scale])
        most, step = (127, 2**-4) if kind == INT8 else (min(32767, 48000 // (rank * memory)), 2**-12)  # sums of 32 bits
        times = np.array([rng.randint(-most, most) for _ in range(features * memory)])
        times = times.astype(np.int8 if kind == INT8 else np.int16).reshape(features, memory)
        b = self.tensor((features, memory), kind, data=times, scales=[float(np.float32(rng.uniform(0.5, 2) / most))])
        quant = (float(np.float32(step * 2 ** rng.uniform(-2, 1))), 0)
        worth = float(np.float32(quant[0]) * np.float32(self.graph.tensors[b].quantization.scale[0]))
        bound = int(min(1e6, 4 / worth))
        biases = np.array([rng.randint(-bound, bound) for _ in range(units)], np.int32)
        c = self.tensor((units,), INT32, data=biases, scales=[worth])
        state = self.state((1, features * memory), quant, kind)
        y = self.tensor((1, units), quant=self.quant(2 ** rng.uniform(-6, -2)))
        self.op(OPS.SVDF, [x, a, b, c, state], [y], *options("SVDFOptions", rank=rank, fusedActivationFunction=NONE))
        return self._note("SVDF", y, kind == INT16, rank, memory)


def random_svdf(seed: int, small: bool = False):
    """A random network: one SVDF, or two, whose states have 8 bits in one seed and 16 in the next; as random_lstm."""
    rng = random.Random(seed)
    net = RecurrentNet(rng)
    size = rng.randint(1, 12 if small else 40)
    first = x = net.tensor((1, size), quant=net.quant(2 ** rng.uniform(-6, -3)))
    for _ in range(rng.choice((1, 1, 2))):
        x = net.svdf(x, rng.randint(1, 6 if small else 20), (INT8, INT16)[seed % 2])
    return net.bytes(first, x), size, net.used


def random_lstm(seed: int, small: bool = False):
    """A random network: one LSTM, or two, and a dense layer or none.

    Args:
        seed: the same gives the same network.
        small: one that runs in the least boards' memory and time.

    Returns:
        (file, bytes of the input, what it uses).
    """
    rng = random.Random(seed)
    net = RecurrentNet(rng)
    times, size = rng.randint(1, 5 if small else 20), rng.randint(1, 9 if small else 30)
    shape = (times, 1, size) if rng.random() < 0.2 and times > 1 else (1, times, size)
    first = x = net.tensor(shape, quant=net.quant(2 ** rng.uniform(-7, -4)))
    for _ in range(rng.choice((1, 1, 2))):
        x = net.lstm(x, rng.randint(1, 8 if small else 40))
    if rng.random() < 0.5:
        x = net.dense(net.reshape(x, (1, 1, 1, int(np.prod(net.shapes[x])))))
    return net.bytes(first, x), int(np.prod(shape)), net.used
