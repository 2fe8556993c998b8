"""Reading a .tflite file, by the schema's generated code (package `tflite`); damaged files are refused, never followed.

Knows the format; what a model means is not known here. Every count is bounded before it is believed, because a hostile
file may claim billions of operators at the cost of four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kittiwake.errors import KittiwakeError
from kittiwake.model.read.graph import Graph, Operator, Options, Subgraph, Tensor
from kittiwake.model.read.refusal import ModelRefused

if TYPE_CHECKING:
    import tflite

# A generated reader of one operator's options: each kind has methods of its own.
_Reader = Any

MAX_BYTES = 64 << 20
_MAX_SUBGRAPHS = 8
_MAX_TENSORS = 8192
_MAX_OPERATORS = 4096
_MAX_ENDS = 256  # inputs or outputs of one operator
_MAX_DIMENSIONS = 8
_MAX_ELEMENTS = 1 << 27
_IDENTIFIER = b"TFL3"
_WIDE_CODE = 10  # of OperatorCode's table: where the place of builtin_code stands
# What the generated readers raise on offsets that lead nowhere.
_DAMAGE = (struct.error, IndexError, ValueError, TypeError, AttributeError, OverflowError, KeyError, MemoryError)

_TYPES = {
    0: "float32",
    2: "int32",
    3: "uint8",
    4: "int64",
    6: "bool",
    7: "int16",
    9: "int8",
    13: "resource",
    17: "int4",
}
_WIDTH = {"float32": 4, "int32": 4, "uint8": 1, "int64": 8, "bool": 1, "int16": 2, "int8": 1}
_ACTIVATIONS = {0: "none", 1: "relu", 2: "relu_n1_to_1", 3: "relu6", 4: "tanh"}
_PADDING = {0: "same", 1: "valid"}


class _Damaged(Exception):
    """A reason, on its way to ModelRefused."""


def read(content: bytes, name: str = "the model") -> Graph:
    """Read a model.

    Args:
        content: of the file.
        name: for messages.

    Returns:
        The graph, every index in it within bounds.

    Raises:
        ModelRefused: it is no .tflite file, or a damaged one.
        KittiwakeError: the reading library is not installed.
    """
    try:
        import tflite
    except ImportError as error:
        raise KittiwakeError("the package tflite is not there", "install kittiwake[model]") from error
    if len(content) > MAX_BYTES:
        raise ModelRefused([f"it has {len(content)} bytes, {MAX_BYTES} are the most"], name)
    if len(content) < 8 or content[4:8] != _IDENTIFIER:
        raise ModelRefused(["it is no .tflite file (no TFL3 at byte 4)"], name)
    try:
        return _read(content, {n: kind for kind, n in vars(tflite.BuiltinOperator).items() if isinstance(n, int)})
    except _Damaged as error:
        raise ModelRefused([str(error)], name) from None
    except _DAMAGE:
        raise ModelRefused(["the file is damaged: an offset in it leads nowhere"], name) from None


def _count(number: int, most: int, name: str) -> range:
    if not 0 <= number <= most:
        raise _Damaged(f"it claims {number} {name}, {most} are the most")
    return range(number)


def _read(content: bytes, kinds: Mapping[int, str]) -> Graph:
    import tflite

    model = tflite.Model.GetRootAs(content, 0)
    if model.Version() != 3:
        raise _Damaged(f"schema version {model.Version()} is not 3")
    codes = []
    for i in _count(model.OperatorCodesLength(), _MAX_OPERATORS, "operator codes"):
        number = _operator_code(model.OperatorCodes(i))
        codes.append(kinds.get(number, f"operator code {number}"))
    subgraphs = _count(model.SubgraphsLength(), _MAX_SUBGRAPHS, "subgraphs")
    if not subgraphs:
        raise _Damaged("it has no subgraph")
    return Graph(tuple(_subgraph(model, model.Subgraphs(i), codes) for i in subgraphs), len(content))


def _operator_code(code: tflite.OperatorCode) -> int:
    """The one byte of old files is joined by a wider field in later ones: the larger counts.

    The package's own BuiltinCode passes over a small number in the wider field, where LiteRT's quantiser has it alone.
    """
    at = code._tab.Offset(_WIDE_CODE)
    wide = int.from_bytes(code._tab.Bytes[code._tab.Pos + at :][:4], "little") if at else 0
    return max(wide, code.DeprecatedBuiltinCode())


def _subgraph(model: tflite.Model, graph: tflite.SubGraph, codes: list[str]) -> Subgraph:
    total = _count(graph.TensorsLength(), _MAX_TENSORS, "tensors")
    tensors = tuple(_tensor(model, graph.Tensors(i), i) for i in total)
    operators = []
    for i in _count(graph.OperatorsLength(), _MAX_OPERATORS, "operators"):
        op = graph.Operators(i)
        if not 0 <= op.OpcodeIndex() < len(codes):
            raise _Damaged(f"operator {i} has code {op.OpcodeIndex()} of {len(codes)}")
        kind = codes[op.OpcodeIndex()]
        inputs = tuple(op.Inputs(k) for k in _count(op.InputsLength(), _MAX_ENDS, f"inputs of operator {i}"))
        outputs = tuple(op.Outputs(k) for k in _count(op.OutputsLength(), _MAX_ENDS, f"outputs of operator {i}"))
        _check_indexes(inputs, len(tensors), f"operator {i}", optional=True)
        _check_indexes(outputs, len(tensors), f"operator {i}")
        operators.append(Operator(i, kind, inputs, outputs, _options(op, kind)))
    inputs = tuple(graph.Inputs(i) for i in _count(graph.InputsLength(), _MAX_ENDS, "inputs"))
    outputs = tuple(graph.Outputs(i) for i in _count(graph.OutputsLength(), _MAX_ENDS, "outputs"))
    _check_indexes(inputs + outputs, len(tensors), "the subgraph")
    return Subgraph(tensors, tuple(operators), inputs, outputs)


def _check_indexes(indexes: tuple[int, ...], count: int, whose: str, optional: bool = False) -> None:
    for index in indexes:
        if not (-1 if optional else 0) <= index < count:
            raise _Damaged(f"{whose} names tensor {index} of {count}")


def _tensor(model: tflite.Model, tensor: tflite.Tensor, index: int) -> Tensor:
    shape = tuple(tensor.Shape(i) for i in _count(tensor.ShapeLength(), _MAX_DIMENSIONS, "dimensions"))
    # Which dimensions its maker left open (shape_signature) does not matter: TFLite Micro runs the stored shape, too.
    elements = 1
    for size in shape:
        if not 0 <= size <= _MAX_ELEMENTS:
            raise _Damaged(f"tensor {index} has a dimension of {size}")
        elements *= max(size, 1)
    if elements > _MAX_ELEMENTS:
        raise _Damaged(f"tensor {index} has {elements} elements")
    kind = _TYPES.get(tensor.Type(), f"type {tensor.Type()}")
    scales: tuple[float, ...] = ()
    zeros: tuple[int, ...] = ()
    axis = 0
    quantization = tensor.Quantization()
    if quantization is not None:
        scales = tuple(
            float(quantization.Scale(i)) for i in _count(quantization.ScaleLength(), 1 << 16, "quantisation scales")
        )
        zeros = tuple(
            int(quantization.ZeroPoint(i)) for i in _count(quantization.ZeroPointLength(), 1 << 16, "zero points")
        )
        axis = quantization.QuantizedDimension()
    name = (tensor.Name() or b"").decode(errors="replace")
    data = _data(model, tensor.Buffer(), index)
    if kind == "int4" and data is not None:
        # Two to a byte in the file; kernels read bytes, whatever range they use.
        kind, data = "int8", _unpacked(data, _elements(shape), index)
    if data is not None and kind in _WIDTH and len(data) != _elements(shape) * _WIDTH[kind]:
        raise _Damaged(f"tensor {index} has {len(data)} bytes for {_elements(shape)} elements of {kind}")
    return Tensor(index, name, shape, kind, scales, zeros, axis, data, bool(tensor.IsVariable()))


def _unpacked(data: bytes, count: int, index: int) -> bytes:
    if len(data) != (count + 1) // 2:
        raise _Damaged(f"tensor {index} has {len(data)} bytes for {count} elements of int4")
    halves = [half for byte in data for half in (byte & 15, byte >> 4)]
    return bytes(((half ^ 8) - 8) & 0xFF for half in halves[:count])


def _elements(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def _data(model: tflite.Model, number: int, index: int) -> bytes | None:
    if not 0 <= number < model.BuffersLength():
        raise _Damaged(f"tensor {index} names buffer {number} of {model.BuffersLength()}")
    buffer = model.Buffers(number)
    if buffer is None:
        return None
    if getattr(buffer, "Size", lambda: 0)() > 1:
        raise _Damaged(f"tensor {index} has its data outside the flatbuffer")
    size = buffer.DataLength()
    if size == 0:
        return None
    _count(size, MAX_BYTES, f"bytes in buffer {number}")
    content: bytes = buffer.DataAsNumpy().tobytes()
    return content


def _options(op: tflite.Operator, kind: str) -> Options:
    import tflite

    reader = _OPTIONS.get(kind)
    table = op.BuiltinOptions()
    if reader is None:
        return {}
    class_name, read_fields = reader
    options = getattr(tflite, class_name)()
    if table is None:
        raise _Damaged(f"a {kind} has no options")
    options.Init(table.Bytes, table.Pos)
    return read_fields(options)


def _window(o: _Reader) -> Options:
    return {
        "padding": _PADDING.get(o.Padding(), f"padding {o.Padding()}"),
        "stride": (o.StrideH(), o.StrideW()),
        "activation": _activation(o),
    }


def _activation(o: _Reader) -> str:
    number = o.FusedActivationFunction()
    return _ACTIVATIONS.get(number, f"activation {number}")


def _convolution(o: _Reader) -> Options:
    return _window(o) | {"dilation": (o.DilationHFactor(), o.DilationWFactor())}


def _bias_type(o: _Reader) -> Options:
    return {"bias_type": _TYPES.get(o.QuantizedBiasType(), "")}


def _pool(o: _Reader) -> Options:
    return _window(o) | {"filter": (o.FilterHeight(), o.FilterWidth())}


def _recurrence(o: _Reader) -> Options:
    return {"squashing": _activation(o), "cell_clip": float(o.CellClip()), "time_major": bool(o.TimeMajor())}


def _handle(o: _Reader) -> Options:
    return {"name": (o.Container() or b"", o.SharedName() or b"")}


_OPTIONS: dict[str, tuple[str, Callable[[_Reader], Options]]] = {
    "CONV_2D": ("Conv2DOptions", lambda o: _convolution(o) | _bias_type(o)),
    "DEPTHWISE_CONV_2D": (
        "DepthwiseConv2DOptions",
        lambda o: _convolution(o) | {"depth_multiplier": o.DepthMultiplier()},
    ),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        lambda o: {"activation": _activation(o), "weights_format": o.WeightsFormat()} | _bias_type(o),
    ),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _pool),
    "MAX_POOL_2D": ("Pool2DOptions", _pool),
    "ADD": ("AddOptions", lambda o: {"activation": _activation(o)}),
    "MUL": ("MulOptions", lambda o: {"activation": _activation(o)}),
    "CONCATENATION": ("ConcatenationOptions", lambda o: {"axis": o.Axis(), "activation": _activation(o)}),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        lambda o: {
            "begin_mask": o.BeginMask(),
            "end_mask": o.EndMask(),
            "ellipsis_mask": o.EllipsisMask(),
            "new_axis_mask": o.NewAxisMask(),
            "shrink_axis_mask": o.ShrinkAxisMask(),
            "offset": bool(getattr(o, "Offset", lambda: False)()),
        },
    ),
    "SPLIT": ("SplitOptions", lambda o: {"count": o.NumSplits()}),
    "SPLIT_V": ("SplitVOptions", lambda o: {"count": o.NumSplits()}),
    "TRANSPOSE_CONV": ("TransposeConvOptions", _window),
    "SUB": ("SubOptions", lambda o: {"activation": _activation(o)}),
    "MEAN": ("ReducerOptions", lambda o: {"keep_dims": bool(o.KeepDims())}),
    "REDUCE_MAX": ("ReducerOptions", lambda o: {"keep_dims": bool(o.KeepDims())}),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", lambda o: {"align_corners": bool(o.AlignCorners())}),
    "LEAKY_RELU": ("LeakyReluOptions", lambda o: {"alpha": float(o.Alpha())}),
    "SOFTMAX": ("SoftmaxOptions", lambda o: {"beta": float(o.Beta())}),
    "PACK": ("PackOptions", lambda o: {"axis": o.Axis()}),
    "UNPACK": ("UnpackOptions", lambda o: {"axis": o.Axis()}),
    "BATCH_MATMUL": ("BatchMatMulOptions", lambda o: {"adj_x": bool(o.AdjX()), "adj_y": bool(o.AdjY())}),
    "SVDF": ("SVDFOptions", lambda o: {"rank": o.Rank()}),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": ("UnidirectionalSequenceLSTMOptions", _recurrence),
    "VAR_HANDLE": ("VarHandleOptions", _handle),
    "CALL_ONCE": ("CallOnceOptions", lambda o: {"subgraph": o.InitSubgraphIndex()}),
}
