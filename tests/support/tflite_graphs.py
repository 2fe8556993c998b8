"""Making .tflite files at test time: a small builder over the schema's object classes, and random graphs."""

import random

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

OPS = schema.BuiltinOperator
INT8, INT32, UINT8, FLOAT32, RESOURCE = (
    schema.TensorType.INT8,
    schema.TensorType.INT32,
    schema.TensorType.UINT8,
    schema.TensorType.FLOAT32,
    schema.TensorType.RESOURCE,
)
SAME, VALID = schema.Padding.SAME, schema.Padding.VALID
NONE, RELU, RELU_N1, RELU6 = 0, 1, 2, 3


class Builder:
    """One model in the making.

    Attributes:
        shapes, quants: of each tensor of the main subgraph: its shape; its (scale, zero point) or None.
    """

    def __init__(self):
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.buffers = [schema.BufferT()]
        self.model.operatorCodes = []
        self.model.subgraphs = []
        self.graph = self.subgraph()
        self.shapes, self.quants = [], []

    def subgraph(self):
        graph = schema.SubGraphT()
        graph.tensors, graph.operators, graph.inputs, graph.outputs = [], [], [], []
        self.model.subgraphs.append(graph)
        return graph

    def tensor(self, shape, kind=INT8, quant=None, data=None, scales=None, axis=0, graph=None):
        """Add a tensor; returns its index."""
        graph = graph or self.graph
        t = schema.TensorT()
        t.shape, t.type, t.name = list(shape), kind, f"t{len(graph.tensors)}"
        t.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            self.model.buffers.append(buffer)
            t.buffer = len(self.model.buffers) - 1
        if quant is not None or scales is not None:
            q = schema.QuantizationParametersT()
            q.scale = [quant[0]] if scales is None else list(scales)
            q.zeroPoint = [quant[1]] if scales is None else [0] * len(scales)
            q.quantizedDimension = axis
            t.quantization = q
        graph.tensors.append(t)
        if graph is self.graph:
            self.shapes.append(tuple(shape))
            self.quants.append(quant)
        return len(graph.tensors) - 1

    def ints(self, values, shape=None):
        """Add a constant int32 tensor."""
        values = np.array(values, np.int32)
        return self.tensor(values.shape if shape is None else shape, INT32, data=values)

    def op(self, code, inputs, outputs, options=None, kind=0, graph=None):
        """Add an operator."""
        graph = graph or self.graph
        known = [c.builtinCode for c in self.model.operatorCodes]
        if code not in known:
            c = schema.OperatorCodeT()
            c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), 1
            self.model.operatorCodes.append(c)
            known.append(code)
        o = schema.OperatorT()
        o.opcodeIndex, o.inputs, o.outputs = known.index(code), list(inputs), list(outputs)
        if options is not None:
            o.builtinOptions, o.builtinOptionsType = options, kind
        graph.operators.append(o)

    def bytes(self, source, target):
        """Finish: the file."""
        self.graph.inputs, self.graph.outputs = [source], [target]
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def options(name, **fields):
    """Options of an operator and their type number."""
    made = getattr(schema, name + "T")()
    for key, value in fields.items():
        setattr(made, key, value)
    return made, getattr(schema.BuiltinOptions, name)


