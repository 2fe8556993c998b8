"""A float .tflite to int8 weights by LiteRT's quantiser, without TensorFlow.

Knows ai_edge_quantizer and ai_edge_litert; not who asks.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from typing import TYPE_CHECKING, Any

from . import int8
from .exchange import Impossible

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]


_PARTS = ("calibrator", "quantizer", "recipe", "recipe_manager", "utils.qsv_utils")


def input_shape(path: str) -> tuple[int, ...]:
    """The shape of a model's one input, which must be float32."""
    (source,) = _only(_interpreter(path).get_input_details(), "input")
    if source["dtype"].__name__ != "float32":
        raise Impossible(f"its input is {source['dtype'].__name__}, so it is quantised already", "compile it as it is")
    return tuple(int(size) for size in source["shape"])


def quantise(path: str, samples: Array, activations: int = 8) -> bytes:
    """Quantise a model, inputs and outputs as well.

    Args:
        path: of a float .tflite with a signature, as Keras's and PyTorch's converters make it.
        samples: inputs that show the ranges, float32, (k, *shape).
        activations: their bits, 8 or 16.

    Returns:
        The model's content.
    """
    parts = {name: importlib.import_module(f"ai_edge_quantizer.{name}") for name in _PARTS}
    signatures = _interpreter(path).get_signature_list()
    if not signatures:
        raise Impossible(
            "it has no signature, which LiteRT's quantiser needs", "convert its Keras or SavedModel original"
        )
    signature = next(iter(signatures))
    (name,) = _only(signatures[signature]["inputs"], "input")
    _only(signatures[signature]["outputs"], "output")
    recipe = getattr(parts["recipe"], f"static_wi8_ai{activations}")()
    manager = parts["recipe_manager"].RecipeManager()
    manager.load_quantization_recipe(recipe)
    # By itself the quantiser averages ranges over samples, and cuts off what the largest of them reach.
    widest = parts["utils.qsv_utils"].min_max_update
    calibrator = parts["calibrator"].Calibrator(path, qsv_update_func=widest)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        calibrator.calibrate({signature: [{name: row[None]} for row in samples]}, manager)
        made = parts["quantizer"].Quantizer(path, recipe).quantize(calibrator.get_model_qsvs())
    return bytes(made.quantized_model)


def outputs(model: str | bytes, samples: Array) -> Array:
    """Run a model over samples; gives floats."""
    return int8.run(_interpreter(model), samples)


def _interpreter(model: str | bytes) -> Any:
    module = importlib.import_module("ai_edge_litert.interpreter")
    kind = module.OpResolverType.BUILTIN_REF
    named = {"model_path": model} if isinstance(model, str) else {"model_content": bytes(model)}
    return module.Interpreter(**named, experimental_op_resolver_type=kind)


def _only(things: Any, what: str) -> Any:
    if len(things) != 1:
        raise Impossible(f"it has {len(things)} {what}s", "one is taken; make a model of a part of it")
    return things
