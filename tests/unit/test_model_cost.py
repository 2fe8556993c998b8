"""The estimate of a network's instructions: a figure for each loop of each kernel, of every set; and how it is made."""

import random

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler, inform
from kittiwake.model.emit import cost, loops
from kittiwake.model.emit.cost_table import INVOKE, KERNELS
from kittiwake.model.lower import descriptors
from kittiwake.model.read import flatbuffer
from tests.support.tflite_singles import SINGLES, single
from tools import network_costs


def test_every_set_has_figures_for_every_kind_of_step():
    assert set(KERNELS) == set(INVOKE) == {*compiler.WEIGHT_LAYOUT_OF, "viper/rv32", "viper/xtensa"} - {"plain"}
    for name, kinds in KERNELS.items():
        assert set(kinds) == set(descriptors.KINDS), name
        assert all(figure >= 0 for figures in kinds.values() for figure in figures)


@pytest.mark.parametrize("isa", ["viper", "thumb2", "dsp"])
def test_estimate_of_every_operator_has_a_figure_a_loop(isa):
    """Whatever set a network was compiled for, every set's estimate is told."""
    for kind in SINGLES:
        program = compiler.compile_model(single(kind, random.Random(kind)), isa).program
        for name in cost.SETS:
            for step in program.steps:
                turns = loops.of_step(step, cost.layout_of(name))
                assert len(turns) == len(KERNELS[name][step.kind]), (name, kind, step.kind)
            assert cost.instructions(program, name) > 1000 * len(program.steps) // 2


def test_figures_that_made_the_measurements_are_found_again():
    chance = random.Random(1)
    figures = [400.0, 12.5, 0.0, 3.0]
    turns = [[1, *(chance.randint(1, 500) for _ in range(3))] for _ in range(40)]
    sums = [round(sum(a * b for a, b in zip(figures, row, strict=True))) for row in turns]
    assert network_costs.fit(turns, sums) == pytest.approx(figures, abs=0.5)


def test_figures_are_never_below_zero():
    # More turns, fewer instructions: no loop does that.
    assert min(network_costs.fit([[1, 1], [1, 2], [1, 3]], [300, 200, 100])) >= 0


@pytest.mark.parametrize("kind", SINGLES)
def test_info_has_a_row_for_every_operator_of_the_file(kind):
    content = single(kind, random.Random(kind))
    layers = inform.facts(compiler.compile_model(content))["layers"]
    operators = [f"{op.index} {op.kind}" for op in flatbuffer.read(content).main.operators]
    # A step's name may say more, "0 TRANSPOSE_CONV padding".
    rows = [" ".join(layer["source"].split()[:2]) for layer in layers if layer["source"][0].isdigit()]
    assert list(dict.fromkeys(rows)) == operators
    assert layers[-1]["source"] == "the ends"


def test_info_says_which_operators_are_views_and_which_the_compiler_has_done():
    content = single("SHAPE, STRIDED_SLICE, PACK, RESHAPE", random.Random(1))
    layers = inform.facts(compiler.compile_model(content))["layers"]
    kernels = [(layer["source"], layer["kernel"]) for layer in layers[:5]]
    assert kernels == [
        ("0 SHAPE", inform.HOST),
        ("1 STRIDED_SLICE", inform.HOST),
        ("2 PACK", inform.HOST),
        ("3 RESHAPE", inform.VIEW),
        ("4 TANH", "table"),
    ]
    assert all(set(layer["instructions"].values()) == {0} for layer in layers[:4])
