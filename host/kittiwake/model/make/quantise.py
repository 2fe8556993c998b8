"""A float model to one of int8 weights that boards run, and what that costs in accuracy.

Knows samples, labels and what they say of outputs; the converting is done by programs of `model/foreign`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.model.make import interpreter

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_MODEL = "model.tflite"
CALIBRATE = 500
FEW = 100  # samples below which ranges are guesses


@dataclass(frozen=True)
class Quantised:
    """A model of int8 weights.

    Attributes:
        model: the .tflite file's content.
        input_shape: with a batch of 1; ONNX's channels are last now.
        samples: how many were compared.
        accuracy: shares of the labels that the model says before and after; None without labels.
        agreement: share of samples of which both say the same; None where the output is one number or is no class.
        rms_error: root mean square of the difference of outputs, in the outputs' unit.
        layers: operator, tensor and steps (see foreign.int8.losses), the worst first; empty for a .tflite.
        activations: their bits, 8 or 16.
    """

    model: bytes
    input_shape: list[int]
    samples: int
    accuracy: tuple[float, float] | None
    agreement: float | None
    rms_error: float
    layers: list[dict[str, Any]]
    activations: int


def quantise(
    path: Path,
    data: Path,
    labels: Path | None = None,
    calibrate: int = CALIBRATE,
    python: str | None = None,
    on_progress: Callable[[str], None] = lambda line: None,
    activations: int = 8,
) -> Quantised:
    """Quantise a model.

    Args:
        path: a .keras, .h5, .onnx or float .tflite file, or the folder of a SavedModel.
        data: .npy of float samples, (k, *input shape), like those that the network will see.
        labels: .npy of their classes: (k,) whole numbers, or (k, classes) of which the largest counts.
        calibrate: how many samples, from first to last, show the ranges.
        python: path of an interpreter with the libraries; see interpreter.ask.
        on_progress: told a line at a time.
        activations: their bits, 8 or 16.

    Returns:
        The model, and what was lost.

    Raises:
        UsageError, ConfigError: a file cannot be read, or shapes do not fit.
        KittiwakeError: a library is missing, or it refuses the model.
    """
    if not path.exists():
        raise UsageError(f"{path} is not there", "name a .keras, .h5, .onnx or .tflite file, or a SavedModel's folder")
    if activations not in (8, 16):
        raise UsageError(f"activations of {activations} bits are none that boards run", "take 8 or 16")
    samples = _array(data)
    classes = _classes(labels, len(samples)) if labels else None
    if len(samples) < FEW:
        on_progress(f"{len(samples)} samples are few: give {FEW} or more, like those that the network will see")
    answer = interpreter.ask(
        "quantise",
        {"path": str(path.resolve()), "calibrate": calibrate, "activations": activations},
        {"samples": samples.astype("float32")},
        {_MODEL: "file", "before": "array", "after": "array"},
        python,
        on_progress,
    )
    before, after = (answer.arrays[name].reshape(len(samples), -1) for name in ("before", "after"))
    return Quantised(
        answer.files[_MODEL],
        answer.facts["input_shape"],
        len(samples),
        None if classes is None else (accuracy(before, classes), accuracy(after, classes)),
        accuracy(after, predictions(before)) if before.shape[1] > 1 else None,
        float(((before - after) ** 2).mean() ** 0.5),
        sorted(answer.facts["layers"], key=lambda layer: -layer["steps"]),
        activations,
    )


def predictions(outputs: Array) -> Array:
    """The class that each row of outputs says: the largest, or above a half where there is one output."""
    said: Array = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)
    return said


def accuracy(outputs: Array, classes: Array) -> float:
    """Share of rows of outputs that say their class."""
    return float((predictions(outputs) == classes).mean())


def _array(path: Path) -> Array:
    import numpy

    try:
        array: Array = numpy.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it is no .npy file"
        raise ConfigError(f"{path} cannot be read: {why}", "save one with numpy.save") from error
    if not hasattr(array, "ndim") or array.ndim < 2 or not len(array) or array.dtype.kind not in "fiub":
        raise ConfigError(f"{path} holds no samples", "save numbers of shape (k, *input shape) with numpy.save")
    if not numpy.isfinite(array).all():
        raise ConfigError(f"{path} holds values that are no numbers", "leave samples with NaN or infinity out")
    return array


def _classes(path: Path, count: int) -> Array:
    import numpy

    try:
        array: Array = numpy.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = getattr(error, "strerror", None) or "it is no .npy file"
        raise ConfigError(f"{path} cannot be read: {why}", "save one with numpy.save") from error
    if array.ndim == 2 and array.shape[1] > 1:
        array = array.argmax(axis=1)
    if array.size != count or array.dtype.kind not in "iub":
        raise ConfigError(
            f"{path} holds {array.dtype}{list(array.shape)}, there are {count} samples", "give each one's class"
        )
    return array.reshape(count).astype(int)


def written(content: bytes, path: Path) -> None:
    """Write a made file.

    Raises:
        KittiwakeError: it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place with -o") from error
