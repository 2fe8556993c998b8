"""Measure what the loops of networks' kernels take, and write the compiler's table: `python -m tools.network_costs`.

Runs networks on emulated boards, counts the instructions of every step, and fits figures a turn of each loop to them.
Some minutes a board; a CPython with numpy.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from kittiwake.bench.cases import ds_cnn
from kittiwake.boards.arch import ASSEMBLERS
from kittiwake.cli import board_options
from kittiwake.model import compiler
from kittiwake.model.compiler import Compiled
from kittiwake.model.emit import cost, loops
from kittiwake.model.lower import weights
from kittiwake.model.read import flatbuffer
from kittiwake.model.run import on_target
from kittiwake.target.base import Target

_TABLE = Path(__file__).resolve().parents[1] / "host/kittiwake/model/emit/cost_table.py"
_MOST_BYTES = 150_000  # of a network that the boards hold
_TIMEOUT_S = 120.0
_COUNT = """
def count_steps():
    import gc, kwboard
    _model.invoke(_input, _result)
    gc.collect()
    print(kwboard.count(_model.invoke, _input, _result))
    for run, at in _model._steps:
        print(kwboard.count(run, at, _model._plan, _model._scratch, _model._state))
"""
# What depends on the data, so that a step counted alone takes another number than within its invoke.
_OWN = ("conv", "depthwise")
_BY_DATA = ("softmax", "mul", "add", "lstm")
_HEAD = '''"""What a turn of each kernel's loops takes, in instructions: made by `python -m tools.network_costs`.

The loops are those of loops.py, in their order. INVOKE: an invoke, a step's call in it, a word and a byte of its input,
a byte of its output.
"""

# fmt: off
'''


def measure(target: Target, networks: list[bytes]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Count the instructions of every step of every network, by each of a board's kernels.

    Args:
        target: started, one that counts.
        networks: .tflite files.

    Returns:
        (set, kind) -> [(turns of the loops, instructions)]; set -> [(program, instructions beside its steps)].
    """
    steps: dict[Any, Any] = defaultdict(list)
    rest: dict[Any, Any] = defaultdict(list)
    arch = target.facts()["arch"] or ""
    kernels = ("viper", *(name for name, archs in ASSEMBLERS.items() if arch in archs))
    owners = [cost.set_of(kernel, arch) for kernel in kernels]
    for kernel in kernels:
        graphs = [ds_cnn.graph(), *(flatbuffer.read(content) for content in networks)]
        for made in (compiler.compile_graph(graph, kernel) for graph in graphs):
            if len(made.plan) + made.scratch + made.state < _MOST_BYTES:
                total, each = _count(target, made)
                for step, instructions in zip(made.program.steps, each, strict=True):
                    # All but these are one code in every set of a board.
                    for name in [cost.set_of(kernel, arch)] if step.kind in _OWN else owners:
                        turns = loops.of_step(step, weights.LAYOUT_OF[kernel])
                        steps[name, step.kind].append((turns, instructions))
                if not any(step.kind in _BY_DATA for step in made.program.steps):
                    rest[cost.set_of(kernel, arch)].append((made.program, total - sum(each)))
    return steps, rest


def _count(target: Target, made: Compiled) -> tuple[int, list[int]]:
    target.reboot()
    on_target.load(target, made.plan, made.isa)
    target.exec(_COUNT)
    total, *each = map(int, target.exec("count_steps()", _TIMEOUT_S).split())
    return total, each


def fit(counts: list[list[int]], instructions: list[int]) -> list[float]:
    """Find figures, none below 0, whose products with the counts come near the instructions, in relation to these.

    Args:
        counts: turns of the loops, a row a measurement.
        instructions: measured.

    Returns:
        A figure a loop.
    """
    rows, sums = np.array(counts, float), np.array(instructions, float)
    used = [loop for loop in range(rows.shape[1]) if rows[:, loop].any()]
    while True:
        figures, *_ = np.linalg.lstsq(rows[:, used] / sums[:, None], np.ones(len(sums)), rcond=1e-9)
        if min(figures) >= 0:
            break
        used.pop(int(np.argmin(figures)))
    whole = np.zeros(rows.shape[1])
    whole[used] = figures
    return [float(figure) for figure in whole]


def write(steps: dict[Any, Any], rest: dict[Any, Any]) -> str:
    """Write the table.

    Args:
        steps: as of `measure`, of all boards.
        rest: as of `measure`, of all boards.

    Returns:
        The module's source.
    """
    lines = ["KERNELS: dict[str, dict[str, tuple[float, ...]]] = {"]
    for name in sorted(rest, key=lambda name: (not name.startswith("viper"), name)):
        lines.append(f"    {name!r}: {{".replace("'", '"'))
        kinds = sorted(kind for owner, kind in steps if owner == name)
        for kind in kinds:
            figures = fit(*map(list, zip(*steps[name, kind], strict=True)))
            line = f'"{kind}": ({", ".join(f"{figure:.4g}" for figure in figures)}),'
            lines += textwrap.wrap(line, 112, initial_indent=" " * 8, subsequent_indent=" " * 12)
        lines.append("    },")
    lines += ["}", "INVOKE: dict[str, tuple[float, ...]] = {"]
    for name, programs in rest.items():
        turns = []
        for program, _ in programs:
            size = program.inputs[-1].stop
            words, odd = (size // 4, 0) if size % 4 == 0 else (0, size)
            turns.append([1, len(program.steps), words, odd, program.outputs[-1].stop])
        figures = fit(turns, [max(1, left) for _, left in programs])
        lines.append(f'    "{name}": ({", ".join(f"{figure:.4g}" for figure in figures)}),')
    return _HEAD + "\n".join([*lines, "}"]) + "\n"


def main() -> int:
    """Measure on the boards named, and write the table.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.network_costs", description=main.__doc__)
    parser.add_argument("networks", type=Path, help="a folder of .tflite files that use every kernel")
    parser.add_argument("targets", nargs="+", help="qemu:mps2-an386 qemu:virt qemu:xtensa")
    arguments = parser.parse_args()
    contents = [path.read_bytes() for path in sorted(arguments.networks.glob("*.tflite"))]
    steps: dict[Any, Any] = {}
    rest: dict[Any, Any] = {}
    for name in arguments.targets:
        with board_options.opened(name) as target:
            more, beside = measure(target, contents)
        steps, rest = steps | more, rest | beside
    _TABLE.write_text(write(steps, rest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
