"""The process that hears a second of audio again: `python -m kittiwake.bridge.confirm.scorer`, requests in, scores out.

A request is a line of JSON (`model`, a path; `output`; `window`; `bytes`) and as many bytes of int16 samples; less than
a second is filled up with silence in front, and none only loads the model. An answer is a line of JSON, `score` or
`error`. A process of its own, because a model that hangs or crashes must not take the gateway with it.

A model is any .tflite that takes a second of samples (16,000 of them: floats from -1 to 1, or quantised), or features
of the front end that wake words use, 40 a frame: all 98 frames of the second at once, or fewer at a time, one after the
other, as streaming models do.
"""

from __future__ import annotations

import json
import math
import os
import sys
from array import array
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from kittiwake.errors import ConfigError, KittiwakeError, UsageError

if TYPE_CHECKING:
    import numpy

# Whichever is there; all of them have the same Interpreter.
_RUNTIMES = ("ai_edge_litert", "tflite_runtime")
_SECOND = 16000
_FEATURES = 40
_STEP_BYTES = 320  # 10 ms


def runtime() -> str:
    """Name the package that runs TFLite models here.

    Raises:
        KittiwakeError: there is none.
    """
    for name in _RUNTIMES:
        if find_spec(name):
            return name
    raise KittiwakeError("no TFLite runtime is here to confirm wake words with", "pip install 'kittiwake[confirm]'")


def check(models: Iterable[str]) -> str:
    """Make sure that models can be tried here.

    Args:
        models: paths of .tflite files.

    Returns:
        The package that will run them.

    Raises:
        KittiwakeError: there is none.
        ConfigError: a file cannot be read.
    """
    for path in models:
        if not os.access(path, os.R_OK):
            raise ConfigError(f"{path} cannot be read", "name the .tflite that hears a wake word again")
    if find_spec("pymicro_features") is None:
        raise KittiwakeError("the front end that wake words use is not here", "pip install 'kittiwake[confirm]'")
    return runtime()


class Request(TypedDict):
    """A request: path of the model, which output, outputs in a mean, bytes of samples that follow."""

    model: str
    output: int
    window: int
    bytes: int


_Key = tuple[str, int, int]


class Listener:
    """One model, loaded.

    Args:
        path: of the .tflite file.
        output: which of its outputs is the word's.
        window: outputs of a streaming model in a mean; the largest mean is the score.

    Raises:
        UsageError: it cannot be read, takes another input, or has no such output.
    """

    def __init__(self, path: str, output: int, window: int):
        import importlib

        self._library = importlib.import_module(f"{runtime()}.interpreter")
        try:
            self._content = Path(path).read_bytes()
            self._begin()
        except (OSError, RuntimeError, ValueError) as error:
            raise UsageError(f"{path} is no TFLite model that runs here: {str(error).splitlines()[0]}") from error
        (self._input, *_), (self._output, *_) = self._net.get_input_details(), self._net.get_output_details()
        self._place, self._window = output, window
        size = math.prod(self._input["shape"])
        self._frames = 0 if size == _SECOND else size // _FEATURES
        if size != _SECOND and (size % _FEATURES or not size):
            shape = "x".join(map(str, self._input["shape"]))
            raise UsageError(f"{path} takes {shape}", "it should take 16000 samples, or frames of 40 features")
        if output >= math.prod(self._output["shape"]):
            raise UsageError(f"{path} has {math.prod(self._output['shape'])} outputs", f"there is none number {output}")

    def _begin(self) -> None:
        self._net: Any = self._library.Interpreter(model_content=self._content, num_threads=1)
        self._net.allocate_tensors()

    def score(self, samples: array[int]) -> float:
        """Hear a second of audio.

        Args:
            samples: array('h'), 16,000 of them.

        Returns:
            The largest mean of the word's outputs, 0 to 1 for a probability.
        """
        import numpy

        if not self._frames:
            return self._invoke(numpy.array(samples) / 32768)
        frames = features(samples)
        short = max(0, self._frames - len(frames))
        padded = numpy.array([[0.0] * _FEATURES] * short + frames)
        if self._frames < len(frames):
            self._begin()  # a streaming model remembers what it heard, some in resources that no call resets
        outputs = []
        # The newest frames count: what does not fill a step is left out in front.
        for at in range(len(padded) % self._frames, len(padded), self._frames):
            outputs.append(self._invoke(padded[at : at + self._frames]))
        window = min(self._window, len(outputs))
        return max(sum(outputs[at : at + window]) / window for at in range(len(outputs) - window + 1))

    def _invoke(self, values: numpy.ndarray) -> float:
        import numpy

        kind = self._input["dtype"]
        if numpy.issubdtype(kind, numpy.integer):
            scale, zero = self._input["quantization"]
            ends = numpy.iinfo(kind)
            values = numpy.clip(numpy.round(values / (scale or 1 / 32768)) + zero, ends.min, ends.max)
        self._net.set_tensor(self._input["index"], values.astype(kind).reshape(self._input["shape"]))
        self._net.invoke()
        value = float(self._net.get_tensor(self._output["index"]).ravel()[self._place])
        if numpy.issubdtype(self._output["dtype"], numpy.integer):
            scale, zero = self._output["quantization"]
            value = (value - zero) * scale
        return value


def features(samples: array[int]) -> list[list[float]]:
    """The front end's frames of some audio, scaled as models are trained on them.

    Args:
        samples: array('h') at 16 kHz.

    Returns:
        Frames of 40, one every 160 samples from the 480th on.
    """
    from pymicro_features import MicroFrontend

    front_end, frames, at = MicroFrontend(), [], 0
    content = samples.tobytes()
    while at + _STEP_BYTES <= len(content):
        step = front_end.process_samples(content[at : at + _STEP_BYTES])
        at += 2 * step.samples_read
        if step.features:
            frames.append(list(step.features))
    return frames


def answer(request: Request, samples: array[int], loaded: dict[_Key, Listener]) -> dict[str, float | str]:
    """Answer one request; an error is an answer, too.

    Args:
        request: which model, and how.
        samples: array('h') of up to a second; none only loads the model.
        loaded: the models so far; another is added.

    Returns:
        `score` or `error`.
    """
    key = (request["model"], request["output"], request["window"])
    try:
        if key not in loaded:
            loaded[key] = Listener(*key)
        if not samples:
            return {"score": 0.0}
        silence = array("h", bytes(2 * (_SECOND - len(samples))))
        return {"score": loaded[key].score(silence + samples)}
    except KittiwakeError as error:
        return {"error": str(error)}
    except (RuntimeError, ValueError) as error:  # what the runtime raises when it cannot run a model
        return {"error": f"{request['model']}: {str(error).splitlines()[0]}"}


def main() -> None:
    """Answer requests until stdin ends."""
    loaded: dict[_Key, Listener] = {}
    while line := sys.stdin.buffer.readline():
        request = json.loads(line)
        samples = array("h", sys.stdin.buffer.read(request["bytes"]))
        if sys.byteorder == "big":
            samples.byteswap()
        print(json.dumps(answer(request, samples, loaded)), flush=True)


if __name__ == "__main__":
    main()
