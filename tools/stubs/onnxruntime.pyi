"""What we use of ONNX Runtime."""

from collections.abc import Mapping, Sequence
from typing import Any

class NodeArg:
    name: str
    type: str
    shape: list[int | str | None]

class SessionOptions:
    intra_op_num_threads: int
    inter_op_num_threads: int
    log_severity_level: int

class RunOptions:
    terminate: bool
    log_severity_level: int

class InferenceSession:
    def __init__(
        self, model: bytes | str, sess_options: SessionOptions | None = None, *, providers: Sequence[str]
    ) -> None: ...
    def get_inputs(self) -> list[NodeArg]: ...
    def get_outputs(self) -> list[NodeArg]: ...
    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any], run_options: RunOptions | None = None
    ) -> list[Any]: ...
