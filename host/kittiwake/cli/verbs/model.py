"""`kittiwake model`: compile int8 networks, tell what they cost, run them on a target, check them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import board_options
from kittiwake.cli.output import print_json, progress
from kittiwake.model import SLOWER_PERCENT

if TYPE_CHECKING:
    from kittiwake.model.compiler import Compiled

_MODEL = typer.Argument(help="A .tflite file: int8, streaming or not.")
_Model = Annotated[Path, _MODEL]
_Isa = Annotated[str, typer.Option("--target-isa", help="Kernels it is for: viper, thumb2, dsp, rv32.")]
_Target = Annotated[str, typer.Option(help="Where it runs; see kittiwake targets.")]
_Kernel = Annotated[str | None, typer.Option(help="Which kernels; the target's fastest when not given.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
_ByteEnds = Annotated[
    bool, typer.Option("--byte-ends", help="Where ends are in floats, take and give the bytes that they stand for.")
]
_Ram = Annotated[int | None, typer.Option("--ram", help="Refuse more bytes of RAM than this.", min=0)]
_Slower = Annotated[
    float,
    typer.Option(
        "--slower",
        help="Per cent of instructions that layers in strips may add, to save RAM; 0 for none; more to meet --ram.",
        min=0,
    ),
]
_Flash = Annotated[int | None, typer.Option("--flash", help="Refuse a plan of more bytes than this.", min=0)]

group = typer.Typer(name="model", help="Int8 networks: compile, inspect, run and check them.", no_args_is_help=True)


@group.command("compile")
def compile_(
    file: _Model,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The plan; MODEL.kwm when not given.")] = None,
    isa: _Isa = "viper",
    ram: _Ram = None,
    flash: _Flash = None,
    byte_ends: _ByteEnds = False,
    slower: _Slower = SLOWER_PERCENT,
) -> None:
    """Compile a model to a plan that the firmware runs."""
    from kittiwake.errors import KittiwakeError

    compiled = _compile_content(_read(file), isa, file, ram, flash, byte_ends, slower)
    path = output or file.with_suffix(".kwm")
    try:
        path.write_bytes(compiled.plan)
    except OSError as error:
        raise KittiwakeError(f"{path} cannot be written: {error.strerror}", "name another place with -o") from error
    progress(f"{path}: {len(compiled.plan)} bytes for {isa}, {compiled.scratch + compiled.state} bytes of RAM")


@group.command()
def info(
    file: _Model,
    isa: _Isa = "viper",
    byte_ends: _ByteEnds = False,
    ram: _Ram = None,
    slower: _Slower = SLOWER_PERCENT,
    as_json: _Json = False,
) -> None:
    """Tell operators, multiply-accumulates, flash and RAM a layer, and the instructions to expect."""
    from kittiwake.model import inform
    from kittiwake.model.emit import cost

    compiled = _compile_content(_read(file), isa, file, ram, None, byte_ends, slower)
    facts = inform.facts(compiled)
    if as_json:
        print_json(facts)
        return
    column = isa if isa in cost.SETS else cost.SETS[0]
    print(f"{'layer':<28} {'kernel':<10} {'MACs':>9} {'outputs':>8} {'flash':>7} {'RAM':>7} {'by ' + column:>11}")
    for row in facts["layers"]:
        print(
            f"{row['source']:<28} {row['kernel']:<10} {row['macs']:>9} {row['outputs']:>8} {row['flash_bytes']:>7}"
            f" {row['ram_bytes']:>7} {row['instructions'][column]:>11,}"
        )
    total = facts["total"]
    print(
        f"{'total':<28} {'':<10} {total['macs']:>9} {'':>8} {total['flash_bytes']:>7} {total['ram_bytes']:>7}"
        f"  ({total['scratch_bytes']} shared, {total['state_bytes']} state)"
    )
    for cut in facts["strips"]:
        print(f"operators {cut['first']} to {cut['last']} in {cut['strips']} strips of their result's rows")
    if facts["strips"]:
        whole = facts["whole"]
        more = total["macs"] - whole["macs"]
        print(f"without strips {whole['ram_bytes']} bytes of RAM; with them {more} multiply-accumulates more")
    for what in ("input", "output"):
        for end in facts[f"{what}s"]:
            worth = f", a step is {end['scale']:g}, zero is {end['zero_point']}" if end["scale"] else ""
            print(f"{what} from byte {end['offset']}: {end['type']}{end['shape']}{worth}")
    for kernel in cost.SETS:
        print(f"about {facts['instructions'][kernel]:>11,} instructions an invoke by {kernel}")


@group.command()
def run(
    file: _Model,
    input_files: Annotated[
        list[Path],
        typer.Option("--input", help="X.npy of shape (k, *input shape), in the input's type; once an input."),
    ],
    output_files: Annotated[
        list[Path], typer.Option("--output", help="Y.npy to write: raw outputs, one row an invoke; once an output.")
    ],
    target: _Target = "unix",
    kernel: _Kernel = None,
    reset: Annotated[bool, typer.Option("--reset", help="Begin each invoke with fresh state.")] = False,
    in_ram: Annotated[
        bool, typer.Option("--in-ram", help="Copy the plan to the heap even where flash is memory.")
    ] = False,
    byte_ends: _ByteEnds = False,
    as_json: _Json = False,
) -> None:
    """Run a model on a target over the rows of a file."""
    from kittiwake.model.run import arrays, on_target, peak_heap

    content = _read(file)
    with board_options.opened(target) as board:
        isa = kernel or board_options.fastest_kernel(board)
        compiled = _compile_content(content, isa, file, byte_ends=byte_ends)
        rows = arrays.load_all(input_files, compiled.program.inputs)
        arrays.require_files_for(output_files, compiled.program.outputs)
        loaded = on_target.load(board, compiled.plan, isa, mapped=not in_ram)
        outputs = on_target.invoke(board, rows, reset)
        figures = on_target.cost(board)
        peak = peak_heap.measure(board, isa, not in_ram, loaded.plan_name)
    arrays.save_all(output_files, outputs, compiled.program.outputs)
    facts = {"target": target, "kernel": isa, "invokes": len(outputs), **figures}
    facts |= {"heap_bytes": loaded.heap_bytes, "peak_heap_bytes": peak}
    if as_json:
        print_json(facts)
    else:
        print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()))


@group.command()
def check(
    file: _Model,
    target: _Target = "unix",
    kernel: _Kernel = None,
    count: Annotated[int, typer.Option("-k", "--invokes", help="Invokes to compare.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="Of the random inputs.")] = 1,
    as_json: _Json = False,
) -> None:
    """Hold a target's outputs against TFLite Micro's, byte by byte; exit 5 when they differ."""
    from kittiwake.errors import EXIT_VERIFICATION
    from kittiwake.model.run import check as work
    from kittiwake.model.run import on_target, oracle

    content = _read(file)
    with board_options.opened(target) as board, oracle.Oracle() as micro:
        isa = kernel or board_options.fastest_kernel(board)
        compiled = _compile_content(content, isa, file)
        rows = work.inputs_of(compiled.program.inputs, compiled.graph, count, seed)
        expected, seconds = micro.run(content, rows)
        on_target.load(board, compiled.plan, isa)
        outputs = on_target.invoke(board, rows)
        figures = on_target.cost(board)
    result = work.compare(outputs, expected)
    if as_json:
        facts = {"target": target, "kernel": isa, "invokes": result.invokes, "mismatches": result.mismatches}
        print_json({**facts, "first": result.first, **figures, "tflite_micro_us": round(seconds * 1e6, 1)})
    else:
        print(f"{target} by {isa}: {result.invokes} invokes, {result.mismatches} mismatches")
        if result.first:
            print(", ".join(f"{name} {value}" for name, value in result.first.items()))
    if result.mismatches:
        raise typer.Exit(EXIT_VERIFICATION)


@group.command()
def add(
    name: Annotated[
        str, typer.Argument(help="alexa, hey_jarvis, hey_mycroft, okay_nabu, or the .json of a microWakeWord model.")
    ],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write its plan (.kwm) here, too.")] = None,
    isa: _Isa = "viper",
) -> None:
    """Add a wake word, under its name; -o compiles it for a board."""
    from kittiwake.errors import KittiwakeError
    from kittiwake.model import wake

    word = wake.add(name)
    progress(f"{word.name} ({word.phrase!r}): above {word.cutoff} over {word.window} outputs; in {wake.folder()}")
    if output is not None:
        plan = wake.compile_word(word, isa)
        try:
            output.write_bytes(plan)
        except OSError as error:
            raise KittiwakeError(f"{output} cannot be written: {error.strerror}", "name another place") from error
        progress(f"{output}: {len(plan)} bytes for {isa}")


def _read(file: Path) -> bytes:
    from kittiwake.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", "name a .tflite file") from error


def _compile_content(
    content: bytes,
    isa: str,
    file: Path,
    ram: int | None = None,
    flash: int | None = None,
    byte_ends: bool = False,
    slower: float = SLOWER_PERCENT,
) -> Compiled:
    from kittiwake.model import compiler

    return compiler.compile_model(content, isa, str(file), ram, flash, byte_ends, slower)
