"""Values of JSON as tensors: types by their names in the open inference protocol, shapes and ranges checked.

It knows no model and no HTTP; what is wrong with a value is said by its name.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Source: Open Inference Protocol, "Tensor Data Types".
DTYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "UINT8": np.dtype(np.uint8),
    "UINT16": np.dtype(np.uint16),
    "UINT32": np.dtype(np.uint32),
    "UINT64": np.dtype(np.uint64),
    "INT8": np.dtype(np.int8),
    "INT16": np.dtype(np.int16),
    "INT32": np.dtype(np.int32),
    "INT64": np.dtype(np.int64),
    "FP16": np.dtype(np.float16),
    "FP32": np.dtype(np.float32),
    "FP64": np.dtype(np.float64),
    "BYTES": np.dtype(object),
}
NAMES = {dtype: name for name, dtype in DTYPES.items()}
_DEPTH = 8


class BadInput(Exception):
    """What a request brings cannot be: says which input, and why."""


@dataclass(frozen=True)
class Spec:
    """A tensor that a model takes or gives.

    Args:
        name: its name.
        datatype: a key of DTYPES.
        shape: sizes; -1 where any size will do.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]

    def check(self, shape: Sequence[int]) -> None:
        """Hold a shape against it.

        Args:
            shape: of a tensor.

        Raises:
            BadInput: another number of dimensions, or a size that is fixed and differs.
        """
        fits = len(shape) == len(self.shape) and all(
            own in (-1, size) for own, size in zip(self.shape, shape, strict=True)
        )
        if not fits:
            raise BadInput(f"input {self.name!r} has shape {list(shape)}; the model takes {list(self.shape)}")


def flatten(value: object, name: str) -> tuple[list[object], list[int]]:
    """Flatten nested lists, row by row.

    Args:
        value: a scalar, or lists within lists.
        name: of the input, for messages.

    Returns:
        (the scalars, the shape).

    Raises:
        BadInput: lists of one level differ in length, or nest deeper than eight levels.
    """
    shape: list[int] = []
    level: list[object] = [value]
    while any(isinstance(each, list) for each in level):
        sizes = {len(each) if isinstance(each, list) else -1 for each in level}
        if len(sizes) != 1:
            raise BadInput(f"input {name!r} is no tensor: its lists differ in length")
        if len(shape) == _DEPTH:
            raise BadInput(f"input {name!r} nests deeper than {_DEPTH} levels")
        shape.append(sizes.pop())
        level = [element for each in level if isinstance(each, list) for element in each]
    return level, shape


def to_array(flat: Sequence[object], shape: Sequence[int], datatype: str, name: str) -> Array:
    """Make a tensor of scalars.

    Args:
        flat: as JSON has them.
        shape: of the tensor; its sizes multiply to as many scalars.
        datatype: a key of DTYPES.
        name: of the input, for messages.

    Returns:
        The tensor.

    Raises:
        BadInput: a scalar is not of the type, is out of its range or not finite, or there are too many or too few.
    """
    if math.prod(shape) != len(flat):
        raise BadInput(f"input {name!r} has {len(flat)} values; its shape {list(shape)} has {math.prod(shape)}")
    dtype = DTYPES[datatype]
    allowed = _JSON_TYPES[dtype.kind]
    if not set(map(type, flat)) <= allowed:
        other = next(type(each) for each in flat if type(each) not in allowed)
        raise BadInput(f"input {name!r} is {datatype}; it has {_WORDS.get(other, 'a value of another type')}")
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if any(isinstance(each, int) and not limits.min <= each <= limits.max for each in flat):
            raise BadInput(f"input {name!r} has a value beyond {datatype}")
    try:
        with np.errstate(over="ignore"):
            array = np.array(flat, dtype=dtype)
    except (OverflowError, ValueError) as error:
        raise BadInput(f"input {name!r} has a value beyond {datatype}") from error
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise BadInput(f"input {name!r} has a value beyond {datatype}")
    return array.reshape(shape)


_JSON_TYPES: dict[str, set[type]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}, "O": {str}}
_WORDS = {
    bool: "a boolean",
    int: "a whole number",
    float: "a fraction",
    str: "a text",
    type(None): "a null",
    dict: "an object",
}
