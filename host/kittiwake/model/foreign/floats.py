"""Float models from their files as a function of a batch of one: Keras, SavedModel, ONNX.

Knows TensorFlow and onnx2tf; not what the function is converted to.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from typing import Any

from .exchange import Impossible

_KERAS = (".keras", ".h5", ".hdf5")
# onnx2tf tries a model of images on these, which it would load from the network if they were not in the folder.
_TRIAL_IMAGES = "calibration_image_sample_data_20x128x128x3_float32.npy"


@dataclass(frozen=True)
class Floats:
    """A float model, loaded.

    Attributes:
        function: concrete, of one float32 tensor with a batch of 1, with one output.
        owner: of its variables, which live as long as this does.
    """

    function: Any
    owner: Any


def load(path: str) -> Floats:
    """Load a float model.

    Args:
        path: of a .keras, .h5 or .onnx file, or of the folder of a SavedModel. ONNX's channels become the last axis.

    Raises:
        Impossible: it has several inputs or outputs, open dimensions, or an input that is not float32.
    """
    import tensorflow as tf

    if path.endswith(_KERAS):
        # Losses and metrics of one's own are not needed, so their code need not be here.
        model = tf.keras.models.load_model(path, compile=False)
        spec = _only(list(model.inputs), "input")
        return with_batch_of_one(tf, lambda x: model(x, training=False), spec, model)
    if path.endswith(".onnx"):
        return _from_onnx(tf, path)
    if not os.path.isdir(path):
        raise Impossible(
            f"{path} is no model that is known", "name a .keras, .h5, .onnx or .tflite file, or a SavedModel"
        )
    return _from_saved_model(tf, path)


def _from_saved_model(tf: Any, path: str) -> Floats:
    loaded = tf.saved_model.load(path)
    signature = loaded.signatures.get("serving_default") or next(iter(loaded.signatures.values()), None)
    if signature is None:
        raise Impossible(f"{path} has no signature", "save it with model.export(...) or with signatures=")
    names = signature.structured_input_signature[1]
    spec = _only(list(names.values()), "input")
    name = next(iter(names))
    _only(list(signature.structured_outputs), "output")

    def call(x: Any) -> Any:
        return next(iter(signature(**{name: x}).values()))

    return with_batch_of_one(tf, call, spec, loaded)


def _from_onnx(tf: Any, path: str) -> Floats:
    import numpy

    onnx2tf = importlib.import_module("onnx2tf")
    if not os.path.exists(_TRIAL_IMAGES):
        numpy.save(_TRIAL_IMAGES, numpy.random.default_rng(1).random((20, 128, 128, 3), "float32"))
    onnx2tf.convert(
        input_onnx_file_path=path,
        output_folder_path="saved_model",
        output_signaturedefs=True,
        batch_size=1,
        verbosity="error",
        non_verbose=True,
    )
    return _from_saved_model(tf, "saved_model")


def with_batch_of_one(tf: Any, call: Any, spec: Any, owner: Any) -> Floats:
    """Make the function of something that can be called.

    Args:
        tf: TensorFlow.
        call: gives an output for a tensor.
        spec: of its input; has a shape, whose batch may be open, and a type.
        owner: of its variables.

    Raises:
        Impossible: as `load`.
    """
    shape = [1, *spec.shape[1:]]
    if tf.as_dtype(spec.dtype) != tf.float32:
        raise Impossible(f"its input is {tf.as_dtype(spec.dtype).name}", "a model with a float32 input is taken")
    if None in shape:
        raise Impossible(
            f"its input has open dimensions, {shape}", "save it with a fixed shape; only the batch may be open"
        )
    function = tf.function(call).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    _only(tf.nest.flatten(function.structured_outputs), "output")
    return Floats(function, owner)


def _only(things: list[Any], what: str) -> Any:
    if len(things) != 1:
        raise Impossible(f"it has {len(things)} {what}s", "one is taken; make a model of a part of it")
    return things[0]
