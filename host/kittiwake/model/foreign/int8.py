"""A float function to a model of int8 weights as boards want it, and what each of its layers loses by that.

Knows TensorFlow's converter; neither where the function came from nor who asks.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


def convert(function: Any, samples: Array, activations: int = 8) -> bytes:
    """Convert to int8 weights, inputs and outputs to the type of the activations.

    Args:
        function: concrete, of a batch of one.
        samples: inputs that show the ranges, float32, (k, *shape).
        activations: their bits, 8 or 16.

    Returns:
        A .tflite file's content.
    """
    content: bytes = _converter(function, samples, activations).convert()
    return content


def losses(function: Any, samples: Array, activations: int = 8) -> list[dict[str, Any]]:
    """Tell what each layer loses when its input is right.

    Args:
        function: as `convert`.
        samples: as `convert`.
        activations: as `convert`.

    Returns:
        operator, tensor (its name) and steps of each layer: the root mean square of its error, in steps of its
        output's scale; a perfect rounding has 0.29.
    """
    import tensorflow as tf

    converter = _converter(function, samples, activations)
    if activations == 16:  # the debugger knows no ends of int16
        converter.inference_input_type = converter.inference_output_type = tf.float32
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=_dataset(samples))
    with contextlib.redirect_stderr(io.StringIO()):
        debugger.run()
    table = io.StringIO()
    debugger.layer_statistics_dump(table)
    table.seek(0)
    return [
        {
            "operator": row["op_name"],
            "tensor": row["tensor_name"].split(";")[0],
            "steps": float(row["mean_squared_error"]) ** 0.5 / float(row["scale"]),
        }
        for row in csv.DictReader(table)
    ]


def outputs_of_function(function: Any, samples: Array) -> Array:
    """Run the float function over samples, one at a time."""
    import numpy
    import tensorflow as tf

    return numpy.stack([tf.nest.flatten(function(tf.constant(row[None])))[0].numpy()[0] for row in samples])


def outputs_of_model(content: bytes, samples: Array) -> Array:
    """Run a quantised model over float samples by TFLite's reference kernels; gives floats."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=content, experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF
    )
    return run(interpreter, samples)


def run(interpreter: Any, samples: Array) -> Array:
    """Run samples through an interpreter of a quantised model: quantised on the way in, real numbers on the way out."""
    import numpy

    interpreter.allocate_tensors()
    (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for row in samples:
        interpreter.set_tensor(source["index"], quantised(row.reshape(source["shape"]), source))
        interpreter.invoke()
        scale, zero = result["quantization"]
        rows.append((interpreter.get_tensor(result["index"])[0].astype("float32") - zero) * (scale or 1.0))
    return numpy.stack(rows)


def quantised(values: Array, details: dict[str, Any]) -> Array:
    """Values as a tensor's integers, rounded half to even and held within its type."""
    import numpy

    scale, zero = details["quantization"]
    if not scale:
        return values.astype(details["dtype"])
    limits = numpy.iinfo(details["dtype"])
    held: Array = numpy.clip(numpy.rint(values / scale) + zero, limits.min, limits.max)
    return held.astype(details["dtype"])


def _converter(function: Any, samples: Array, activations: int) -> Any:
    import tensorflow as tf

    # Without a trackable object variables become constants, as a model without state wants it.
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    settle(converter, _dataset(samples), activations)
    return converter


def settle(converter: Any, dataset: Callable[[], Iterator[list[Array]]], activations: int = 8) -> None:
    """Set a converter to what boards run: int8 alone, or int16 activations with int8 weights; at both ends too."""
    import tensorflow as tf

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = dataset
    sets = tf.lite.OpsSet
    halves = sets.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    converter.target_spec.supported_ops = [halves if activations == 16 else sets.TFLITE_BUILTINS_INT8]
    ends = tf.int16 if activations == 16 else tf.int8
    converter.inference_input_type = converter.inference_output_type = ends


def _dataset(samples: Array) -> Callable[[], Iterator[list[Array]]]:
    return lambda: ([row[None]] for row in samples)
