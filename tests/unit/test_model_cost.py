"""The estimate of a network's instructions: a figure for each loop of each kernel, of every set; and how it is made."""

import random

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model import compiler
from kittiwake.model.emit import cost, loops
from kittiwake.model.emit.cost_table import INVOKE, KERNELS
from kittiwake.model.lower import descriptors
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
