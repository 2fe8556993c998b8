"""Making .tflite files at test time: a small builder over the schema's object classes."""

import flatbuffers
import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

OPS = schema.BuiltinOperator
INT8, INT16, INT32, UINT8, FLOAT32, RESOURCE = (
    schema.TensorType.INT8,
    schema.TensorType.INT16,
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
        """Finish: the file. Either end is a tensor, or a list of them."""
        self.graph.inputs = list(source) if isinstance(source, (list, tuple)) else [source]
        self.graph.outputs = list(target) if isinstance(target, (list, tuple)) else [target]
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def options(name, **fields):
    """Options of an operator and their type number."""
    made = getattr(schema, name + "T")()
    for key, value in fields.items():
        setattr(made, key, value)
    return made, getattr(schema.BuiltinOptions, name)
