"""Costs of networks: an invoke of a wake word, a multiply-accumulate of a keyword spotter, and any model of the user's.

okay_nabu comes from the installed package `pymicro-wakeword`, the keyword spotter from ds_cnn.py; what else lies under
the folder KITTIWAKE_DATA as a .tflite file is measured besides, without a budget.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache, partial
from importlib import resources, util
from pathlib import Path

from kittiwake import board_code
from kittiwake.bench.cases import ds_cnn
from kittiwake.bench.cases.registry import Case, register
from kittiwake.boards.arch import ASSEMBLERS
from kittiwake.errors import UsageError
from kittiwake.model import compiler
from kittiwake.model.emit import cost

PLAN = "bench.kwm"
# Instructions: (must be below, aim) an invoke of okay_nabu; a multiply-accumulate of the keyword spotter.
_BUDGETS = {
    "viper": ((700_000, 550_000), (18, 14)),
    "thumb2": ((330_000, 150_000), (7, 3.2)),
    "rv32": ((400_000, 200_000), (9, 5)),
    "dsp": ((330_000, 150_000), (5, 2.4)),
    "xtensa": ((420_000, 220_000), (9, 5)),
}


def wake_word(name: str = "okay_nabu") -> bytes | None:
    """The .tflite file of a wake word; None where the package is not installed."""
    if util.find_spec("pymicro_wakeword") is None or util.find_spec("tflite") is None:
        return None
    return (resources.files("pymicro_wakeword") / "models" / f"{name}.tflite").read_bytes()


@cache
def compiled(name: str, kernel: str) -> compiler.Compiled:
    """One of the networks here, compiled.

    Args:
        name: "okay_nabu", "ds_cnn", "ds_cnn_16x8", or the path of a .tflite file.
        kernel: whose weight layout it gets.

    Returns:
        The compiled network.

    Raises:
        UsageError: okay_nabu's package is not installed.
        ModelRefused, OSError: a file that is none, or unsupported.
    """
    if name in ("ds_cnn", "ds_cnn_16x8"):
        graph = ds_cnn.graph("int16" if name == "ds_cnn_16x8" else "int8")
        return compiler.compile_graph(graph, kernel, name)
    content = wake_word() if name == "okay_nabu" else Path(name).read_bytes()
    if content is None:
        raise UsageError("okay_nabu is not installed here", "pip install 'kittiwake[wake]'")
    return compiler.compile_model(content, kernel, name)


def _files(name: str, kernel: str) -> dict[str, bytes]:
    return {PLAN: compiled(name, kernel).plan}


def _cases(kernel: str, archs: tuple[str, ...] = ()) -> Iterator[Case]:
    source = board_code.source("bench/network")
    wake, spotter = _BUDGETS[kernel]

    def case(
        name: str, label: str, per: str, units: int, budget: tuple[float | None, float | None] = (None, None)
    ) -> Case:
        files = partial(_files, name, kernel)
        most, aim = budget
        return Case(
            f"network/{kernel}/{label}",
            source,
            per,
            units,
            1,
            budget=most,
            aim=aim,
            files=files,
            archs=archs,
            make="make_invoke",
            arguments=(PLAN, kernel),
        )

    if wake_word() is not None:
        yield case("okay_nabu", "okay_nabu", "invoke", 1, wake)
        # The layer after which a caller of `step` has waited longest.
        yield Case(
            f"network/{kernel}/okay_nabu/longest-layer",
            source,
            "layer",
            files=partial(_files, "okay_nabu", kernel),
            archs=archs,
            make="make_step",
            arguments=(PLAN, kernel, _longest(kernel)),
        )
    yield case("ds_cnn", "ds_cnn", "MAC", ds_cnn.MACS, spotter)
    if kernel == "viper":  # which every set has for int16 activations
        yield case("ds_cnn_16x8", "ds_cnn_16x8", "MAC", ds_cnn.MACS)
    folder = os.environ.get("KITTIWAKE_DATA")
    for path in sorted(Path(folder).rglob("*.tflite")) if folder else ():
        yield case(str(path), path.stem, "invoke", 1)


def _longest(kernel: str) -> int:
    steps = compiled("okay_nabu", kernel).program.steps
    return max(range(len(steps)), key=lambda i: cost.of_step(steps[i], kernel))


@register
def _networks(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel != "plain":  # some minutes a network
            yield from _cases(kernel)
    if "thumb2" in kernels:
        yield from _cases("dsp", ASSEMBLERS["dsp"])
