"""TFLite Micro as the reference, in a process of its own: what it does to its memory is not this process's trouble.

Knows the package `tflite-micro` and a pipe; nothing of plans. Run as a program it is the child.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import IO

from kittiwake.errors import KittiwakeError

_TIMEOUT_S = 120
_MEND = "install kittiwake[model]"
_ARENA_BYTES = 4 << 20
_ALIGNMENT = 4  # of each of several ends, as model/read/ends.py has it


@dataclass(frozen=True)
class _Child:
    """The process, and the pipes to it and from it."""

    process: subprocess.Popen[bytes]
    requests: IO[bytes]
    results: IO[bytes]


class Oracle:
    """A TFLite Micro that answers; a context manager.

    Raises:
        KittiwakeError: the package is not there.
    """

    def __init__(self) -> None:
        self._child: _Child | None = None

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, model: bytes, inputs: list[bytes], resets: bool = False) -> tuple[list[bytes], float]:
        """Run a model over inputs, in order.

        Args:
            model: the .tflite file's content.
            inputs: raw bytes, one an invoke; several inputs of a model joined as plans have them.
            resets: begin each invoke with fresh state.

        Returns:
            (outputs, seconds an invoke).

        Raises:
            KittiwakeError: TFLite Micro refuses the model, or died of it.
        """
        head = json.dumps({"model": len(model), "inputs": [len(x) for x in inputs], "resets": resets})
        child = self._start()
        try:
            child.requests.write(head.encode() + b"\n" + model + b"".join(inputs))
            child.requests.flush()
            line = child.results.readline()
        except OSError:
            line = b""
        if not line:
            self.close()
            raise KittiwakeError("TFLite Micro died of this model", "it is no model that it runs")
        reply = json.loads(line)
        if "error" in reply:
            raise KittiwakeError(f"TFLite Micro: {reply['error']}", reply.get("mend", ""))
        size = reply["size"]
        content = child.results.read(size * len(inputs))
        return [content[i * size : (i + 1) * size] for i in range(len(inputs))], reply["seconds"]

    def close(self) -> None:
        """End the child. Idempotent."""
        child, self._child = self._child, None
        if child is None:
            return
        child.process.kill()
        child.requests.close()
        child.results.close()
        child.process.wait()

    def _start(self) -> _Child:
        if self._child is None or self._child.process.poll() is not None:
            self.close()
            command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the child was started without pipes")
            self._child = _Child(process, process.stdin, process.stdout)
        return self._child


def _serve() -> None:
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        model = sys.stdin.buffer.read(request["model"])
        inputs = [sys.stdin.buffer.read(size) for size in request["inputs"]]
        try:
            outputs, seconds = _invoke(model, inputs, request["resets"])
        except ImportError as error:
            _say({"error": f"{error.name} is not there", "mend": _MEND})
        except Exception as error:  # noqa: BLE001 - the runtime raises whatever it likes; the parent tells
            _say({"error": str(error).splitlines()[0] if str(error) else repr(error)})
        else:
            _say({"size": len(outputs[0]) if outputs else 0, "seconds": seconds})
            sys.stdout.buffer.write(b"".join(outputs))
            sys.stdout.buffer.flush()


def _invoke(model: bytes, inputs: list[bytes], resets: bool) -> tuple[list[bytes], float]:
    import numpy
    import tflite
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
    graph = tflite.Model.GetRootAs(model, 0).Subgraphs(0)
    outputs, seconds = [], 0.0
    for number, content in enumerate(inputs):
        if resets and number:
            # Its own reset fills variables with their zero points; only a new one runs CALL_ONCE's assignments again.
            interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)
        at = 0
        for end in range(graph.InputsLength()):
            details = interpreter.get_input_details(end)
            size = int(numpy.prod(details["shape"])) * numpy.dtype(details["dtype"]).itemsize
            part = numpy.frombuffer(content[at : at + size], details["dtype"])
            interpreter.set_input(part.reshape(details["shape"]), end)
            at += -(-size // _ALIGNMENT) * _ALIGNMENT
        began = time.perf_counter()
        interpreter.invoke()
        seconds += time.perf_counter() - began
        result = b""
        for end in range(graph.OutputsLength()):
            result += bytes(-len(result) % _ALIGNMENT) + interpreter.get_output(end).tobytes()
        outputs.append(result)
    return outputs, seconds / max(1, len(inputs))


def _say(reply: dict[str, object]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
