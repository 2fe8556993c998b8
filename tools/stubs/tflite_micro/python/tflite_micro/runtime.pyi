# What the oracle uses of TFLite Micro.

from typing import Any, TypedDict

import numpy

class _Details(TypedDict):
    dtype: numpy.dtype[Any]
    shape: tuple[int, ...]

class Interpreter:
    @classmethod
    def from_bytes(cls, model: bytes, arena_size: int) -> Interpreter: ...
    def get_input_details(self, index: int) -> _Details: ...
    def set_input(self, input_data: numpy.ndarray[Any, Any], index: int) -> None: ...
    def invoke(self) -> None: ...
    def get_output(self, index: int) -> numpy.ndarray[Any, Any]: ...