class Net(Builder):
    """A builder with one method an operator, random where nothing is said."""

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

    def binary(self, x, other=None):
        rng = self.rng
        kind = rng.choice(("ADD", "MUL"))
        shape = self.shapes[x]
        if other is None:
            how = rng.randrange(4)
            if how == 0:
                other = x
            else:  # a constant of another shape: all, one a channel, one
                s = (shape, (shape[-1],), (1,))[how - 1]
                data = np.array([rng.randint(-128, 127) for _ in range(int(np.prod(s)))], np.int8).reshape(s)
                other = self.tensor(s, quant=self.quant(), data=data)
        a, b = self.quants[x][0], self.quants[other][0]
        spread = max(a, b) if kind == "ADD" else a * b * 64
        y = self.tensor(shape, quant=self.quant(spread * 2 ** rng.uniform(-2, 3)))
        inputs = [x, other] if rng.random() < 0.7 or self.shapes[other] != shape else [other, x]
        o = options(kind.capitalize() + "Options", fusedActivationFunction=self._act())
        self.op(getattr(OPS, kind), inputs, [y], *o)
        return self._note(kind, y, self.shapes[other] == shape)

    def concat(self, *xs):
        shape = list(self.shapes[xs[0]])
        axis = len(shape) - 1
        shape[axis] = sum(self.shapes[x][axis] for x in xs)
        y = self.tensor(shape, quant=self.quants[xs[0]])
        axis = self.rng.choice((axis, -1))
        self.op(OPS.CONCATENATION, xs, [y], *options("ConcatenationOptions", axis=axis, fusedActivationFunction=NONE))
        return self._note("CONCATENATION", y, len(xs))

    def slice(self, x):
        rng = self.rng
        shape = self.shapes[x]
        begin, end, step, out = [], [], [], []
        for axis, n in enumerate(shape):
            b = rng.randrange(n) if axis else 0
            s = rng.choice((1, 1, 2)) if axis else 1
            e = rng.randint(b + 1, n) if axis else n
            begin.append(b - n if rng.random() < 0.2 and b else b)
            end.append(e)
            step.append(s)
            out.append(-(-(e - b) // s))
        mask = 0
        for axis in range(len(shape)):
            if rng.random() < 0.3:
                mask |= 1 << axis
                b = begin[axis] % shape[axis]
                out[axis] = -(-(shape[axis] - b) // step[axis])
        y = self.tensor(out, quant=self.quants[x])
        o = options("StridedSliceOptions", beginMask=0, endMask=mask, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0)
        self.op(OPS.STRIDED_SLICE, [x, self.ints(begin), self.ints(end), self.ints(step)], [y], *o)
        return self._note("STRIDED_SLICE", y, tuple(step))

    def split(self, x):
        rng = self.rng
        shape = self.shapes[x]
        axes = [a for a in range(1, len(shape)) if shape[a] > 1]
        if not axes:
            return [x]
        axis = rng.choice(axes)
        n = shape[axis]
        if rng.random() < 0.5 and n % 2 == 0:
            sizes = [n // 2, n // 2]
            outs = [self.tensor(shape[:axis] + (s,) + shape[axis + 1 :], quant=self.quants[x]) for s in sizes]
            self.op(OPS.SPLIT, [self.ints(axis, ()), x], outs, *options("SplitOptions", numSplits=2))
            self._note("SPLIT", outs[0], axis)
        else:
            first = rng.randint(1, n - 1)
            sizes = [first, n - first]
            outs = [self.tensor(shape[:axis] + (s,) + shape[axis + 1 :], quant=self.quants[x]) for s in sizes]
            inputs = [x, self.ints(sizes), self.ints(axis, ())]
            self.op(OPS.SPLIT_V, inputs, outs, *options("SplitVOptions", numSplits=2))
            self._note("SPLIT_V", outs[0], axis)
        return outs

    def reshape(self, x, shape=None):
        old = self.shapes[x]
        if shape is None:
            shape = (old[0], 1, old[1] * old[2], old[3]) if len(old) == 4 else (1, 1, 1, int(np.prod(old)))
        y = self.tensor(shape, quant=self.quants[x])
        self.op(OPS.RESHAPE, [x, self.ints(shape)], [y], *options("ReshapeOptions", newShape=list(shape)))
        return self._note("RESHAPE", y)

    def pad(self, x):
        rng = self.rng
        pads = [(0, 0)] + [(rng.randrange(3), rng.randrange(3)) for _ in self.shapes[x][1:]]
        y = self.tensor([n + a + b for n, (a, b) in zip(self.shapes[x], pads, strict=True)], quant=self.quants[x])
        self.op(OPS.PAD, [x, self.ints(pads)], [y], *options("PadOptions"))
        return self._note("PAD", y)

    def unary(self, x, kind=None):
        kind = kind or self.rng.choice(("RELU", "LOGISTIC", "TANH", "SOFTMAX", "QUANTIZE"))
        fixed = {"LOGISTIC": (1 / 256, -128), "SOFTMAX": (1 / 256, -128), "TANH": (1 / 128, 0)}
        quant = fixed.get(kind) or self.quant(self.quants[x][0] * 2 ** self.rng.uniform(-2, 2))
        y = self.tensor(self.shapes[x], quant=quant)
        extra = {"SOFTMAX": options("SoftmaxOptions", beta=self.rng.choice((1.0, 0.5, 2.0)))}.get(kind, ())
        if kind == "QUANTIZE":
            extra = options("QuantizeOptions")
        self.op(getattr(OPS, kind), [x], [y], *extra)
        return self._note(kind, y)

    def last(self, x, kind):
        """An output of another type: DEQUANTIZE to float32, QUANTIZE to uint8."""
        if kind == "DEQUANTIZE":
            y = self.tensor(self.shapes[x], FLOAT32)
            self.op(OPS.DEQUANTIZE, [x], [y], *options("DequantizeOptions"))
        else:
            scale, zero = self.quants[x]
            y = self.tensor(self.shapes[x], UINT8, quant=(scale, zero + 128))
            self.op(OPS.QUANTIZE, [x], [y], *options("QuantizeOptions"))
        return self._note(kind, y)

    def _note(self, kind, y, *parameters):
        self.used.append((kind, *parameters))
        return y

    def stream(self, x, kept):
        """Keep the last rows of a growing axis in a variable; returns the concatenation with the new ones."""
        _, fresh, w, c = self.shapes[x]
        quant = self.quants[x]
        if len(self.model.subgraphs) == 1:
            self.subgraph()
            once = options("CallOnceOptions", initSubgraphIndex=1)
            self.op(OPS.CALL_ONCE, [], [], *once)
            self.graph.operators.insert(0, self.graph.operators.pop())
        name = f"state{len(self.model.subgraphs[1].operators)}"
        init = self.model.subgraphs[1]
        h = self.tensor((), RESOURCE, graph=init)
        data = np.array([self.rng.randint(-128, 127) for _ in range(kept * w * c)], np.int8).reshape(1, kept, w, c)
        v = self.tensor((1, kept, w, c), quant=quant, data=data, graph=init)
        self.op(OPS.VAR_HANDLE, [], [h], *options("VarHandleOptions", sharedName=name), graph=init)
        self.op(OPS.ASSIGN_VARIABLE, [h, v], [], *options("AssignVariableOptions"), graph=init)
        handle = self.tensor((), RESOURCE)
        self.op(OPS.VAR_HANDLE, [], [handle], *options("VarHandleOptions", sharedName=name))
        old = self.tensor((1, kept, w, c), quant=quant)
        self.op(OPS.READ_VARIABLE, [handle], [old], *options("ReadVariableOptions"))
        whole = self.tensor((1, kept + fresh, w, c), quant=quant)
        self.op(
            OPS.CONCATENATION, [old, x], [whole], *options("ConcatenationOptions", axis=1, fusedActivationFunction=NONE)
        )
        new = self.tensor((1, kept, w, c), quant=quant)
        begin, end, step = self.ints([0, fresh, 0, 0]), self.ints([0, 0, 0, 0]), self.ints([1, 1, 1, 1])
        o = options("StridedSliceOptions", beginMask=13, endMask=15, ellipsisMask=0, newAxisMask=0, shrinkAxisMask=0)
        self.op(OPS.STRIDED_SLICE, [whole, begin, end, step], [new], *o)
        self.op(OPS.ASSIGN_VARIABLE, [handle, new], [], *options("AssignVariableOptions"))
        return self._note("READ_VARIABLE", whole, kept, fresh)

    def accumulate(self, x):
        """A variable that is no shift buffer: the sum of all inputs so far, quantised again each time."""
        shape, quant = self.shapes[x], self.quants[x]
        if len(self.model.subgraphs) == 1:
            self.subgraph()
            self.op(OPS.CALL_ONCE, [], [], *options("CallOnceOptions", initSubgraphIndex=1))
            self.graph.operators.insert(0, self.graph.operators.pop())
        init = self.model.subgraphs[1]
        name = f"sum{len(init.operators)}"
        h = self.tensor((), RESOURCE, graph=init)
        v = self.tensor(shape, quant=quant, data=np.full(shape, quant[1], np.int8), graph=init)
        self.op(OPS.VAR_HANDLE, [], [h], *options("VarHandleOptions", sharedName=name), graph=init)
        self.op(OPS.ASSIGN_VARIABLE, [h, v], [], *options("AssignVariableOptions"), graph=init)
        handle = self.tensor((), RESOURCE)
        self.op(OPS.VAR_HANDLE, [], [handle], *options("VarHandleOptions", sharedName=name))
        old = self.tensor(shape, quant=quant)
        self.op(OPS.READ_VARIABLE, [handle], [old], *options("ReadVariableOptions"))
        y = self.tensor(shape, quant=quant)
        self.op(OPS.ADD, [old, x], [y], *options("AddOptions", fusedActivationFunction=NONE))
        self.op(OPS.ASSIGN_VARIABLE, [handle, y], [], *options("AssignVariableOptions"))
        return self._note("ASSIGN_VARIABLE", y)


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
    c = rng.choice((1, 1, 2, 3, 4, 5, 8, 13, 16, 31, rng.randint(1, 67)))
    first = x = net.tensor((1, h, w, c), quant=net.quant())
    last = None
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


def ds_cnn(seed: int = 1):
    """A network of the shape of MLPerf Tiny's keyword spotter, with random weights.

    Returns:
        (file, shape of the input): 2,656,768 multiply-accumulates.
    """
    net = Net(random.Random(seed))
    rng = net.rng

    def convolution(x, kind, filter_, stride, channels):
        n, h, w, depth = net.shapes[x]
        size = (n, -(-h // stride[0]), -(-w // stride[1]), channels)
        depthwise = kind == "DEPTHWISE_CONV_2D"
        shape = (1, *filter_, channels) if depthwise else (channels, *filter_, depth)
        inputs = filter_[0] * filter_[1] * (1 if depthwise else depth)
        level = 127 / (60 * 60 * inputs**0.5)  # keeps the scale from layer to layer
        scales = [float(np.float32(level * 2 ** rng.uniform(-0.5, 0.5))) for _ in range(channels)]
        data = np.array([rng.randint(-127, 127) for _ in range(int(np.prod(shape)))], np.int8)
        weights = net.tensor(shape, INT8, data=data, scales=scales, axis=3 if depthwise else 0)
        bias = net.tensor(
            (channels,), INT32, data=np.array([rng.randint(-999, 999) for _ in range(channels)], np.int32)
        )
        y = net.tensor(size, quant=(net.quants[x][0], -128))
        name = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        more = {"depthMultiplier": 1} if depthwise else {}
        o = options(
            name, padding=SAME, strideH=stride[0], strideW=stride[1], dilationHFactor=1, dilationWFactor=1,
            fusedActivationFunction=RELU, **more,
        )  # fmt: skip
        net.op(getattr(OPS, kind), [x, weights, bias], [y], *o)
        return y

    first = net.tensor((1, 49, 10, 1), quant=(0.0625, 83))
    x = convolution(first, "CONV_2D", (10, 4), (2, 2), 64)
    for _ in range(4):
        x = convolution(x, "DEPTHWISE_CONV_2D", (3, 3), (1, 1), 64)
        x = convolution(x, "CONV_2D", (1, 1), (1, 1), 64)
    y = net.tensor((1, 1, 1, 64), quant=net.quants[x])
    o = options("Pool2DOptions", padding=VALID, strideH=25, strideW=5, filterHeight=25, filterWidth=5)
    net.op(OPS.AVERAGE_POOL_2D, [x], [y], *o)
    y = net.reshape(y, (1, 64))
    weights, scales = net.weights((12, 64), 12, 0, False, 5)
    z = net.tensor((1, 12), quant=(float(np.float32(net.quants[y][0] * scales[0] * 300)), 5))
    bias = net.tensor((12,), INT32, data=np.zeros(12, np.int32))
    net.op(OPS.FULLY_CONNECTED, [y, weights, bias], [z], *options("FullyConnectedOptions"))
    return net.bytes(first, net.unary(z, "SOFTMAX")), (1, 49, 10, 1)
