"""`kittiwake model quantise`: networks made for boards, out of what people have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kittiwake.cli.output import print_json, progress
from kittiwake.cli.verbs.model import group as group

if TYPE_CHECKING:
    from kittiwake.model.make.quantise import Quantised

_Python = Annotated[
    str | None, typer.Option("--python", help="An interpreter that has the libraries; this one when not given.")
]
_SHOWN_LAYERS = 5
_ROUNDING = 0.29  # steps: the root mean square of what rounding alone loses


@group.command()
def quantise(
    file: Annotated[Path, typer.Argument(help="A .keras, .h5, .onnx or float .tflite file, or a SavedModel's folder.")],
    data: Annotated[Path, typer.Option("--data", help="X.npy of float samples, shape (k, *input shape).")],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The int8 .tflite; MODEL-int8.tflite when not given.")
    ] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="Y.npy of the samples' classes.")] = None,
    calibrate: Annotated[int, typer.Option(help="How many of the samples show the ranges.", min=1)] = 500,
    isa: Annotated[
        str, typer.Option("--target-isa", help="Kernels whose plan is told: viper, thumb2, dsp, rv32.")
    ] = "viper",
    python: _Python = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Make an int8 model of a float one, with the settings that boards want, and tell what that loses and takes.

    The samples should be like those that the network will see: they show how large its values become. Keras and
    SavedModel need TensorFlow, ONNX also onnx2tf, a float .tflite LiteRT's quantiser (extra `quantise`).
    """
    from kittiwake.model import compiler
    from kittiwake.model.make import quantise as work

    made = work.quantise(file, data, labels, calibrate, python, progress)
    path = output or file.with_name(f"{file.stem}-int8.tflite")
    work.written(made.model, path)
    if not as_json:
        _print(path, made)
    # Refused here, it is written all the same: the message names the layers that are to be replaced.
    compiled = compiler.compile_model(made.model, isa, str(path))
    ram_bytes = compiled.scratch + compiled.state
    if as_json:
        print_json({**_facts(path, made), "isa": isa, "plan_bytes": len(compiled.plan), "ram_bytes": ram_bytes})
    else:
        print(f"its plan: {len(compiled.plan)} bytes for {isa}, {ram_bytes} bytes of RAM")


def _facts(path: Path, made: Quantised) -> dict[str, Any]:
    before, after = made.accuracy or (None, None)
    return {
        "file": str(path),
        "input_shape": made.input_shape,
        "samples": made.samples,
        "accuracy_before": before,
        "accuracy_after": after,
        "agreement": made.agreement,
        "rms_error": made.rms_error,
        "layers": made.layers,
    }


def _print(path: Path, made: Quantised) -> None:
    print(f"{path}: {len(made.model)} bytes, input int8{made.input_shape}")
    if made.accuracy:
        before, after = made.accuracy
        print(f"accuracy on {made.samples} labelled samples: {before:.1%} before, {after:.1%} after")
    if made.agreement is not None:
        print(f"both say the same of {made.agreement:.1%} of {made.samples} samples")
    print(f"outputs differ by {made.rms_error:.4g} (root mean square)")
    if made.layers:
        print(f"layers that lose most, in steps of their output ({_ROUNDING} is rounding alone):")
        for layer in made.layers[:_SHOWN_LAYERS]:
            print(f"  {layer['steps']:6.2f}  {layer['operator']:<18} {layer['tensor']}")
