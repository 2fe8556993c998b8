"""What of a .tflite file matters here: tensors, operators, subgraphs, as plain Python values.

Knows no file format and no kernel.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

# Of a variable of a streaming model: container and name.
VariableName = tuple[bytes, bytes]
# An operator's options by name; which there are depends on its kind, see flatbuffer.
Options = dict[str, Any]


@dataclass(frozen=True)
class Tensor:
    """One tensor.

    Attributes:
        index, name: in its subgraph.
        shape: dimensions; empty for a scalar.
        type: "int8", "int16", "uint8", "int32", "float32", "resource", or what else the file says.
        scales, zero_points: quantisation, empty where there is none; single precision values.
        axis: of per-channel scales.
        data: constant content, None when it is computed.
        variable: whether the file calls it a variable tensor (state of another kind than VAR_HANDLE's).
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: str
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0
    data: bytes | None = None
    variable: bool = False

    @property
    def elements(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def scale(self) -> float:
        """The one scale; 0 where there is none."""
        return self.scales[0] if self.scales else 0.0

    @property
    def zero_point(self) -> int:
        """The one zero point."""
        return self.zero_points[0] if self.zero_points else 0

    @property
    def content(self) -> bytes:
        """The constant content of a tensor that has some."""
        if self.data is None:
            raise ValueError(f"tensor {self.index} is not constant")
        return self.data

    @property
    def is_bytes(self) -> bool:
        """Whether an element is a byte that kernels compute with."""
        return self.type in ("int8", "uint8")

    @property
    def is_activation(self) -> bool:
        """Whether an element is an integer that kernels compute with."""
        return self.is_bytes or self.type == "int16"

    @property
    def width(self) -> int:
        """Bytes of an element of an activation or a float."""
        return {"float32": 4, "int16": 2}.get(self.type, 1)


@dataclass(frozen=True)
class Operator:
    """One operator.

    Attributes:
        index: place in its subgraph.
        kind: the builtin operator's name, e.g. "CONV_2D".
        inputs, outputs: tensor indexes; -1 for an input that is left out.
        options: its options by name.
    """

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Options = field(default_factory=dict)

    def __str__(self) -> str:
        return f"operator {self.index} ({self.kind})"

    @property
    def label(self) -> str:
        """What to call its steps: number and kind of an operator of the file, also where this is only part of it."""
        return f"{self.index} {self.options.get('part_of', self.kind)}"


@dataclass(frozen=True)
class Subgraph:
    """Tensors, operators in order of execution, and which tensors come from outside."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Graph:
    """A model.

    Attributes:
        subgraphs: the first is the one that is run.
        size: bytes of the file.
    """

    subgraphs: tuple[Subgraph, ...]
    size: int

    @property
    def main(self) -> Subgraph:
        """The subgraph that is run."""
        return self.subgraphs[0]
