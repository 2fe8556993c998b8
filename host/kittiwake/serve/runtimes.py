"""The two libraries that run models, behind one face: ONNX Runtime for .onnx, LiteRT for .tflite.

A model is loaded from bytes that were read once, so that its digest is of what runs. Weights in files of their own are
not read.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from kittiwake.errors import KittiwakeError
from kittiwake.serve.tensors import DTYPES, NAMES, Array, Spec

# Source: the ONNX IR, names of element types.
_ONNX_TYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
    # What converters of classifiers put behind probabilities: a list with a map from class to probability for each row.
    "seq(map(int64,tensor(float)))": "FP32",
    "seq(map(string,tensor(float)))": "FP32",
}


class Stop(Protocol):
    """Ends an inference that takes too long."""

    def stop(self) -> None:
        """End it; from any thread."""


class Runtime(Protocol):
    """A model that is loaded. Any number of threads may run it."""

    platform: str
    inputs: tuple[Spec, ...]
    outputs: tuple[Spec, ...]

    def stopper(self) -> Stop:
        """Make what can stop one run."""

    def run(self, feeds: Mapping[str, Array], stop: Stop | None = None) -> list[Array]:
        """Run it.

        Args:
            feeds: input's name -> tensor of its type and shape.
            stop: from `stopper`; None for a run that nobody stops.

        Returns:
            The outputs, in their order.

        Raises:
            Exception: whatever the library raises.
        """

    def features(self, rows: Array) -> dict[str, Array]:
        """Put rows of features into the inputs' types.

        Args:
            rows: float64, shape (rows, features).

        Returns:
            The feeds.

        Raises:
            ValueError: the inputs take no such features.
        """


class _OnnxStop:
    def __init__(self, options: Any):
        self.options = options

    def stop(self) -> None:
        self.options.terminate = True


class OnnxRuntime:
    """ONNX Runtime on the CPU.

    Args:
        content: of the file.
        threads: of one inference.
    """

    platform = "onnxruntime_onnx"

    def __init__(self, content: bytes, threads: int):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 4
        self._options = onnxruntime.RunOptions
        self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(_onnx_spec(one) for one in self._session.get_inputs())
        self.outputs = tuple(_onnx_spec(one) for one in self._session.get_outputs())

    def stopper(self) -> Stop:
        """See Runtime."""
        options = self._options()
        options.log_severity_level = 4
        return _OnnxStop(options)

    def run(self, feeds: Mapping[str, Array], stop: Stop | None = None) -> list[Array]:
        """See Runtime."""
        values = self._session.run(None, feeds, stop.options if isinstance(stop, _OnnxStop) else None)
        return [value if isinstance(value, np.ndarray) else _of_maps(value) for value in values]

    def features(self, rows: Array) -> dict[str, Array]:
        """See Runtime."""
        return _split(self.inputs, rows)


def _onnx_spec(node: Any) -> Spec:
    if node.type not in _ONNX_TYPES:
        raise KittiwakeError(f"{node.name} is of type {node.type}, which no request can carry")
    if node.type.startswith("seq("):
        return Spec(node.name, _ONNX_TYPES[node.type], (-1, -1))
    return Spec(
        node.name,
        _ONNX_TYPES[node.type],
        tuple(size if isinstance(size, int) and size >= 0 else -1 for size in node.shape),
    )


def _of_maps(rows: list[dict[Any, float]]) -> Array:
    keys = sorted(rows[0]) if rows else []
    return np.array([[row[key] for key in keys] for row in rows], dtype=np.float32).reshape(len(rows), len(keys))


def _split(inputs: tuple[Spec, ...], rows: Array) -> dict[str, Array]:
    """Rows for a model of one input, or a column for each of several inputs."""
    if len(inputs) == 1:
        (spec,) = inputs
        shape = (len(rows), rows.shape[1]) if len(spec.shape) == 2 else (rows.shape[1],)
        if len(spec.shape) not in (1, 2) or (len(spec.shape) == 1 and len(rows) != 1):
            raise ValueError(f"input {spec.name!r} of shape {list(spec.shape)} takes no row of features")
        return {spec.name: rows.reshape(shape).astype(_number(spec))}
    if len(inputs) != rows.shape[1]:
        raise ValueError(f"there are {rows.shape[1]} features; the model has {len(inputs)} inputs")
    return {
        spec.name: rows[:, [number]].reshape(len(rows), *(1 for _ in spec.shape[1:])).astype(_number(spec))
        for number, spec in enumerate(inputs)
    }


def _number(spec: Spec) -> np.dtype[Any]:
    dtype = DTYPES[spec.datatype]
    if dtype.kind != "f":
        raise ValueError(f"input {spec.name!r} is {spec.datatype}; features are fractions")
    return dtype


class _TfliteStop:
    """LiteRT ends no inference early: who waits is answered, and the thread is busy until it is done."""

    def stop(self) -> None:
        pass


class TfliteRuntime:
    """LiteRT on the CPU: one interpreter, one run at a time, row by row where the batch is fixed.

    Args:
        content: of the file.
        threads: of one inference.
    """

    platform = "tensorflow_lite"

    def __init__(self, content: bytes, threads: int):
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._inputs = self._interpreter.get_input_details()
        self._outputs = self._interpreter.get_output_details()
        self.inputs = tuple(_tflite_spec(detail) for detail in self._inputs)
        self.outputs = tuple(_tflite_spec(detail) for detail in self._outputs)

    def stopper(self) -> Stop:
        """See Runtime."""
        return _TfliteStop()

    def run(self, feeds: Mapping[str, Array], stop: Stop | None = None) -> list[Array]:
        """See Runtime."""
        count = max((len(feeds[detail["name"]]) for detail in self._inputs), default=1)
        with self._lock:
            runs = [
                self._one({name: feed[number : number + 1] for name, feed in feeds.items()}) for number in range(count)
            ]
        return [np.concatenate([outputs[number] for outputs in runs]) for number in range(len(self._outputs))]

    def _one(self, feeds: Mapping[str, Array]) -> list[Array]:
        for detail in self._inputs:
            self._interpreter.set_tensor(detail["index"], feeds[detail["name"]])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(detail["index"]) for detail in self._outputs]

    def features(self, rows: Array) -> dict[str, Array]:
        """See Runtime."""
        if len(self._inputs) != 1:
            raise ValueError(f"the model has {len(self._inputs)} inputs; features go into one")
        (detail,) = self._inputs
        shape = tuple(int(size) for size in detail["shape"])
        if int(np.prod(shape[1:])) != rows.shape[1]:
            raise ValueError(
                f"there are {rows.shape[1]} features; input {detail['name']!r} has {int(np.prod(shape[1:]))}"
            )
        scale, zero = detail["quantization"]
        dtype = np.dtype(detail["dtype"])
        if dtype.kind in "iu" and scale:
            limits = np.iinfo(dtype)
            rows = np.clip(np.rint(rows / scale) + zero, limits.min, limits.max)
        elif dtype.kind != "f":
            raise ValueError(f"input {detail['name']!r} is {NAMES[dtype]}; features are fractions")
        return {detail["name"]: rows.astype(dtype).reshape(len(rows), *shape[1:])}

    def fractions(self, number: int, values: Array) -> Array:
        """Turn an output that is quantised into fractions.

        Args:
            number: of the output.
            values: as `run` gave them.

        Returns:
            float32 where the output has a scale, else the values themselves.
        """
        scale, zero = self._outputs[number]["quantization"]
        if values.dtype.kind in "iu" and scale:
            fractions: Array = (values.astype(np.float32) - zero) * np.float32(scale)
            return fractions
        return values


def _tflite_spec(detail: Any) -> Spec:
    dtype = np.dtype(detail["dtype"])
    if dtype not in NAMES or dtype.kind == "O":
        raise KittiwakeError(f"{detail['name']} is of type {dtype}, which no request can carry")
    shape = tuple(int(size) for size in detail["shape"])
    return Spec(detail["name"], NAMES[dtype], (-1, *shape[1:]) if shape else shape)
