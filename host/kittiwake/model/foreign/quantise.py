"""Quantise a float model: `python -m kittiwake.model.foreign.quantise` in a folder with a request.

Request: `path`, `calibrate` (how many samples show the ranges), `activations` (their bits), array `samples`
(k, *shape). Answer: model.tflite, arrays `before` and `after` (outputs a sample), `layers`, `input_shape`. A .tflite
goes through LiteRT's quantiser, all else through TensorFlow's.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from . import exchange
from .exchange import Impossible

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

MODEL = "model.tflite"


def work(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do it."""
    samples = exchange.array("samples").astype("float32")
    if request["path"].endswith(".tflite"):
        return _from_tflite(request["path"], samples, request["calibrate"], request["activations"])
    from . import floats, int8

    logging.disable(logging.WARNING)
    exchange.tell(f"reading {request['path']}")
    model = floats.load(request["path"])
    shape = tuple(model.function.inputs[0].shape)
    if request["path"].endswith(".onnx"):
        samples = channels_last(samples)
    samples = _fitting(samples, shape[1:])
    shown = _spread(samples, request["calibrate"])
    exchange.tell(f"converting, by the ranges of {len(shown)} samples")
    content = int8.convert(model.function, shown, request["activations"])
    exchange.tell(f"comparing {len(samples)} outputs")
    exchange.give("before", int8.outputs_of_function(model.function, samples))
    exchange.give("after", int8.outputs_of_model(content, samples))
    layers = int8.losses(model.function, shown, request["activations"])
    return _answer(content, layers, shape)


def _from_tflite(path: str, samples: Array, calibrate: int, activations: int) -> dict[str, Any]:
    from . import litert

    shown = _spread(samples, calibrate)
    shape = litert.input_shape(path)
    samples, shown = _fitting(samples, shape[1:]), _fitting(shown, shape[1:])
    exchange.tell(f"quantising, by the ranges of {len(shown)} samples")
    content = litert.quantise(path, shown, activations)
    exchange.tell(f"comparing {len(samples)} outputs")
    exchange.give("before", litert.outputs(path, samples))
    exchange.give("after", litert.outputs(content, samples))
    return _answer(content, [], shape)


def _answer(content: bytes, layers: list[dict[str, Any]], shape: tuple[int, ...]) -> dict[str, Any]:
    with open(MODEL, "wb") as file:
        file.write(content)
    return {"layers": layers, "input_shape": list(shape)}


def channels_last(samples: Array) -> Array:
    """Samples whose channels came first, as ONNX has them, with their channels last, as boards have them."""
    return samples.transpose(0, *range(2, samples.ndim), 1) if samples.ndim > 2 else samples


def _fitting(samples: Array, shape: tuple[int, ...]) -> Array:
    if samples.shape[1:] != shape:
        raise Impossible(
            f"a sample has shape {list(samples.shape[1:])}, the model takes {list(shape)}", "save samples of that shape"
        )
    return samples


def _spread(samples: Array, count: int) -> Array:
    """So many samples, from beginning to end."""
    import numpy

    places = numpy.unique(numpy.linspace(0, len(samples) - 1, min(count, len(samples))).round().astype(int))
    spread: Array = samples[places]
    return spread


if __name__ == "__main__":
    exchange.serve(work)
