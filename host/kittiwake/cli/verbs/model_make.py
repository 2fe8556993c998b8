"""`kittiwake model quantise` and `model train`: networks made for boards, out of what people have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kittiwake.cli.output import Json, print_json, progress
from kittiwake.cli.verbs.model import group as group

if TYPE_CHECKING:
    from kittiwake.model.make.quantise import Quantised
    from kittiwake.model.make.words import Trained

_Python = Annotated[
    str | None, typer.Option("--python", help="An interpreter that has the libraries; this one when not given.")
]
_Isa = Annotated[str, typer.Option("--target-isa", help="Kernels the plan is for: viper, thumb2, dsp, rv32.")]
_SHOWN_LAYERS = 5
_ROUNDING = 0.29  # steps: the root mean square of what rounding alone loses

train = typer.Typer(name="train", help="Networks from recordings.", no_args_is_help=True)
group.add_typer(train)


@group.command()
def quantise(
    file: Annotated[Path, typer.Argument(help="A .keras, .h5, .onnx or float .tflite file, or a SavedModel's folder.")],
    data: Annotated[Path, typer.Option("--data", help="X.npy of float samples, shape (k, *input shape).")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The .tflite; MODEL-int8.tflite or MODEL-16x8.tflite when not given."),
    ] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="Y.npy of the samples' classes.")] = None,
    calibrate: Annotated[int, typer.Option(help="How many of the samples show the ranges.", min=1)] = 500,
    activations: Annotated[int, typer.Option(help="Bits of an activation: 8, or 16 where 8 lose too much.")] = 8,
    isa: _Isa = "viper",
    python: _Python = None,
    as_json: Json = False,
) -> None:
    """Make a model of int8 weights of a float one, with the settings that boards want; tell what that loses and takes.

    The samples should be like those that the network will see: they show how large its values become. Keras and
    SavedModel need TensorFlow, ONNX also onnx2tf, a float .tflite LiteRT's quantiser (extra `quantise`).
    """
    from kittiwake.model import compiler
    from kittiwake.model.make import quantise as work

    made = work.quantise(file, data, labels, calibrate, python, progress, activations)
    path = output or file.with_name(f"{file.stem}-{'16x8' if activations == 16 else 'int8'}.tflite")
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
        "activations": made.activations,
    }


def _print(path: Path, made: Quantised) -> None:
    print(f"{path}: {len(made.model)} bytes, input int{made.activations}{made.input_shape}")
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


@train.command()
def words(
    folder: Annotated[Path, typer.Argument(help="A folder a word of 16 kHz .wav files; _names for what is no word.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A folder for WORD.kwm, .tflite and .json.")],
    word: Annotated[str | None, typer.Option(help="Only this one; all others are what it must not hear.")] = None,
    isa: _Isa = "viper",
    clips: Annotated[int, typer.Option(help="Clips of each kind that are made of the recordings.", min=32)] = 600,
    epochs: Annotated[int, typer.Option(help="Times that all clips are gone through.", min=1)] = 30,
    seed: Annotated[int, typer.Option(help="Of what is varied.")] = 1,
    python: _Python = None,
    as_json: Json = False,
) -> None:
    """Train a wake word from recordings, and tell what it hears in those that were kept back.

    Every fourth recording is kept back. `kittiwake record` makes them; each of a word holds it once. `listen --model
    WORD.json` tries the result, `deploy --models WORD.kwm` brings it to a board.
    """
    from kittiwake.model import wake
    from kittiwake.model.make import quantise as files
    from kittiwake.model.make import words as work

    facts = []
    for trained in work.train(folder, word, clips, epochs, seed, python, progress):
        wake.save(trained.word, output)
        plan = output / f"{trained.word.name}.kwm"
        files.written(wake.compile_word(trained.word, isa), plan)
        facts.append(_facts_of_word(trained, plan))
        if not as_json:
            _print_word(trained, plan)
    if as_json:
        print_json(facts)


def _facts_of_word(trained: Trained, plan: Path) -> dict[str, Any]:
    return {
        "word": trained.word.name,
        "plan": str(plan),
        "cutoff": trained.word.cutoff,
        "learnt": trained.recordings[0],
        "kept_back": {name: {"heard": x.heard, "clips": x.clips} for name, x in trained.kept_back.items()},
    }


def _print_word(trained: Trained, plan: Path) -> None:
    from kittiwake.model.make import words as work

    name = trained.word.name
    print(f"{plan}: {plan.stat().st_size} bytes, heard above {trained.word.cutoff}")
    print(f"of recordings that were kept back:   {'heard':>6} {'not':>6}")
    for folder, judged in sorted(trained.kept_back.items(), key=lambda item: item[0] != name):
        print(f"  {folder:<34} {judged.heard:>6} {judged.clips - judged.heard:>6}")
    own = trained.kept_back[name]
    others = [judged for folder, judged in trained.kept_back.items() if folder != name]
    heard, clips = sum(judged.heard for judged in others), sum(judged.clips for judged in others)
    for share, part, whole in (("of the word is heard", own.heard, own.clips), ("of other clips too", heard, clips)):
        low, high = work.bounds(part, whole)
        print(f"so {low:.0%} to {high:.0%} {share} (95 % sure, {whole} clips)")


@train.command()
def states(
    folder: Annotated[Path, typer.Argument(help="A folder a state, of .csv or 16 kHz .wav files.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The plan (.kwm); .tflite and .json come beside it.")],
    column: Annotated[str | None, typer.Option(help="Of the CSV files; raw, or the only one, when not given.")] = None,
    block: Annotated[int, typer.Option(help="Samples of an input.", min=64)] = 256,
    isa: _Isa = "viper",
    epochs: Annotated[int, typer.Option(help="Times that all blocks are gone through.", min=1)] = 30,
    seed: Annotated[int, typer.Option(help="Of the network's start.")] = 1,
    python: _Python = None,
    as_json: Json = False,
) -> None:
    """Train a network that tells a machine's states by blocks of a sensor's samples, and tell what it mixes up.

    Every fourth recording of a state is kept back, or where a state has fewer than four, the last quarter of each. The
    .json says what a script of your own has to know: the states' names, the block, and what its samples are divided by.
    """
    import json

    from kittiwake.model import states as states_plan
    from kittiwake.model.emit import kwm
    from kittiwake.model.make import quantise as files
    from kittiwake.model.make import states as work

    trained = work.train(folder, column, block, epochs, seed, python, progress)
    plan = states_plan.compile_states(trained.model, trained.states, trained.full_scale, isa, output.stem)
    header = kwm.read_header(plan)
    facts = {"states": trained.states, "block": trained.block, "full_scale": trained.full_scale}
    files.written(trained.model, output.with_suffix(".tflite"))
    files.written((json.dumps(facts, indent=2) + "\n").encode(), output.with_suffix(".json"))
    files.written(plan, output)
    if as_json:
        print_json({**facts, "plan_bytes": len(plan), "taken_for": trained.taken_for})
        return
    print(f"{output}: {len(plan)} bytes for {isa}, {header.scratch + header.state} bytes of RAM")
    kept = "recordings that were kept back" if trained.is_by_recording else "the last quarter of each recording"
    width = max(8, *map(len, trained.states)) + 1
    print(f"blocks of {kept}, a row a state, a column what it was taken for:")
    print(" " * width + "".join(f"{name:>{width}}" for name in trained.states))
    for name, row in zip(trained.states, trained.taken_for, strict=True):
        print(f"{name:<{width}}" + "".join(f"{count:>{width}}" for count in row))
    if not trained.is_by_recording:
        progress("blocks next to these were learnt: a recording of another day will be told less well")
