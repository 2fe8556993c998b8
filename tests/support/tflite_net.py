"""Networks in .tflite files: operators without weights, and state, on top of tflite_layers."""

import numpy as np

from tests.support.tflite_builder import FLOAT32, NONE, OPS, RESOURCE, UINT8, options
from tests.support.tflite_layers import Layers


class Net(Layers):
    """A builder with one method an operator, random where nothing is said."""

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
        if kind == "SOFTMAX" and self.shapes[x][-1] > 511:  # refused
            kind = "LOGISTIC"
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
